"""Between which numbers a measure, and what is worked out of measures, can be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sre_obs.content.rules.checks.subject import Measured, Subject
from sre_obs.model.expression import NOW, WINDOW, Binary, Call, Expression, Name, Number, Unary
from sre_obs.model.rule import Comparison, Function, Over


@dataclass(frozen=True, slots=True)
class Bounds:
    """All that a number can be, both ends included."""

    low: float = -math.inf
    high: float = math.inf


ANY = Bounds()
POSITIVE = Bounds(0.0)
_FLIPPED = {
    ">=": lambda a, b: (a.high >= b.low, a.low >= b.high),
    ">": lambda a, b: (a.high > b.low, a.low > b.high),
    "<=": lambda a, b: (a.low <= b.high, a.high <= b.low),
    "<": lambda a, b: (a.low < b.high, a.high < b.low),
}
# Functions whose number is one of the field's own values.
_OF_THE_FIELD = (
    *(Function.AVG, Function.MIN, Function.MAX),
    *(Function.PERCENTILE, Function.LATEST),
)


def possible(comparison: str, left: Bounds, right: Bounds) -> tuple[bool, bool]:
    """(whether it can be true, whether it can't be anything else)."""
    if comparison == "==":
        meet = left.low <= right.high and right.low <= left.high
        return meet, left.low == left.high == right.low == right.high
    if comparison == "!=":
        can, must = possible("==", left, right)
        return not must, not can
    return _FLIPPED[comparison](left, right)


def against(comparison: Comparison, left: Bounds, limit: float) -> tuple[bool, bool]:
    """The same of a limit."""
    return possible(comparison.value, left, Bounds(limit, limit))


def of_measures(subject: Subject) -> dict[str, Bounds]:
    """The bounds of each name that an expression of the rule may use."""
    found = {
        name: Bounds(value, value)
        for name, value in subject.rule.variables.items()
        if isinstance(value, float)
    }
    found[NOW] = POSITIVE
    found[WINDOW] = Bounds(subject.rule.window, subject.rule.window)
    for measured in subject.measures:
        found[measured.measure.name] = of_measure(subject, measured)
    return found


def of_measure(subject: Subject, measured: Measured) -> Bounds:
    """What one measure can be."""
    measure = measured.measure
    match measure.function:
        case Function.CARDINALITY if _once(subject, measured):
            bounds = Bounds(0.0, 1.0)
        case Function.AGE if measure.field == "@timestamp":
            # Of documents in the window: none is older than it is long.
            bounds = Bounds(0.0, measured.window)
        case Function.COUNT | Function.CARDINALITY | Function.CHANGES:
            bounds = POSITIVE
        case Function.INCREASE | Function.AGE:
            bounds = POSITIVE
        case Function.MATCHES:
            bounds = Bounds(0.0, 1.0)
        case Function.SLOPE:
            bounds = ANY
        case _:
            bounds = _of_field(subject, measured)
    if measure.series and measure.over in (Over.SUM, Over.COUNT):
        bounds = Bounds(0.0 if bounds.low >= 0 else -math.inf)
    if measure.missing is not None:
        bounds = Bounds(min(bounds.low, measure.missing), max(bounds.high, measure.missing))
    return bounds


def _once(subject: Subject, measured: Measured) -> bool:
    """Whether an entity has one value of the field, being told apart by it."""
    name = measured.measure.field
    known = subject.known(measured.indices, name)
    return name in measured.scope and bool(known) and not any(f.many for f in known)


def unknown(tree: Expression, names: Mapping[str, Bounds]) -> Binary | None:
    """The division by what is always zero that leaves an arithmetic expression without a
    number, whatever is measured; None without one."""
    match tree:
        case Binary(operator="/") if of(tree.right, names) == Bounds(0.0, 0.0):
            return tree
        case Binary(operator="+" | "-" | "*" | "/"):
            parts: tuple[Expression, ...] = (tree.left, tree.right)
        case Unary(operator="-"):
            parts = (tree.operand,)
        case Call():
            parts = tree.arguments
        case _:
            return None
    return next((found for part in parts if (found := unknown(part, names)) is not None), None)


def _of_field(subject: Subject, measured: Measured) -> Bounds:
    known = subject.known(measured.indices, measured.measure.field)
    if not known:
        return ANY
    grows = all(f.counter or f.unit or f.type == "boolean" for f in known)
    if not grows:
        return ANY
    if measured.measure.function in _OF_THE_FIELD:
        if all(f.unit == "percent" for f in known):
            return Bounds(0.0, 100.0)
        if all(f.type == "boolean" for f in known):
            return Bounds(0.0, 1.0)
    return POSITIVE


def of(tree: Expression, names: Mapping[str, Bounds]) -> Bounds:
    """What an expression can be; a condition is 0 or 1."""
    match tree:
        case Number():
            return Bounds(tree.value, tree.value)
        case Name():
            return names.get(tree.name, ANY)
        case Unary(operator="-"):
            inner = of(tree.operand, names)
            return Bounds(-inner.high, -inner.low)
        case Call():
            return _call(tree, [of(a, names) for a in tree.arguments])
        case Binary(operator="/") if (most := _part(tree, names)) is not None:
            return Bounds(0.0, most)
        case Binary(operator="+" | "-" | "*" | "/"):
            return _arithmetic(tree.operator, of(tree.left, names), of(tree.right, names))
    return Bounds(0.0, 1.0)


def _part(tree: Binary, names: Mapping[str, Bounds]) -> float | None:
    """What a part by its whole is at most, a / (a + b) 1 and 100 * a / (a + b) 100; None
    where it is no such quotient, or something of the whole may be below zero."""
    factor, part = _factor(tree.left)
    whole = _addends(tree.right)
    rest = [name for name in whole if name is not None]
    if factor is None or len(rest) < len(whole):
        return None
    if any(names.get(name, ANY).low < 0 for name in rest):
        return None
    for name in _addends(part):
        if name is None or name not in rest:
            return None
        rest.remove(name)
    return factor


def _factor(tree: Expression) -> tuple[float | None, Expression]:
    """(number, what it multiplies); no number where it is below zero."""
    if isinstance(tree, Binary) and tree.operator == "*":
        for number, other in ((tree.left, tree.right), (tree.right, tree.left)):
            if isinstance(number, Number):
                return (number.value if number.value >= 0 else None), other
    return 1.0, tree


def _addends(tree: Expression) -> list[str | None]:
    """The names of a sum, None for each part of it that is none."""
    if isinstance(tree, Binary) and tree.operator == "+":
        return [*_addends(tree.left), *_addends(tree.right)]
    return [tree.name if isinstance(tree, Name) else None]


def _call(tree: Call, found: list[Bounds]) -> Bounds:
    if tree.function == "min":
        return Bounds(min(b.low for b in found), min(b.high for b in found))
    if tree.function == "max":
        return Bounds(max(b.low for b in found), max(b.high for b in found))
    (one,) = found
    if one.low >= 0:
        return one
    if one.high <= 0:
        return Bounds(-one.high, -one.low)
    return Bounds(0.0, max(-one.low, one.high))


def _arithmetic(operator: str, left: Bounds, right: Bounds) -> Bounds:
    if operator == "+":
        return Bounds(left.low + right.low, left.high + right.high)
    if operator == "-":
        return Bounds(left.low - right.high, left.high - right.low)
    if operator == "*":
        return _corners(left, right)
    # A division by zero is unknown, so a divisor of [0, x] is above zero.
    if right.low >= 0:
        return _corners(left, Bounds(_inverse(right.high), _inverse(right.low)))
    return ANY


def _inverse(number: float) -> float:
    return math.inf if number == 0 else 0.0 if math.isinf(number) else 1.0 / number


def _corners(left: Bounds, right: Bounds) -> Bounds:
    products = [
        0.0 if 0.0 in (a, b) else a * b
        for a in (left.low, left.high)
        for b in (right.low, right.high)
    ]
    return Bounds(min(products), max(products))
