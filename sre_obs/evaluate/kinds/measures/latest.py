"""The field of the newest document that has it.

The newest document of each of thousands is dear, the least and the most of the window are
not: where they are one, that is the newest, too.
"""

from __future__ import annotations

from collections.abc import Sequence

from sre_obs.evaluate.kinds.measures.primitive import Lack, Placed, Primitive, Value, number_of
from sre_obs.evaluate.kinds.reach import Reach
from sre_obs.evaluate.needs import Figure, Found, Of
from sre_obs.model.expression import Expression


class Latest(Primitive):
    """Newest by the measure's `order`."""

    def look(self, placed: Placed) -> tuple[Figure, ...]:
        name = placed.measure.field
        return (
            Figure(Of.MIN, name, placed.filters, span=placed.span),
            Figure(Of.MAX, name, placed.filters, span=placed.span),
        )

    def reach(self, placed: Placed, figures: Sequence[Expression]) -> Reach:
        return Reach(figures[0], figures[1])

    def told(self, placed: Placed, found: Sequence[Found]) -> Value:
        low, high = number_of(found[0]), number_of(found[1])
        if low is None or high is None:
            return Lack.ABSENT
        return low if low == high else Lack.UNTOLD

    def bounds(self, found: Sequence[Found]) -> tuple[float, float] | None:
        low, high = number_of(found[0]), number_of(found[1])
        return None if low is None or high is None else (low, high)

    def exact(self, placed: Placed) -> tuple[Figure, ...]:
        measure = placed.measure
        return (
            Figure(Of.NEWEST, measure.field, placed.filters, order=measure.order, span=placed.span),
        )

    def value(self, placed: Placed, found: Sequence[Found]) -> Value:
        number = number_of(found[0])
        return Lack.ABSENT if number is None else number
