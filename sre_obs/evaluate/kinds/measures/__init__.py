"""What is measured over the documents of one entity, a file a function or family.

Each is pure: it names the figures that it needs, and makes a number of what they came to. A
primitive has a cheap *look* for all entities (enough to tell its value, or bounds of it), and
*exact* figures for the few that are still in question.

    plain     count, cardinality, avg, sum, min, max, percentile: the look is exact
    latest    the newest value
    matches   whether the newest document matches
    increase  of a counter
    changes   of a state
    slope     least squares
    age       of a date
    series    several counters or states of one entity, combined

What does not live here: which entities are looked at more closely (`kinds.threshold`), and
how figures are asked (`evaluate.request`).
"""

from __future__ import annotations

from collections.abc import Mapping

from sre_obs.evaluate.kinds.measures.age import Age
from sre_obs.evaluate.kinds.measures.changes import Changes
from sre_obs.evaluate.kinds.measures.increase import Increase
from sre_obs.evaluate.kinds.measures.latest import Latest
from sre_obs.evaluate.kinds.measures.matches import Matches
from sre_obs.evaluate.kinds.measures.plain import Cardinality, Count, Plain
from sre_obs.evaluate.kinds.measures.primitive import Lack, Placed, Primitive, Value
from sre_obs.evaluate.kinds.measures.slope import Slope
from sre_obs.model.rule import Function

PRIMITIVES: Mapping[Function, Primitive] = {
    Function.COUNT: Count(),
    Function.CARDINALITY: Cardinality(),
    Function.AVG: Plain(),
    Function.SUM: Plain(),
    Function.MIN: Plain(),
    Function.MAX: Plain(),
    Function.PERCENTILE: Plain(),
    Function.LATEST: Latest(),
    Function.MATCHES: Matches(),
    Function.INCREASE: Increase(),
    Function.CHANGES: Changes(),
    Function.SLOPE: Slope(),
    Function.AGE: Age(),
}

__all__ = ["PRIMITIVES", "Lack", "Placed", "Primitive", "Value"]
