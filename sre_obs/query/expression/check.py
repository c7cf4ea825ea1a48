"""What the text alone can't tell: known names, and numbers and conditions in their places."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches

from sre_obs.model.errors import QueryError
from sre_obs.model.expression import NOW, WINDOW, Binary, Call, Expression, Name, Unary, names
from sre_obs.query.expression.parse import COMPARISONS, WORDS


def check(
    expression: Expression, known: Collection[str], *, texts: Mapping[str, str], condition: bool
) -> None:
    """Raises QueryError at a name that is not in `known`, and where a number stands for a
    condition or the other way round; `condition` is what the whole must be. `texts` are
    variables that are no numbers."""
    for name in names(expression):
        if name.name in texts:
            raise QueryError(
                f"{name.name} is a text, not a number",
                name.start,
                name.length,
                remedy="give the variable a number",
            )
        if name.name not in known and name.name not in (NOW, WINDOW):
            raise _unknown(name, known)
    _place(expression, condition)


def is_condition(expression: Expression) -> bool:
    """Whether it is true or false, not a number."""
    match expression:
        case Binary():
            return expression.operator in COMPARISONS or expression.operator in WORDS
        case Unary():
            return expression.operator == "not"
        case _:
            return False


def _place(expression: Expression, condition: bool) -> None:
    if is_condition(expression) != condition:
        raise _misplaced(expression, condition)
    match expression:
        case Binary():
            inner = expression.operator in WORDS
            _place(expression.left, inner)
            _place(expression.right, inner)
        case Unary():
            _place(expression.operand, expression.operator == "not")
        case Call():
            for argument in expression.arguments:
                _place(argument, False)
        case _:
            pass


def _misplaced(expression: Expression, condition: bool) -> QueryError:
    if not condition:
        return QueryError(
            "a condition where a number should be",
            expression.start,
            expression.length,
            remedy="conditions belong into when and valid",
        )
    name = expression.name if isinstance(expression, Name) else "..."
    return QueryError(
        "a number where a condition should be",
        expression.start,
        expression.length,
        remedy=f"compare it: {name} > 0",
    )


def _unknown(name: Name, known: Collection[str]) -> QueryError:
    near = get_close_matches(name.name, known, n=1)
    remedy = f"write {near[0]}" if near else f"one of: {', '.join(sorted(known))}"
    if not known:
        remedy = "define it under measures or variables"
    return QueryError(
        f"there is no measure or variable {name.name[:60]}",
        name.start,
        name.length,
        remedy=remedy,
    )
