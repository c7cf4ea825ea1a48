"""The page of the stand-in: what a person sees, and that hostile messages stay text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from slack_sdk import WebClient

from sre_obs.app.demo.slack.mrkdwn import EMOJI, html
from sre_obs.app.demo.slack_standin import StandIn

NONCE = "bm9uY2Vub25jZQ=="

ALLOWED = {
    "a": {"href", "rel", "class"},
    "article": {"class", "id"},
    "b": set(),
    "blockquote": set(),
    "body": set(),
    "br": set(),
    "button": {"type", "disabled"},
    "code": set(),
    "details": {"class"},
    "div": {"class"},
    "h1": set(),
    "h2": {"id"},
    "h3": set(),
    "head": set(),
    "header": set(),
    "hr": set(),
    "html": {"lang"},
    "i": set(),
    "main": {"id"},
    "meta": {"charset", "name", "content", "http-equiv"},
    "nav": {"aria-label"},
    "p": {"class"},
    "pre": set(),
    "s": set(),
    "section": {"id", "aria-labelledby"},
    "span": {"class", "role", "aria-label", "title"},
    "style": {"nonce"},
    "summary": set(),
    "time": {"datetime"},
    "title": set(),
}


class Seen(HTMLParser):
    """What a browser would make of a page: elements that nest, attributes, visible text."""

    VOID = ("br", "hr", "meta")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert {name for name, _ in attrs} <= ALLOWED[tag], (tag, attrs)
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.text += data


HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(1)> </article></main>"
    ' <https://evil.example/"onmouseover=alert(1)|x> <javascript:alert(1)|click me>'
    " <data:text/html,x|data> `</code><script>` ```</pre><b>``` &lt;b&gt;entity&lt;/b&gt;"
    " *_~`*_~ <!channel> <@U1|<b>> :<b>: \x00\x1b[31m <http://[|bad> <!date^9^{date}|<i>>"
)


def page_with(*posts: dict[str, object]) -> str:
    with StandIn(["alerts"]) as standin:
        client = WebClient("xoxb-stand-in", base_url=standin.api_url, retry_handlers=[])
        for post in posts:
            client.api_call("chat.postMessage", json={"channel": "#alerts", **post})
        return standin.page_html(NONCE)


def text_of(kind: str, text: str) -> dict[str, str]:
    return {"type": kind, "text": text}


def test_hostile_text_stays_text_wherever_a_message_can_hold_it() -> None:
    both = [text_of("mrkdwn", HOSTILE), text_of("plain_text", HOSTILE)]
    button = {"type": "button", "text": text_of("plain_text", HOSTILE[:75])}
    blocks = [
        *({"type": "section", "text": text} for text in both),
        {"type": "section", "fields": both},
        {"type": "context", "elements": [*both, {"type": "image", "alt_text": HOSTILE}]},
        {"type": "header", "text": text_of("plain_text", HOSTILE[:150])},
        {"type": "actions", "elements": [button]},
    ]
    page = page_with({"text": HOSTILE}, {"text": HOSTILE, "blocks": blocks})

    seen = Seen(page)
    assert "<script>alert(1)</script>" in seen.text
    outside = [link for link in seen.links if not link.startswith("#")]
    assert outside
    assert {link.partition(":")[0] for link in outside} == {"https"}


def test_a_persons_name_and_a_channels_name_stay_text_too() -> None:
    with StandIn(['<b onclick="x">']) as standin:
        standin.workspace.say('<b onclick="x">', "hi", 0.0, user="<script>")
        seen = Seen(standin.page_html(NONCE))
    assert '#<b onclick="x">' in seen.text
    assert "<script>" in seen.text


def test_the_page_holds_with_a_policy_that_allows_only_its_own_style() -> None:
    page = page_with({"text": "x"})

    assert page.count("<style") == page.count(f'<style nonce="{NONCE}">') == 1
    assert not re.search(r"<script|\sstyle=|\son[a-z]+=|url\(|@import|<img|<link|<form", page)
    with StandIn() as standin, pytest.raises(ValueError, match="nonce"):
        standin.page_html('"><script>')


def test_without_a_nonce_the_page_links_its_stylesheet() -> None:
    with StandIn() as standin:
        page, css = standin.page_html(), standin.stylesheet()
    assert '<link rel="stylesheet" href="/slack/style.css">' in page
    assert "<style" not in page
    assert "prefers-color-scheme: dark" in css


def test_blocks_are_shown_and_the_text_as_the_notification() -> None:
    blocks = [
        {"type": "section", "text": text_of("mrkdwn", ":octagonal_sign: *CRITICAL*  `pg-main`")},
        {"type": "divider"},
        {
            "type": "actions",
            "elements": [{"type": "button", "text": text_of("plain_text", "Silence...")}],
        },
        {"type": "context", "elements": [text_of("mrkdwn", "team-payments")]},
    ]
    page = page_with({"text": "CRITICAL pg-main: 912 s", "blocks": blocks})

    assert "<b>CRITICAL</b>  <code>pg-main</code>" in page
    assert f'aria-label="octagonal sign" title=":octagonal_sign:">{EMOJI["octagonal_sign"]}' in page
    assert '<button type="button" disabled>Silence...</button>' in page
    assert "<summary>Notification</summary>CRITICAL pg-main: 912 s" in page
    assert "team-payments" in page


def test_replies_stand_under_their_message_and_a_broadcast_in_the_channel_too() -> None:
    with StandIn(["alerts"]) as standin:
        client = WebClient("xoxb-stand-in", base_url=standin.api_url, retry_handlers=[])
        parent = client.chat_postMessage(channel="#alerts", text="parent")
        where = {"channel": parent["channel"], "thread_ts": parent["ts"]}
        client.chat_postMessage(**where, text="quiet reply")
        client.chat_postMessage(**where, text="loud reply", reply_broadcast=True)
        page = standin.page_html(NONCE)

    thread = page[page.index('<div class="thread">') :]
    assert "2 replies" in thread
    assert thread.index("quiet reply") < thread.index("loud reply")
    assert page.count("quiet reply") == 1
    assert page.count("loud reply") == 2


def test_an_edited_message_shows_its_last_state_and_not_that_it_was_edited() -> None:
    with StandIn(["alerts"]) as standin:
        client = WebClient("xoxb-stand-in", base_url=standin.api_url, retry_handlers=[])
        posted = client.chat_postMessage(channel="#alerts", text="first words")
        client.chat_update(channel=posted["channel"], ts=posted["ts"], text="last words")
        seen = Seen(standin.page_html(NONCE))
    assert "last words" in seen.text
    assert "first words" not in seen.text
    assert "edited" not in seen.text


def test_an_empty_channel_says_so() -> None:
    assert "No messages yet." in page_with()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*bold* _it_ ~gone~", "<b>bold</b> <i>it</i> <s>gone</s>"),
        ("*_both_*", "<b><i>both</i></b>"),
        ("*a _b* c_", "<b>a _b</b> c_"),
        ("snake_case_name 2*3*4 * a * **", "snake_case_name 2*3*4 * a * **"),
        ("*no\nend*", "*no<br>end*"),
        ("`*raw*`", "<code>*raw*</code>"),
        ("*`pg`*", "<b><code>pg</code></b>"),
        ("```a\n*b*```", "<pre>a\n*b*</pre>"),
        ("a &lt; b &amp;&amp; c &gt; d", "a &lt; b &amp;&amp; c &gt; d"),
        ("&amp;lt;", "&amp;lt;"),
        ("&gt; said\nend", "<blockquote>said</blockquote>end"),
        (":nosuch: 12:30:45", ":nosuch: 12:30:45"),
        ("<ftp://x.example|file>", "file"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("<!channel>", '<span class="mention">@channel</span>'),
        ("<!subteam^S1|@oncall>", '<span class="mention">@oncall</span>'),
        ("<#C1>", '<span class="mention">#named-C1</span>'),
        (
            "<!date^1392734382^{date_num} {time_secs}|then>",
            '<time datetime="2014-02-18T14:39:42Z">2014-02-18 14:39:42 UTC</time>',
        ),
        (
            "<https://a.example/?x=1&amp;y=2|Run*book*>",
            '<a href="https://a.example/?x=1&amp;y=2" rel="noreferrer noopener nofollow">'
            "Run*book*</a>",
        ),
    ],
)
def test_mrkdwn_is_shown_as_slack_shows_it(text: str, expected: str) -> None:
    assert html(text, lambda id_: f"named-{id_}") == expected


@pytest.mark.parametrize("name", sorted(EMOJI))
def test_each_emoji_of_our_messages_has_a_glyph_and_a_name_to_be_read_aloud(name: str) -> None:
    assert f'aria-label="{name.replace("_", " ")}"' in html(f":{name}:")


@pytest.mark.parametrize(
    "pattern", ["*", "*a ", "`", "<", "```", ":a", "> ", "*_~", "\n>", "*a* ", "<!date^"]
)
def test_the_work_grows_with_the_text_and_not_with_its_square(pattern: str) -> None:
    # Quadratic work on 400,000 characters runs for many minutes: nobody would overlook it.
    assert html(pattern * (400_000 // len(pattern)))
