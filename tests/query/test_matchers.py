"""Label matchers: Alertmanager's UTF-8 grammar, its meaning, and places of mistakes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.model.errors import QueryError
from sre_obs.model.matcher import Matcher, MatchOp
from sre_obs.query.matchers import (
    compile_matchers,
    format_matcher,
    format_matchers,
    parse_matchers,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("{}", []),
        (" { } ", []),
        ("a=b", [("a", "=", "b")]),
        ("{a=b}", [("a", "=", "b")]),
        ('{a="b", c=~"d.*"}', [("a", "=", "b"), ("c", "=~", "d.*")]),
        ("a=b,", [("a", "=", "b")]),
        ("{a=b,}", [("a", "=", "b")]),
        ('a!="b",c!~d', [("a", "!=", "b"), ("c", "!~", "d")]),
        ('a=""', [("a", "=", "")]),
        (' a = b , c = "d e" ', [("a", "=", "b"), ("c", "=", "d e")]),
        ('"weird name"="x"', [("weird name", "=", "x")]),
        ("a.b/c-d:e=[x]", [("a.b/c-d:e", "=", "[x]")]),
        ("foo🙂=🙂", [("foo🙂", "=", "🙂")]),
        (r'a="\"\\\n\t\u00e9\x41"', [("a", "=", '"\\\n\té' + "A")]),
        ('a="{},=~!"', [("a", "=", "{},=~!")]),
    ],
)
def test_reads(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert [(m.name, m.op.value, m.value) for m in parse_matchers(text)] == expected


@pytest.mark.parametrize(
    ("text", "offset", "length"),
    [
        ("a=", 1, 1),
        ("a", 0, 1),
        ("=b", 0, 1),
        ("a==b", 1, 2),
        ("{a=b", 0, 1),
        ("a=b}", 3, 1),
        ("{a=b}}", 5, 1),
        ("{a=b}x", 5, 1),
        ("{", 0, 1),
        ("a=b c=d", 4, 1),
        ("a=b,,c=d", 4, 1),
        (",a=b", 0, 1),
        ("{,}", 1, 1),
        ("a='b'", 2, 1),
        ("a=`b`", 2, 1),
        ('a="b', 2, 2),
        ("a=b\\c", 3, 1),
        ("a!b", 1, 1),
        ("a~b", 1, 1),
        (r'a="\q"', 3, 1),
        (r'a="\ud800"', 3, 6),
        ('a="x\ny"', 4, 1),
        ('a=~"("', 3, 3),
        ('b=c,a!~"(?=x)"', 7, 7),
        ('a=~")|("', 3, 5),
        ('""=x', 0, 2),
    ],
)
def test_points_at_the_mistake(text: str, offset: int, length: int) -> None:
    with pytest.raises(QueryError) as caught:
        parse_matchers(text)
    assert (caught.value.offset, caught.value.length) == (offset, length)


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ("", {"a": "b"}, True),
        ("a=b", {"a": "b"}, True),
        ("a=b", {"a": "c"}, False),
        ("a=b", {}, False),
        ('a=""', {}, True),
        ('a=""', {"a": ""}, True),
        ('a!=""', {}, False),
        ("a!=b", {}, True),
        ("a!=b", {"a": "b"}, False),
        ("a=~b", {"a": "abc"}, False),
        ("a=~b.*", {"a": "bcd"}, True),
        ("a=~b.*", {"a": "b"}, True),
        ("a=~b.+", {"a": "b"}, False),
        ("a=~b.*", {"a": "b\nc"}, False),
        ('a=~"(?s)b.*"', {"a": "b\nc"}, True),
        ("a=~.*", {}, True),
        ("a=~.+", {}, False),
        ("a!~b|c", {"a": "c"}, False),
        ("a=~b|c|d", {"a": "d"}, True),
        ("a=~b|c|d", {"a": "b|c"}, False),
        ('a=~"b|"', {}, True),
        ('a=~"(?i)PROD"', {"a": "prod"}, True),
        ("a=b,c!=d,e=~f", {"a": "b", "e": "f"}, True),
        ("a=b,c!=d,e=~f", {"a": "b", "c": "d", "e": "f"}, False),
        ("a=é.", {"a": "é."}, True),
        ("a=~é.", {"a": "éx"}, True),
    ],
)
def test_means(text: str, labels: dict[str, str], expected: bool) -> None:
    assert compile_matchers(parse_matchers(text))(labels) is expected


def test_a_wrong_pattern_is_refused_when_compiled() -> None:
    with pytest.raises(QueryError, match="not a regular expression"):
        compile_matchers([Matcher("a", MatchOp.REGEX, "(")])


def test_a_hostile_pattern_costs_linear_time() -> None:
    matches = compile_matchers([Matcher("a", MatchOp.REGEX, "(a*)*(a*)*b")])
    assert not matches({"a": "a" * 100_000})


def placed(error: QueryError, text: str) -> None:
    """The error points into the text."""
    assert 0 <= error.offset <= max(len(text), 1)
    assert error.length >= 1


_TEXT = st.text(st.characters(codec="utf-8"), max_size=10)


@given(
    st.lists(
        st.builds(
            Matcher, _TEXT.filter(bool), st.sampled_from([MatchOp.EQUAL, MatchOp.NOT_EQUAL]), _TEXT
        )
    )
)
def test_what_is_printed_reads_back(matchers: list[Matcher]) -> None:
    assert parse_matchers(format_matchers(matchers)) == tuple(matchers)
    for matcher in matchers:
        assert parse_matchers(format_matcher(matcher)) == (matcher,)


@given(st.text(st.sampled_from("ab{}=!~,\"'\\ \n`é(*")) | st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        matchers = parse_matchers(text)
    except QueryError as error:
        placed(error, text)
        return
    compile_matchers(matchers)({"a": text})
