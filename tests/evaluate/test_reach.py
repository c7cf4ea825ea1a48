"""A look leaves out only whom a closer look would leave out, too; scripts say what trees say."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from sre_obs.evaluate.keep import met
from sre_obs.evaluate.kinds.reach import Reach, possible
from sre_obs.evaluate.selector import selector
from sre_obs.model.expression import Binary, Call, Expression, Name, Number, Unary
from sre_obs.query.expression import holds
from sre_obs.query.search.aggs.script import Script

NAMES = ("a", "b", "c")
NUMBERS = st.sampled_from((-7.5, -2.0, -1.0, 0.0, 0.5, 1.0, 3.0, 10.0, 1e9))


def numeric() -> st.SearchStrategy[Expression]:
    leaves = NUMBERS.map(Number) | st.sampled_from(NAMES).map(Name)
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(Binary, st.sampled_from("+-*/"), inner, inner),
            st.builds(lambda x: Unary("-", x), inner),
            st.builds(
                lambda f, x: Call(f, tuple(x)),
                st.sampled_from(("min", "max")),
                st.lists(inner, min_size=2, max_size=3),
            ),
            st.builds(lambda x: Call("abs", (x,)), inner),
        ),
        max_leaves=6,
    )


def conditions() -> st.SearchStrategy[Expression]:
    compared = st.builds(
        Binary, st.sampled_from(("<", "<=", ">", ">=", "==", "!=")), numeric(), numeric()
    )
    return st.recursive(
        compared,
        lambda inner: st.one_of(
            st.builds(Binary, st.sampled_from(("and", "or")), inner, inner),
            st.builds(lambda x: Unary("not", x), inner),
        ),
        max_leaves=4,
    )


@st.composite
def within(draw: st.DrawFn) -> tuple[dict[str, float], dict[str, float | None]]:
    """Bounds by name and the side, and values between them (or unknown ones)."""
    bounds: dict[str, float] = {}
    values: dict[str, float | None] = {}
    for name in NAMES:
        low, value, high = sorted(draw(st.lists(NUMBERS, min_size=3, max_size=3)))
        bounds[f"{name} low"], bounds[f"{name} high"] = low, high
        values[name] = draw(st.sampled_from((value, low, high, None)))
    return bounds, values


@given(conditions(), within(), st.sets(st.sampled_from(NAMES)))
def test_what_is_true_was_possible(
    condition: Expression,
    known: tuple[dict[str, float], dict[str, float | None]],
    open_: set[str],
) -> None:
    bounds, values = known
    assume(holds(condition, values) is True)
    reaches = {
        name: Reach(None if name in open_ else Name(f"{name} low"), Name(f"{name} high"))
        for name in NAMES
    }
    found = possible(condition, reaches)
    # A look knows no bounds of what is unknown.
    looked: dict[str, float | None] = {
        name: None if values[name.split()[0]] is None else number for name, number in bounds.items()
    }
    assert found if isinstance(found, bool) else met(found, looked)


@given(conditions(), within())
def test_what_is_known_is_possible_only_if_true(
    condition: Expression, known: tuple[dict[str, float], dict[str, float | None]]
) -> None:
    values = {name: number for name, number in known[1].items() if number is not None}
    assume(len(values) == len(NAMES))
    found = possible(condition, {name: Reach(Number(v), Number(v)) for name, v in values.items()})
    true = holds(condition, values)
    if true is not None:
        got = found if isinstance(found, bool) else met(found, {})
        # Not so where something that does not matter can't be worked out, or it is long.
        assert got == true or (got and not true)


def run(tree: Expression, values: dict[str, float | None]) -> bool:
    """What the server's script says; unknown is NaN there."""
    body = selector(tree, {name: name for name in NAMES})
    params: dict[str, Any] = dict(body["script"]["params"])
    params |= {name: math.nan if v is None else v for name, v in values.items()}
    script = Script(body["script"]["source"], "script")
    return script(params) is True


@given(conditions(), within())
def test_a_script_lets_through_what_the_condition_lets_through(
    condition: Expression, known: tuple[dict[str, float], dict[str, float | None]]
) -> None:
    _, values = known
    found = possible(condition, {name: Reach(Name(name), Name(name)) for name in NAMES})
    if (
        isinstance(found, bool)
        or len(selector(found, dict.fromkeys(NAMES, ""))["script"]["source"]) > 1_900
    ):
        return
    if met(found, values):
        assert run(found, values)


def test_if_and_known_are_what_they_say_in_a_script() -> None:
    value: Expression = Call("known", (Name("a"), Number(5.0)))
    choice = Call("if", (Binary(">", Name("b"), Number(0.0)), value, Number(-1.0)))
    tree = Binary("==", choice, Number(5.0))
    for a, b, expected in (
        (None, 1.0, True),
        (5.0, 1.0, True),
        (4.0, 1.0, False),
        (5.0, 0.0, False),
    ):
        names = {"a": a, "b": b, "c": None}
        assert run(tree, names) is expected
        assert met(tree, names) is expected
