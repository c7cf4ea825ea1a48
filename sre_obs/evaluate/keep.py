"""Working out, on rows that are here, the conditions that servers hold rows against."""

from __future__ import annotations

from collections.abc import Mapping

from sre_obs.model.expression import Binary, Call, Expression, Unary
from sre_obs.query.expression import value
from sre_obs.query.expression.value import binary, call, unary


def met(tree: Expression, names: Mapping[str, float | None]) -> bool:
    """Whether numbers meet a condition of `Entities.keep`; what is unknown meets nothing."""
    found = _worked_out(tree, names)
    return found is not None and found != 0


def _worked_out(tree: Expression, names: Mapping[str, float | None]) -> float | None:
    match tree:
        case Call(function="if"):
            test, yes, no = tree.arguments
            return _worked_out(yes if met(test, names) else no, names)
        case Call(function="known"):
            first = _worked_out(tree.arguments[0], names)
            return _worked_out(tree.arguments[1], names) if first is None else first
        case Binary():
            left, right = _worked_out(tree.left, names), _worked_out(tree.right, names)
            return binary(tree.operator, left, right)
        case Unary():
            return unary(tree.operator, _worked_out(tree.operand, names))
        case Call():
            return call(tree.function, [_worked_out(one, names) for one in tree.arguments])
        case _:
            return value(tree, names)
