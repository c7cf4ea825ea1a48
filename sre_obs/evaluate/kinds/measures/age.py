"""How long ago the oldest of an entity's dates is, in seconds before the window's end.

Clocks differ: a date of a moment ahead is an age of 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from sre_obs.evaluate.kinds.measures.primitive import Lack, Placed, Primitive, Value, number_of
from sre_obs.evaluate.kinds.reach import Reach, at
from sre_obs.evaluate.needs import Figure, Found, Of
from sre_obs.model.expression import Binary, Call, Expression, Number


class Age(Primitive):
    """Never below 0."""

    least = 0.0

    def look(self, placed: Placed) -> tuple[Figure, ...]:
        return (Figure(Of.MIN, placed.measure.field, placed.filters, span=placed.span),)

    def reach(self, placed: Placed, figures: Sequence[Expression]) -> Reach:
        ago = Binary("-", Number(placed.span.end * 1000), figures[0])
        return at(Call("max", (Number(0.0), Binary("/", ago, Number(1000.0)))))

    def told(self, placed: Placed, found: Sequence[Found]) -> Value:
        oldest = number_of(found[0])
        if oldest is None:
            return Lack.ABSENT
        return max(0.0, (placed.span.end * 1000 - oldest) / 1000)
