"""How far a condition could still go, where all that is known of its names are bounds.

A cheap look gives two numbers between which an entity's latest value, or its increase, must
be. An expression over such bounds has bounds itself, and a condition that cannot be true
within them need not be looked at more closely: what comes out is a *necessary* condition of
the rule's, and never a sufficient one. It is a tree again (over the bounds' names), which
the server holds against each entity, so that what is fine does not travel.

Unknown numbers meet no comparison, so they are never what makes a condition possible; the
bounds of a name must be unknown only where the name is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sre_obs.model.expression import Binary, Call, Expression, Name, Number, Unary
from sre_obs.query.expression import value as valued

# Beyond any number that is measured, and far enough from the end of doubles.
BEYOND = 1e60
# A script longer than this costs more than it saves.
NODES = 120

_FLIPPED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


@dataclass(frozen=True, slots=True)
class Reach:
    """Between which expressions something lies; None: there is no bound on that side."""

    low: Expression | None
    high: Expression | None

    @property
    def exact(self) -> bool:
        """Whether it is known itself."""
        return self.low is not None and self.low == self.high


ANYWHERE = Reach(None, None)
Possible: TypeAlias = Expression | bool


def at(tree: Expression) -> Reach:
    """The reach of what is known."""
    return Reach(tree, tree)


def number(value: float) -> Reach:
    """The reach of a constant."""
    return at(Number(value))


def possible(condition: Expression, names: Mapping[str, Reach], *, wanted: bool = True) -> Possible:
    """When `condition` could be `wanted`, over what the reaches of its names are made of."""
    match condition:
        case Unary(operator="not"):
            return possible(condition.operand, names, wanted=not wanted)
        case Binary(operator="and" | "or"):
            left = possible(condition.left, names, wanted=wanted)
            right = possible(condition.right, names, wanted=wanted)
            return (
                both(left, right)
                if (condition.operator == "and") == wanted
                else either(left, right)
            )
        case Binary() if condition.operator in _FLIPPED:
            symbol = condition.operator if wanted else _FLIPPED[condition.operator]
            left_reach, right_reach = reach(condition.left, names), reach(condition.right, names)
            found = _compared(symbol, left_reach, right_reach)
            return True if not isinstance(found, bool) and _size(found) > NODES else found
        case _:
            return True


def both(left: Possible, right: Possible) -> Possible:
    """Where both could be."""
    if isinstance(left, bool):
        return right if left else False
    if isinstance(right, bool):
        return left if right else False
    return Binary("and", left, right)


def either(left: Possible, right: Possible) -> Possible:
    """Where one could be."""
    if isinstance(left, bool):
        return True if left else right
    if isinstance(right, bool):
        return True if right else left
    return Binary("or", left, right)


def reach(tree: Expression, names: Mapping[str, Reach]) -> Reach:
    """Between which bounds an expression is."""
    match tree:
        case Number():
            return at(tree)
        case Name():
            return names.get(tree.name, ANYWHERE)
        case Unary(operator="-"):
            inner = reach(tree.operand, names)
            return Reach(_minus(inner.high), _minus(inner.low))
        case Binary(operator="+" | "-" | "*" | "/"):
            return _arithmetic(tree.operator, reach(tree.left, names), reach(tree.right, names))
        case Call():
            return _call(tree.function, [reach(one, names) for one in tree.arguments])
        case _:
            return Reach(Number(0.0), Number(1.0))


def _compared(symbol: str, left: Reach, right: Reach) -> Possible:
    match symbol:
        case ">=" | ">":
            return _held(symbol, left.high, right.low)
        case "<=" | "<":
            return _held(symbol, left.low, right.high)
        case "==":
            if left.exact and right.exact:
                return _held("==", left.low, right.low)
            return both(_held(">=", left.high, right.low), _held("<=", left.low, right.high))
        case _:
            return _held("!=", left.low, right.low) if left.exact and right.exact else True


def _held(symbol: str, left: Expression | None, right: Expression | None) -> Possible:
    if left is None or right is None:
        return True
    tree = Binary(symbol, left, right)
    if isinstance(left, Number) and isinstance(right, Number):
        return bool(valued(tree, {}))
    return tree


def _arithmetic(symbol: str, left: Reach, right: Reach) -> Reach:
    if left.exact and right.exact:
        known = _of(symbol, left.low, right.low)
        return Reach(known, known)
    match symbol:
        case "+":
            return Reach(_of("+", left.low, right.low), _of("+", left.high, right.high))
        case "-":
            return Reach(_of("-", left.low, right.high), _of("-", left.high, right.low))
        case "*":
            return _product(left, right)
        case _:
            return _quotient(left, right)


def _product(left: Reach, right: Reach) -> Reach:
    for factor, other in ((left, right), (right, left)):
        if isinstance(factor.low, Number) and factor.exact:
            low, high = _of("*", other.low, factor.low), _of("*", other.high, factor.low)
            return Reach(low, high) if factor.low.value >= 0 else Reach(high, low)
    if _positive(left) and _positive(right):
        return Reach(_of("*", left.low, right.low), _of("*", left.high, right.high))
    return _corners("*", left, right)


def _quotient(left: Reach, right: Reach) -> Reach:
    divisor = right.low
    if right.exact and isinstance(divisor, Number):
        low, high = _of("/", left.low, divisor), _of("/", left.high, divisor)
        if divisor.value == 0:
            return ANYWHERE
        return Reach(low, high) if divisor.value > 0 else Reach(high, low)
    # Where the divisor could be 0 the quotient could be anything.
    found = _corners("/", left, right)
    if found.low is None or found.high is None or right.low is None or right.high is None:
        return _positive_quotient(left, right)
    zero = Number(0.0)
    safe = Binary("or", Binary(">", right.low, zero), Binary("<", right.high, zero))
    return Reach(
        Call("if", (safe, found.low, Number(-BEYOND))),
        Call("if", (safe, found.high, Number(BEYOND))),
    )


def _positive_quotient(left: Reach, right: Reach) -> Reach:
    """Of a quotient without a bound on one side, where nothing is below 0."""
    return Reach(Number(0.0), None) if _positive(left) and _positive(right) else ANYWHERE


def _corners(symbol: str, left: Reach, right: Reach) -> Reach:
    if left.low is None or left.high is None or right.low is None or right.high is None:
        return ANYWHERE
    of_left = (left.low,) if left.exact else (left.low, left.high)
    of_right = (right.low,) if right.exact else (right.low, right.high)
    ends = (_of(symbol, one, other) for one in of_left for other in of_right)
    known = [end for end in ends if end is not None]
    return Reach(Call("min", tuple(known)), Call("max", tuple(known)))


def _call(function: str, arguments: list[Reach]) -> Reach:
    if all(one.exact for one in arguments):
        return at(Call(function, tuple(one.low for one in arguments if one.low is not None)))
    lows = tuple(one.low for one in arguments if one.low is not None)
    highs = tuple(one.high for one in arguments if one.high is not None)
    every_low, every_high = len(lows) == len(arguments), len(highs) == len(arguments)
    match function:
        case "min":
            return Reach(_picked("min", lows if every_low else ()), _picked("min", highs))
        case "max":
            return Reach(_picked("max", lows), _picked("max", highs if every_high else ()))
        case _:
            inner = arguments[0]
            if inner.low is None or inner.high is None:
                return Reach(Number(0.0), None)
            ends = (Call("abs", (inner.low,)), Call("abs", (inner.high,)))
            return Reach(Number(0.0), Call("max", ends))


def _picked(function: str, ends: tuple[Expression, ...]) -> Expression | None:
    if not ends:
        return None
    return ends[0] if len(ends) == 1 else Call(function, ends)


def _positive(one: Reach) -> bool:
    return isinstance(one.low, Number) and one.low.value >= 0


def _minus(tree: Expression | None) -> Expression | None:
    return None if tree is None else _folded(Unary("-", tree))


def _of(symbol: str, left: Expression | None, right: Expression | None) -> Expression | None:
    return None if left is None or right is None else _folded(Binary(symbol, left, right))


def _folded(tree: Expression) -> Expression:
    parts = (
        (tree.left, tree.right)
        if isinstance(tree, Binary)
        else ((tree.operand,) if isinstance(tree, Unary) else ())
    )
    if parts and all(isinstance(part, Number) for part in parts):
        found = valued(tree, {})
        if found is not None:
            return Number(found)
    return tree


def _size(tree: Expression) -> int:
    match tree:
        case Unary():
            return 1 + _size(tree.operand)
        case Binary():
            return 1 + _size(tree.left) + _size(tree.right)
        case Call():
            return 1 + sum(map(_size, tree.arguments))
        case _:
            return 1
