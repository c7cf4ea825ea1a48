"""``${name}`` in KQL is a value, whatever it holds; and stars are read the same both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.model.errors import QueryError
from sre_obs.query.kql import Is, Literal, Wildcard, compile_kql, parse


def test_values_are_put_where_values_stand() -> None:
    text = 'a: ${x} and b: "is ${x}" and c: ${y}-* and d >= ${y} and e: { f: (${x} or g) }'
    assert str(compile_kql(parse(text, {"x": "one", "y": "5"}), None)) == str(
        compile_kql(
            parse('a: one and b: "is one" and c: 5-* and d >= 5 and e: { f: (one or g) }'), None
        )
    )


@given(st.text(max_size=30))
def test_nothing_in_a_value_is_syntax(value: str) -> None:
    tree = parse("pod: ${x}", {"x": value})
    assert isinstance(tree, Is)
    assert tree.value == Literal(value, False, 5, 9)
    starred = parse("pod: ${x}*", {"x": value})
    assert isinstance(starred, Is)
    assert starred.value == Wildcard((value, ""), 5, 10)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: ${nmae}", "3+7 there is no variable nmae | write ${name}"),
        ("a: b and c: ${q}", "12+4 there is no variable q | one of: name"),
        ("a: ${}", "3+3 there is no variable ${} | one of: name"),
        ("${name}: 1", "0+7 a variable in the name of a field | variables stand for values"),
        ("a.${name}.b: 1", "0+11 a variable in the name of a field | variables stand for values"),
        ("${name}: { b: 1 }", "0+7 a variable in the name of a field | variables stand for values"),
        ("a: ${name} b: 1", "12+1 ':' after a complete clause | put and or or before b, or quote "
         "the value"),
        ("a: \ue000 and b: ${name}", "3+1 a private character beside variables | "),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place_in_the_text_as_written(text: str, problem: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text, {"name": "x"})
    error = caught.value
    assert f"{error.offset}+{error.length} {error.message} | {error.remedy}" == problem


def test_without_variables_the_characters_are_kql_s_own() -> None:
    with pytest.raises(QueryError):
        parse("a: ${name}")


@given(st.text(alphabet="ab*-./@_", min_size=1, max_size=8).filter(lambda word: "*" in word))
def test_a_word_with_stars_is_the_same_alone_and_in_parentheses(word: str) -> None:
    alone, inside = parse(f"pod: {word}"), parse(f"pod: ({word})")
    assert isinstance(alone, Is)
    assert isinstance(inside, Is)
    assert isinstance(alone.value, Wildcard)
    assert isinstance(inside.value, Wildcard)
    assert alone.value.parts == inside.value.parts
    assert (alone.value.start, alone.value.end) == (5, 5 + len(word))
