# ruff: noqa: E501  # tables: one row is one case
"""Lucene's syntax: what it reads, what it compiles to, and where it points when it can't.

That the DSL finds what query_string finds is shown on a server, in tests/query/parity.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.model.errors import QueryError
from sre_obs.query.kql import FieldUse, Use
from sre_obs.query.lucene import MAX_DEPTH, MAX_LENGTH, compile_lucene, fields, parse, write
from tests.query.parity.texts import Texts

TYPES = {"k": "keyword", "t": "text", "l": "long", "d": "date"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("k:a", {"term": {"k": {"value": "a"}}}),
        ('k:"a b"', {"term": {"k": {"value": "a b"}}}),
        ("k:(a b)", {"term": {"k": {"value": "a b"}}}),
        ("t:a", {"match": {"t": "a"}}),
        ('t:"a b"', {"match_phrase": {"t": "a b"}}),
        ('t:"a b"~2', {"match_phrase": {"t": {"query": "a b", "slop": 2}}}),
        ("u:a", {"match": {"u": "a"}}),
        ("k:a*", {"prefix": {"k": {"value": "a"}}}),
        (r"k:a\*b?*", {"wildcard": {"k": {"value": r"a\*b?*"}}}),
        ("t:a-b*", {"query_string": {"fields": ["t"], "query": r"a\-b*"}}),
        ("k:*", {"exists": {"field": "k"}}),
        ("_exists_:k", {"exists": {"field": "k"}}),
        ("k:/a.*/", {"regexp": {"k": {"value": "a.*"}}}),
        ("l:[1 TO 5}", {"range": {"l": {"gte": "1", "lt": "5"}}}),
        ("l:>=5", {"range": {"l": {"gte": "5"}}}),
        ("t:[A TO B]", {"range": {"t": {"gte": "a", "lte": "b"}}}),
        ("d:2026-01-15", {"range": {"d": {"gte": "2026-01-15", "lte": "2026-01-15"}}}),
        ("*:*", {"match_all": {}}),
        ("a b", {"multi_match": {"type": "best_fields", "query": "a b", "lenient": True}}),
        ("_id:7", {"ids": {"values": ["7"]}}),
        ("k:a^2", {"term": {"k": {"value": "a", "boost": 2.0}}}),
        ("NOT k:a", {"bool": {"must_not": [{"term": {"k": {"value": "a"}}}]}}),
        ('t:"--"', {"match_none": {}}),
    ],
)  # fmt: skip
def test_a_text_is_compiled_to_plain_clauses(text: str, expected: object) -> None:
    assert compile_lucene(parse(text), TYPES) == expected


def signs(text: str) -> str:
    """The clauses of a row with what each means."""
    sign = {"filter": "+", "should": "", "must_not": "-"}
    body = compile_lucene(parse(text), dict.fromkeys("abcd", "keyword"))["bool"]
    found = [
        sign[part] + next(iter(one["term"]))
        for part, clauses in body.items()
        if part in sign
        for one in clauses
    ]
    return " ".join(sorted(found, key=lambda one: one[-1]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:1 OR b:1", "a b"),
        ("a:1 b:1", "a b"),
        ("a:1 AND b:1", "+a +b"),
        ("a:1 && b:1 || c:1", "+a +b c"),
        ("a:1 OR b:1 AND c:1", "a +b +c"),
        ("a:1 AND b:1 OR c:1 AND d:1", "+a +b +c +d"),
        ("a:1 NOT b:1", "a -b"),
        ("a:1 OR NOT b:1", "a -b"),
        ("NOT a:1 AND b:1", "-a +b"),
        ("+a:1 b:1 -c:1 !d:1", "+a b -c -d"),
    ],
)
def test_clauses_are_weighed_as_lucene_does_without_precedence(text: str, expected: str) -> None:
    assert signs(text) == expected


@pytest.mark.parametrize(
    ("text", "offset", "length", "said"),
    [
        ("", 0, 1, "empty"), ("  ", 0, 1, "empty"), ("a:", 1, 1, "ends"), ("a AND", 4, 1, "ends"), ("(a:b", 0, 1, "never closed"),
        ("a:b)", 3, 1, "can't be"), ('a:"b', 2, 2, "never closed"), ("a:'b'", 2, 1, "single quotes"), ("a:b:c", 2, 3, "colon"),
        ("path:/var/log", 5, 5, "more follows"), ("path:var/log", 8, 1, "slash"), ("a:b/c", 3, 1, "slash"), ("a and b", 2, 3, "capitals"), ("a:b or c:d", 4, 2, "capitals"),
        ("a:-5", 2, 2, "between"), ("a:>-5", 3, 1, "can't be"), ("a:> 5", 2, 3, "space"), ("a:b~", 2, 2, "fuzzy"), ("a:b~1", 2, 3, "fuzzy"),
        ("/re/", 0, 4, "without a field"), ("[1 TO 5]", 0, 8, "without a field"), (">5", 0, 2, "without a field"), ("o.*:x", 0, 3, "wildcard"),
        (r"o.\*:x*", 0, 4, "pattern of fields"), ("a:b && && c:d", 7, 2, "operator"), ("&& a", 0, 2, "operator"), ("a ||", 3, 1, "nothing after"), ("NOT NOT a", 4, 5, "row"),
        ("+-a", 1, 2, "row"), ("- a", 0, 2, "space after"), ("! a", 0, 2, "space after"), ("a!b", 1, 1, "NOT"), ("a&&b", 1, 2, "within a word"),
        ("a^", 0, 2, "boost"), ("a^2^3", 0, 5, "boosts"), ("a^1.2.3", 2, 5, "not a number"), ('"a"~1.5', 4, 3, "not a number"), (r"a:\u00g0", 2, 2, "hexadecimal"),
        ("a\xa0b", 1, 1, "unusual space"), (r"a:\>5", 2, 2, "even behind"), ("a = b", 2, 1, "not an operator"), ("a:(>1 <5)", 6, 2, "next to a word"),
        ("_exists_:a*", 9, 2, "_exists_"), ("a:${b}", 2, 2, "can't be"), ("a:[1 TO", 2, 1, "never closed"), ("a:[* TO *]", 2, 8, "without bounds"), ("a:NOT", 4, 1, "ends"),
    ],
)  # fmt: skip
def test_an_error_points_at_its_characters(text: str, offset: int, length: int, said: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    found = caught.value
    assert (found.offset, found.length) == (offset, length), found
    assert said in found.message


def test_depth_and_length_have_limits() -> None:
    parse("(" * (MAX_DEPTH - 1) + "a" + ")" * (MAX_DEPTH - 1))
    with pytest.raises(QueryError, match="nested deeper"):
        parse("(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1))
    with pytest.raises(QueryError, match="longer than"):
        parse("a" * (MAX_LENGTH + 1))


def test_uses_of_fields_have_their_spans() -> None:
    text = 'k:a AND (t:"b c" OR NOT l:[1 TO 5]) AND x:y* AND d:* AND word'
    assert fields(parse(text)) == (
        FieldUse("k", 0, 1, Use.TERM, "a"),
        FieldUse("t", 9, 10, Use.PHRASE, "b c"),
        FieldUse("l", 24, 25, Use.RANGE, "1"),
        FieldUse("l", 24, 25, Use.RANGE, "5"),
        FieldUse("x", 40, 41, Use.WILDCARD, "y*"),
        FieldUse("d", 49, 50, Use.EXISTS, "*"),
    )


def test_a_variable_is_a_value_and_never_syntax() -> None:
    values = {"name": 'a" OR k:*', "low": "5"}
    found = parse('k:${name} AND t:"x ${name}" AND k:p-${name}* AND l:[${low} TO *]', values)
    assert compile_lucene(found, TYPES)["bool"]["filter"] == [
        {"term": {"k": {"value": 'a" OR k:*'}}},
        {"match_phrase": {"t": 'x a" OR k:*'}},
        {"prefix": {"k": {"value": 'p-a" OR k:*'}}},
        {"range": {"l": {"gte": "5"}}},
    ]


def test_a_variable_that_is_not_defined_is_named() -> None:
    with pytest.raises(QueryError, match="there is no variable nope") as caught:
        parse("k:a OR k:${nope}", {"name": "x"})
    assert (caught.value.offset, caught.value.length) == (9, 7)
    for text in ("${name}:x", "k:/${name}/", "_exists_:${name}"):
        with pytest.raises(QueryError):
            parse(text, {"name": "x"})


TEXT = (
    st.text(alphabet=st.sampled_from("ab:*?\\\"()[]{}<>=+-!&|^~/ \tANDORTOté1.$_\n'")) | st.text()
)


@given(TEXT)
def test_any_text_is_read_or_refused_with_a_position_in_it(text: str) -> None:
    refused: list[QueryError] = []
    try:
        found = parse(text)
    except QueryError as error:
        refused.append(error)
    else:
        for types in (None, dict.fromkeys("ab", "text"), dict.fromkeys("ab", "keyword")):
            try:
                json.dumps(compile_lucene(found, types))
            except QueryError as error:
                refused.append(error)
        for use in fields(found):
            assert 0 <= use.start < use.end <= len(text)
    for error in refused:
        assert 0 <= error.offset <= max(len(text), 1)


@given(st.integers(0, 10_000))
def test_what_was_read_can_be_written_and_means_the_same(seed: int) -> None:
    for text in Texts(seed).some(3):
        try:
            found = parse(text)
            wanted = compile_lucene(found, TYPES)
        except QueryError:
            continue
        again = compile_lucene(parse(write(found)), TYPES)
        assert again == wanted, write(found)


def test_reading_lucene_writes_nothing_beside_the_library_and_says_nothing(tmp_path: Path) -> None:
    found = importlib.util.find_spec("luqum")
    assert found is not None and found.origin is not None
    library = Path(found.origin).parent
    copy = tmp_path / "luqum"
    made = shutil.ignore_patterns("__pycache__", "parsetab.py", "parser.out")
    shutil.copytree(library, copy, ignore=made)
    code = "from sre_obs.query.lucene import parse; parse('a:b AND c')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not [p.name for p in copy.iterdir() if p.name in ("parser.out", "parsetab.py")]
