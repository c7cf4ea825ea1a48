"""Foreign text is made harmless, and is cut at a word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.notify.slack.mrkdwn import escaped_size, has_dotted_host, prose, safe_url
from sre_obs.notify.text import clean, cut


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("as it is", "as it is"),
        ("  many \t\n\r\v blanks \u2028 here ", "many blanks here"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;a title\x07text", "text"),
        ("\x1b[2J\x1b[Hgone\x9b2J", "gone2J"),
        ("user\u202egpj.exe", "usergpj.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("lone\udcff", "lone\ufffd"),
        ("nul\x00", "nul"),
        ("grüße, 日本 🔥", "grüße, 日本 🔥"),
    ],
)
def test_text_is_cleaned(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text())
def test_cleaned_text_is_one_printable_line_and_stays_so(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert "\n" not in once
    assert "\x1b" not in once
    once.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("short", 5, "short"),
        ("one two three", 9, "one two…"),
        ("one two three", 8, "one two…"),
        ("checkout-7d9f-x2k4q", 12, "checkout…"),
        ("unbreakableword", 6, "unbre…"),
        ("a longunbreakableword", 10, "a longunb…"),
        ("anything", 1, "…"),
        ("anything", 0, ""),
    ],
)
def test_text_is_cut_at_a_word_unless_that_costs_too_much(text: str, limit: int, kept: str) -> None:
    assert cut(text, limit) == kept


@given(st.text(), st.integers(0, 60))
def test_what_is_cut_fits_as_it_is_counted(text: str, limit: int) -> None:
    assert len(cut(text, limit)) <= limit
    assert escaped_size(cut(text, limit, escaped_size)) <= limit


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*bold* _it_ ~no~", "∗bold∗ ＿it＿ ∼no∼"),
        ("snake_case_name 5 * 3", "snake_case_name 5 * 3"),
        (":white_check_mark: ok", "∶white_check_mark∶ ok"),
        ("at 03:16:12 in rules/a.yml:9:8:", "at 03:16:12 in rules/a.yml:9:8:"),
        ("`code`", "code"),
    ],
)
def test_prose_neither_formats_nor_shows_emoji(text: str, shown: str) -> None:
    assert prose(text) == shown


@pytest.mark.parametrize(
    "url",
    [
        *("javascript:alert(1)", "ftp://a.example", "//a.example", "https://", "https://a.b/ c"),
        *("https://a.b/<x>", "https://a.b/|x", "https://user:pass@a.b/", "http://[bad", ""),
        *("https://a.b:port/", "https://a.b/\u202e", "https://a.b/" + "x" * 2_000),
    ],
)
def test_only_plain_http_links_become_links(url: str) -> None:
    assert safe_url(url) == ""


def test_a_link_keeps_its_query() -> None:
    assert safe_url("https://a.b/?x=1&y=2") == "https://a.b/?x=1&amp;y=2"


@pytest.mark.parametrize(
    ("url", "reachable"),
    [
        ("https://alerts.example.com", True),
        ("http://10.0.0.7:9093/sub/", True),
        ("http://localhost:9093", False),
        ("http://host", False),
        ("http://127.0.0.1:9093", False),
        ("http://[::1]:9093", False),
        ("http://0.0.0.0:9093", False),
        ("", False),
    ],
)
def test_a_page_is_linked_if_a_phone_could_reach_it(url: str, reachable: bool) -> None:
    assert has_dotted_host(url) is reachable
