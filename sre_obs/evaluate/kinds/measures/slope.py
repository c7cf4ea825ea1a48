"""Where a number is heading: the line of least squares through it, per second.

A line through a short or a jagged past says anything, so it takes six points over half of
the window; and after a drop (somebody cleaned up) the past is another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sre_obs.evaluate.kinds.measures.primitive import (
    FINEST,
    Lack,
    Placed,
    Primitive,
    Value,
    number_of,
)
from sre_obs.evaluate.kinds.reach import BEYOND, Reach
from sre_obs.evaluate.needs import Figure, Found, Of, Part
from sre_obs.model.expression import Binary, Call, Expression, Number

PARTS = 24
POINTS = 6
# Of the highest: a drop by more from one part to the next ends what was before.
DROP = 0.1


class Slope(Primitive):
    """What does not move has no slope, and that is cheap to ask."""

    def look(self, placed: Placed) -> tuple[Figure, ...]:
        name = placed.measure.field
        return tuple(Figure(of, name, placed.filters, span=placed.span) for of in (Of.MIN, Of.MAX))

    def reach(self, placed: Placed, figures: Sequence[Expression]) -> Reach:
        moved = Binary(">", figures[1], figures[0])
        zero = Number(0.0)
        return Reach(
            Call("if", (moved, Number(-BEYOND), zero)), Call("if", (moved, Number(BEYOND), zero))
        )

    def told(self, placed: Placed, found: Sequence[Found]) -> Value:
        # Whether there are enough points, the look does not tell.
        return Lack.ABSENT if number_of(found[0]) is None else Lack.UNTOLD

    def exact(self, placed: Placed) -> tuple[Figure, ...]:
        width = max(FINEST, (placed.span.end - placed.span.start) / PARTS)
        name = placed.measure.field
        return (Figure(Of.MEANS, name, placed.filters, width=width, span=placed.span),)

    def value(self, placed: Placed, found: Sequence[Found]) -> Value:
        parts = found[0]
        if not isinstance(parts, tuple) or not parts:
            return Lack.ABSENT
        found_slope = slope(parts, placed.span.end - placed.span.start)
        return Lack.UNKNOWN if found_slope is None else found_slope


def slope(parts: Sequence[Part], window: float) -> float | None:
    """Per second, over parts of (mean time, mean value); None where nothing can be said."""
    points = [one.numbers for one in parts]
    if len(points) < POINTS or points[-1][0] - points[0][0] < window / 2:
        return None
    highest = max(abs(value) for _, value in points)
    drops = pairwise(points)
    if any(before - after > DROP * highest for (_, before), (_, after) in drops):
        return None
    middle = sum(time for time, _ in points) / len(points)
    mean = sum(value for _, value in points) / len(points)
    spread = sum((time - middle) ** 2 for time, _ in points)
    return sum((time - middle) * (value - mean) for time, value in points) / spread
