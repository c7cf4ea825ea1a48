"""By how much a counter grew: the sum of its steps up; after a drop it began at 0.

The window is read with a margin to its left, so that the step into the window counts. A
counter that did not move has its least where its most is, and that is cheap to ask; only
those that moved are read step by step.
"""

from __future__ import annotations

from collections.abc import Sequence

from sre_obs.evaluate.kinds.measures.primitive import (
    Lack,
    Placed,
    Primitive,
    Value,
    before,
    number_of,
    part,
)
from sre_obs.evaluate.kinds.reach import BEYOND, Reach
from sre_obs.evaluate.needs import Figure, Found, Of, Part
from sre_obs.model.expression import Binary, Call, Expression, Number


class Increase(Primitive):
    """Of one sample nothing is known, unless the counter began at 0 with it."""

    least = 0.0

    def look(self, placed: Placed) -> tuple[Figure, ...]:
        name, span = placed.measure.field, before(placed.span)
        return tuple(
            Figure(of, name, placed.filters, span=span) for of in (Of.MIN, Of.MAX, Of.SAMPLES)
        )

    def reach(self, placed: Placed, figures: Sequence[Expression]) -> Reach:
        low, high, samples = figures
        still: Expression = Number(0.0)
        if placed.measure.from_zero:
            still = Call("max", (still, high))
        moved = moved_or_new(placed, Binary(">", high, low), samples)
        return Reach(Number(0.0), Call("if", (moved, Number(BEYOND), still)))

    def told(self, placed: Placed, found: Sequence[Found]) -> Value:
        low, high, samples = (number_of(one) for one in found)
        if low is None or high is None:
            return Lack.ABSENT
        if low < high or (samples or 0) < 2 or (placed.measure.from_zero and high > 0):
            return Lack.UNTOLD
        return 0.0

    def exact(self, placed: Placed) -> tuple[Figure, ...]:
        span = before(placed.span)
        width = part(placed.span)
        return (Figure(Of.STEPS, placed.measure.field, placed.filters, width=width, span=span),)

    def value(self, placed: Placed, found: Sequence[Found]) -> Value:
        parts = found[0]
        if not isinstance(parts, tuple) or not parts:
            return Lack.ABSENT
        grown = increase(parts, placed.span.start, from_zero=placed.measure.from_zero)
        return Lack.UNKNOWN if grown is None else grown


def moved_or_new(placed: Placed, moved: Expression, samples: Expression) -> Expression:
    """Where a counter moved, or there is but one sample of it, by which nothing can be said:
    that is worth a word. A new one beside others of the same entity is not."""
    if placed.measure.series:
        return moved
    return Binary("or", moved, Binary("<", samples, Number(2.0)))


def increase(parts: Sequence[Part], start: float, *, from_zero: bool = False) -> float | None:
    """What a counter grew by from `start` on; its parts hold (least, most) and begin before.

    None if one sample is all there is.
    """
    last: float | None = None
    grown, known = 0.0, False
    for one in parts:
        low, high = one.numbers
        inside = one.start >= start
        if last is None:
            if inside and from_zero:
                last, known = 0.0, True
            else:
                last = low
                known = low < high
        else:
            known = True
        step, last = _step(last, low, high)
        if inside:
            grown += step
    return grown if known and parts[-1].start >= start else None


def _step(last: float, low: float, high: float) -> tuple[float, float]:
    """The growth within a part, and the last value in it."""
    if low >= last:
        return high - last, high
    if high < last:
        return high, high  # all of it came after the drop
    return high - last + low, low  # it grew, then dropped
