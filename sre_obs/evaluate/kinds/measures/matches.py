"""Whether the newest document matches: the newest of all is as new as the newest that does.

Of two documents that are equally new one is enough.
"""

from __future__ import annotations

from collections.abc import Sequence

from sre_obs.evaluate.kinds.measures.primitive import Lack, Placed, Primitive, Value, number_of
from sre_obs.evaluate.kinds.reach import BEYOND, Reach, at
from sre_obs.evaluate.needs import Figure, Found, Of
from sre_obs.model.expression import Binary, Call, Expression, Number


class Matches(Primitive):
    """1 or 0."""

    least = 0.0
    most = 1.0

    def look(self, placed: Placed) -> tuple[Figure, ...]:
        order = placed.measure.order
        that = (*placed.filters, placed.condition)
        return (
            Figure(Of.MAX, order, placed.filters, span=placed.span),
            Figure(Of.MAX, order, that, span=placed.span),
        )

    def reach(self, placed: Placed, figures: Sequence[Expression]) -> Reach:
        newest, that = figures
        return at(Binary(">=", Call("known", (that, Number(-BEYOND))), newest))

    def told(self, placed: Placed, found: Sequence[Found]) -> Value:
        newest, that = number_of(found[0]), number_of(found[1])
        if newest is None:
            return Lack.ABSENT
        return 1.0 if that is not None and that >= newest else 0.0
