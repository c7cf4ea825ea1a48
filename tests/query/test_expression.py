"""Expressions over measures: what parses to what, where a wrong one is wrong, what comes out."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sre_obs.model.errors import QueryError
from sre_obs.model.expression import Binary, Call, Expression, Name, Number, Unary, names
from sre_obs.query.expression import (
    MAX_DEPTH,
    MAX_PARTS,
    RESERVED,
    check,
    holds,
    parse,
    value,
    write,
)

NAMES = ("used", "limit", "a", "b2", "now", "window")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "(a - b) - c"),
        ("a / b / c", "(a / b) / c"),
        ("-a + b", "(-a) + b"),
        ("-a * b", "(-a) * b"),
        ("a < b and c or d", "((a < b) and c) or d"),
        ("not a < b and c", "(not (a < b)) and c"),
        ("a + 1 >= b * 2", "(a + 1) >= (b * 2)"),
        ("now - next", " now-next "),
        ("1h30m", "5400"),
        ("4d + 15m + 500ms", "345600 + 900 + 0.5"),
        ("1e3", "1000.0"),
        ("max(a,b,c)", "max( a , b , c )"),
    ],
)
def test_precedence_is_that_of_arithmetic(text: str, same: str) -> None:
    assert parse(text) == parse(same)


def test_every_node_knows_its_place() -> None:
    text = "not abs(used) / 1h >= -limit"
    tree = parse(text)

    def shown(node: Expression) -> str:
        return text[node.start : node.start + node.length]

    assert isinstance(tree, Unary)
    assert shown(tree) == text
    comparison = tree.operand
    assert isinstance(comparison, Binary)
    assert shown(comparison) == "abs(used) / 1h >= -limit"
    assert isinstance(comparison.left, Binary)
    assert [shown(n) for n in (comparison.left.left, comparison.left.right)] == ["abs(used)", "1h"]
    assert shown(comparison.right) == "-limit"
    assert [(n.name, shown(n)) for n in names(tree)] == [("used", "used"), ("limit", "limit")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "0+1 the expression is empty | write one"),
        ("  ", "0+2 the expression is empty | write one"),
        ("a b", "2+1 'b' after a complete expression | write an operator before it"),
        ("a <", "2+1 the expression ends where a number or a name should be | go on"),
        ("a < b < c", "6+1 a second comparison | write a < b and b < c"),
        ("(a < b < c)", "7+1 a second comparison | write a < b and b < c"),
        ("(a", "0+1 '(' is never closed | close it with )"),
        ("a)", "1+1 ')' closes nothing | remove it, or open it with ("),
        ("a, b", "1+1 ',' outside of min(...) and max(...) | remove it"),
        ("mim(a, b)", "0+3 there is no function mim | write min"),
        ("rate(a)", "0+4 there is no function rate | one of: min, max, abs"),
        ("min()", "4+1 min of nothing | write min(a)"),
        ("min(a)", "0+3 min of one number | write min(a, b)"),
        ("abs(a, b)", "0+3 abs of 2 numbers | write abs(a)"),
        ("1 + max", "4+3 max needs parentheses | write max(...)"),
        ("a && b", "2+2 '&&' is no operator | write and"),
        ("a || b", "2+2 '||' is no operator | write or"),
        ("a AND b", "2+3 'AND' is no operator | write and"),
        ("a = 1", "2+1 '=' is no operator | write == to compare"),
        ("!a", "0+1 '!' is no operator | write not"),
        ("a > 90%", "6+1 '%' is no operator | write / 100 for percent"),
        ("a ** 2", "2+2 '**' is no operator | multiply"),
        ("a > 5x", "4+2 '5x' is no number | write 5, 0.9, 15m, 1h30m or 4d"),
        ("a > 1.5h", "4+4 '1.5h' is no number | write 5, 0.9, 15m, 1h30m or 4d"),
        ("1e999", "0+5 the number is too large"),
        ("${share} * 2", "0+1 '$' in an expression | a variable is written by its name alone"),
        ("'a'", "0+1 ''' in an expression | names are written without quotes"),
        ("a.b", "1+1 '.' in an expression | + - * / ( ) < <= > >= == != and or not, numbers and"
         " names"),
        ("a * not b", "4+3 'not' where a number or a name should be | not stands before a whole "
         "condition: not (a > b)"),
        ("(" * 26 + "a" + ")" * 26, "25+1 nested deeper than 25 levels | split the rule"),
        ("-" * 26 + "a", "25+1 nested deeper than 25 levels | split the rule"),
        ("a" + "+a" * 150, "300+1 over 300 numbers, names and operators | split the rule"),
        (" " * 2001, "0+2001 longer than 2000 characters | split the rule"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_character_with_what_to_write(text: str, problem: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    error = caught.value
    remedy = f" | {error.remedy}" if error.remedy else ""
    assert f"{error.offset}+{error.length} {error.message}{remedy}" == problem


@pytest.mark.parametrize(
    ("text", "condition", "problem"),
    [
        ("used / limt", False, "7+4 there is no measure or variable limt | write limit"),
        ("used / monitor", False, "7+7 monitor is a text, not a number | give the variable a "
         "number"),
        ("used > 1", False, "0+8 a condition where a number should be | conditions belong into "
         "when and valid"),
        ("used", True, "0+4 a number where a condition should be | compare it: used > 0"),
        ("used > 1 and limit", True, "13+5 a number where a condition should be | compare it: "
         "limit > 0"),
        ("(used > 1) + 1", False, "1+8 a condition where a number should be | conditions belong "
         "into when and valid"),
        ("not used", True, "4+4 a number where a condition should be | compare it: used > 0"),
        ("max(used > 1, 2)", False, "4+8 a condition where a number should be | conditions belong "
         "into when and valid"),
    ],
)  # fmt: skip
def test_what_the_names_and_places_must_be(text: str, condition: bool, problem: str) -> None:
    with pytest.raises(QueryError) as caught:
        check(parse(text), ("used", "limit"), texts={"monitor": "x"}, condition=condition)
    error = caught.value
    assert f"{error.offset}+{error.length} {error.message} | {error.remedy}" == problem


def test_the_end_and_the_length_of_the_window_are_always_known() -> None:
    check(parse("now - a <= window"), ("a",), texts={}, condition=True)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("used / limit", 0.5),
        ("used - limit * 2", -30.0),
        ("-used + abs(-limit)", 10.0),
        ("max(used, limit, 15)", 20.0),
        ("min(used, limit, 15)", 10.0),
        ("used / zero", None),
        ("zero / zero", None),
        ("gone + 1", None),
        ("max(used, gone)", None),
        ("-gone", None),
        ("unheard", None),
        ("big * big", None),
        ("endless", None),
        ("used > 5", 1.0),
        ("used > 10", 0.0),
        ("used >= 10 and used <= 10 and used == 10", 1.0),
        ("used != 10 or used < 10", 0.0),
        ("gone > 1", None),
        ("gone > 1 and used > 50", 0.0),
        ("used > 50 and gone > 1", 0.0),
        ("gone > 1 and used > 5", None),
        ("gone > 1 or used > 5", 1.0),
        ("used > 5 or gone > 1", 1.0),
        ("gone > 1 or used > 50", None),
        ("not gone > 1", None),
        ("not used > 50", 1.0),
        ("used / zero > 1 or used > 5", 1.0),
    ],
)
def test_unknown_is_a_value_and_conditions_are_kleene_s(text: str, wanted: float | None) -> None:
    known = {
        "used": 10.0, "limit": 20.0, "zero": 0.0, "gone": None, "big": 1e200, "endless": math.inf
    }  # fmt: skip
    tree = parse(text)
    assert value(tree, known) == wanted
    assert holds(tree, known) is (None if wanted is None else wanted != 0)


def _numbers() -> st.SearchStrategy[Expression]:
    positive = st.floats(min_value=0, allow_nan=False, allow_infinity=False)
    leaves = st.one_of(st.builds(Number, positive), st.builds(Name, st.sampled_from(NAMES)))

    def more(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        return st.one_of(
            st.builds(Binary, st.sampled_from("+-*/"), inner, inner),
            st.builds(Unary, st.just("-"), inner),
            st.builds(Call, st.just("abs"), st.tuples(inner)),
            st.builds(Call, st.sampled_from(("min", "max")), st.tuples(inner, inner)),
        )

    return st.recursive(leaves, more, max_leaves=12)


def _conditions() -> st.SearchStrategy[Expression]:
    compared = st.builds(
        Binary, st.sampled_from(("<", "<=", ">", ">=", "==", "!=")), _numbers(), _numbers()
    )

    def more(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        return st.one_of(
            st.builds(Binary, st.sampled_from(("and", "or")), inner, inner),
            st.builds(Unary, st.just("not"), inner),
        )

    return st.recursive(compared, more, max_leaves=6)


@given(st.one_of(_numbers(), _conditions()))
def test_a_tree_is_written_as_a_text_that_parses_to_it(tree: Expression) -> None:
    assume(write(tree).count("(") + write(tree).count("-") < MAX_DEPTH)
    assert parse(write(tree)) == tree


@given(_conditions(), st.dictionaries(st.sampled_from(NAMES), st.none() | st.floats()))
def test_every_expression_comes_to_a_number_or_to_nothing(
    tree: Expression, known: dict[str, float | None]
) -> None:
    assert value(tree, known) in (None, 0.0, 1.0)


@given(st.text(alphabet="ab1.5 hm+-*/()<>=!,&|ndotrx_\n$\"'", max_size=60) | st.text(max_size=60))
def test_any_text_parses_or_says_where_it_is_wrong(text: str) -> None:
    tree, at = None, 0
    try:
        tree = parse(text)
    except QueryError as error:
        at = error.offset
    assert 0 <= at <= len(text)
    if tree is not None:
        assert parse(write(tree)) == tree
        value(tree, {})


def test_the_longest_chain_is_worked_out_by_plain_recursion() -> None:
    parts = MAX_PARTS // 2
    assert value(parse("+".join(["a"] * parts)), {"a": 1.0}) == parts
    assert set(RESERVED) == {"now", "window", "and", "or", "not", "min", "max", "abs"}
