"""Working out, on rows that are here, the conditions that servers hold rows against."""

from __future__ import annotations

from collections.abc import Mapping

from sre_obs.model.expression import Binary, Call, Expression, Name, Number, Unary
from sre_obs.query.expression import value as valued


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
        case Call():
            found = tuple(_worked_out(one, names) for one in tree.arguments)
            known = [one for one in found if one is not None]
            if len(known) < len(found):
                return None
            return valued(Call(tree.function, tuple(map(Number, known))), {})
        case Binary():
            left, right = _worked_out(tree.left, names), _worked_out(tree.right, names)
            return valued(
                Binary(tree.operator, Name("left"), Name("right")), {"left": left, "right": right}
            )
        case Unary():
            return valued(
                Unary(tree.operator, Name("one")), {"one": _worked_out(tree.operand, names)}
            )
        case _:
            return valued(tree, names)
