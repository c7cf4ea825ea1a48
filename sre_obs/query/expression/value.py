"""Working an expression out: over numbers, and over None, which is "unknown".

Arithmetic and comparisons with something unknown are unknown; a division by zero is
unknown, and so is what leaves the range of numbers. ``and``, ``or`` and ``not`` are Kleene's:
false and unknown is false, true or unknown is true. A condition is 1.0 or 0.0.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence

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
        case Binary():
            left, right = value(expression.left, names), value(expression.right, names)
            return binary(expression.operator, left, right)
        case Unary():
            return unary(expression.operator, value(expression.operand, names))
        case Call():
            return call(expression.function, [value(one, names) for one in expression.arguments])


def binary(sign: str, left: float | None, right: float | None) -> float | None:
    """What an operator makes of two numbers."""
    if sign == "and":
        return _both(left, right)
    if sign == "or":
        return _either(left, right)
    if left is None or right is None:
        return None
    compare = _COMPARISONS.get(sign)
    if compare is not None:
        return float(compare(left, right))
    try:
        return _finite(_ARITHMETIC[sign](left, right))
    except (ZeroDivisionError, OverflowError):
        return None


def unary(sign: str, operand: float | None) -> float | None:
    """What ``-`` or ``not`` makes of a number."""
    if operand is None:
        return None
    return -operand if sign == "-" else float(operand == 0)


def call(function: str, arguments: Sequence[float | None]) -> float | None:
    """What ``min``, ``max`` or ``abs`` makes of numbers."""
    known = [number for number in arguments if number is not None]
    if len(known) < len(arguments):
        return None
    if function == "abs":
        return abs(known[0])
    return min(known) if function == "min" else max(known)


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
