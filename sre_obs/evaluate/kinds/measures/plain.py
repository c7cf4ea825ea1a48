"""Measures that are one number of a search: count, cardinality, avg, sum, min, max, percentile."""

from __future__ import annotations

from collections.abc import Sequence

from sre_obs.evaluate.kinds.measures.primitive import Lack, Placed, Primitive, Value, number_of
from sre_obs.evaluate.kinds.reach import Reach, at
from sre_obs.evaluate.needs import Figure, Found, Of
from sre_obs.model.expression import Expression


class Plain(Primitive):
    """The number as it is found."""

    def look(self, placed: Placed) -> tuple[Figure, ...]:
        measure = placed.measure
        of = Of(measure.function.value)
        return (
            Figure(of, measure.field, placed.filters, percent=measure.percent, span=placed.span),
        )

    def reach(self, placed: Placed, figures: Sequence[Expression]) -> Reach:
        return at(figures[0])

    def told(self, placed: Placed, found: Sequence[Found]) -> Value:
        number = number_of(found[0])
        return Lack.ABSENT if number is None else number


class Count(Plain):
    """How many documents; of the whole 0 is a number, of an entity it is no entity."""

    least = 0.0

    def told(self, placed: Placed, found: Sequence[Found]) -> Value:
        number = number_of(found[0]) or 0.0
        if number == 0 and (placed.by or placed.measure.series):
            return Lack.ABSENT
        return number


class Cardinality(Plain):
    """How many different values."""

    least = 0.0

    def told(self, placed: Placed, found: Sequence[Found]) -> Value:
        return number_of(found[0]) or Lack.ABSENT
