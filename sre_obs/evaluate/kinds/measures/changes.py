"""How often a field differs from the sample before; texts, too.

Where the field has one value in the window and its margin there is nothing to count, and that
is cheap to ask.
"""

from __future__ import annotations

from collections.abc import Sequence

from sre_obs.evaluate.kinds.measures.increase import moved_or_new
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


class Changes(Primitive):
    """Of one sample nothing is known."""

    least = 0.0

    def look(self, placed: Placed) -> tuple[Figure, ...]:
        name, span = placed.measure.field, before(placed.span)
        return tuple(
            Figure(of, name, placed.filters, span=span) for of in (Of.CARDINALITY, Of.SAMPLES)
        )

    def reach(self, placed: Placed, figures: Sequence[Expression]) -> Reach:
        several = moved_or_new(placed, Binary(">", figures[0], Number(1.0)), figures[1])
        return Reach(Number(0.0), Call("if", (several, Number(BEYOND), Number(0.0))))

    def told(self, placed: Placed, found: Sequence[Found]) -> Value:
        values, samples = number_of(found[0]), number_of(found[1])
        if not values:
            return Lack.ABSENT
        return Lack.UNTOLD if values > 1 or (samples or 0) < 2 else 0.0

    def exact(self, placed: Placed) -> tuple[Figure, ...]:
        span = before(placed.span)
        width = part(placed.span)
        return (Figure(Of.STATES, placed.measure.field, placed.filters, width=width, span=span),)

    def value(self, placed: Placed, found: Sequence[Found]) -> Value:
        parts = found[0]
        if not isinstance(parts, tuple) or not parts:
            return Lack.ABSENT
        counted = changes(parts, placed.span.start)
        return Lack.UNKNOWN if counted is None else counted


def changes(parts: Sequence[Part], start: float) -> float | None:
    """How often a state changed from `start` on; its parts hold the values seen in them, the
    last seen one last, and begin before. None if one part is all there is, with one value."""
    before_it: str | None = None
    counted, known = 0, False
    for one in parts:
        step = len(one.texts) - 1
        if before_it is not None:
            known = True
            away_and_back = step > 0 and one.texts[-1] == before_it
            step += before_it not in one.texts or away_and_back
        known = known or step > 0
        before_it = one.texts[-1]
        if one.start >= start:
            counted += step
    return float(counted) if known and parts[-1].start >= start else None
