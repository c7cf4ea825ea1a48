"""Working an expression out: over numbers, and over None, which is "unknown".

Arithmetic and comparisons with something unknown are unknown; a division by zero is
unknown, and so is what leaves the range of numbers. ``and``, ``or`` and ``not`` are Kleene's:
false and unknown is false, true or unknown is true. A condition is 1.0 or 0.0.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping

from sre_obs.model.expression import Binary, Call, Expression, Name, Number, Unary

_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def value(expression: Expression, names: Mapping[str, float | None]) -> float | None:
    """What it comes to, where `names` says what each name is; None is unknown, as is a name
    that is not there."""
    match expression:
        case Number():
            return expression.value
        case Name():
            return _finite(names.get(expression.name))
        case Binary(operator="and"):
            return _both(value(expression.left, names), value(expression.right, names))
        case Binary(operator="or"):
            return _either(value(expression.left, names), value(expression.right, names))
        case Binary():
            left, right = value(expression.left, names), value(expression.right, names)
            if left is None or right is None:
                return None
            compare = _COMPARISONS.get(expression.operator)
            if compare is not None:
                return float(compare(left, right))
            try:
                return _finite(_ARITHMETIC[expression.operator](left, right))
            except (ZeroDivisionError, OverflowError):
                return None
        case Unary():
            operand = value(expression.operand, names)
            if operand is None:
                return None
            return -operand if expression.operator == "-" else float(operand == 0)
        case Call():
            found = [value(argument, names) for argument in expression.arguments]
            known = [number for number in found if number is not None]
            if len(known) < len(found):
                return None
            if expression.function == "abs":
                return abs(known[0])
            return min(known) if expression.function == "min" else max(known)


def holds(expression: Expression, names: Mapping[str, float | None]) -> bool | None:
    """Whether a condition is true; None where that is unknown."""
    found = value(expression, names)
    return None if found is None else found != 0


def _both(left: float | None, right: float | None) -> float | None:
    if left == 0 or right == 0:
        return 0.0
    return None if left is None or right is None else 1.0


def _either(left: float | None, right: float | None) -> float | None:
    if left or right:
        return 1.0
    return None if left is None or right is None else 0.0


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
