"""Several counters or states of one entity -> one number: after each is measured alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sre_obs.evaluate.kinds.measures.primitive import Lack, Value
from sre_obs.evaluate.kinds.reach import ANYWHERE, Reach
from sre_obs.model.expression import Number
from sre_obs.model.rule import Over


def combine(values: Sequence[Value], over: Over) -> Value:
    """What the series come to. One that does not tell (a counter with one sample) is left
    out: a new one must not hide what the others say."""
    if Lack.UNTOLD in values:
        return Lack.UNTOLD
    known = [value for value in values if isinstance(value, float)]
    if not known:
        return Lack.UNKNOWN if Lack.UNKNOWN in values else Lack.ABSENT
    match over:
        case Over.SUM:
            return math.fsum(known)
        case Over.AVG:
            return math.fsum(known) / len(known)
        case Over.MIN:
            return min(known)
        case Over.MAX:
            return max(known)
        case Over.COUNT:
            return float(len(known))


def combined_reach(low: float | None, high: float | None, over: Over) -> Reach:
    """Between what any number of series come to, each between `low` and `high`."""
    if over is Over.COUNT:
        return Reach(Number(1.0), None)
    if over is not Over.SUM:
        return Reach(_number(low), _number(high))
    return Reach(Number(0.0), None) if low is not None and low >= 0 else ANYWHERE


def neutral(over: Over, least: float | None) -> bool:
    """Whether a series at 0 changes nothing beside others, none of which is below 0."""
    return over in (Over.SUM, Over.MAX) and least is not None and least >= 0


def _number(value: float | None) -> Number | None:
    return None if value is None else Number(value)
