"""When a rule is due. Pure: the time and the last run are arguments.

A rule runs at ``offset + k * interval``, on a grid that no restart moves: evaluation times
come from the schedule, so ten minutes down, caught up in order, give what never being down
would have given.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

from sre_obs.model.rule import Rule

# Missed evaluations older than this are given up, and said to be.
CATCH_UP = 86_400.0


@dataclass(frozen=True, slots=True)
class Due:
    """Evaluation times to run now, in order; `dropped` older ones are given up."""

    times: tuple[float, ...] = ()
    dropped: int = 0


def offset(rule: Rule) -> float:
    """Seconds from 0 to the interval: where on the grid the rule stands.

    Spread by (source, index, interval), so that the rules on one stream run together and
    share requests, and streams take turns.
    """
    text = "\0".join((rule.source, *rule.index, repr(rule.interval)))
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    share = int.from_bytes(digest, "big") / 2**64
    # Whole tenths of a second keep times readable and exact enough to compare.
    return math.floor(share * rule.interval * 10) / 10


def due(rule: Rule, last: float | None, now: float, *, catch_up: float = CATCH_UP) -> Due:
    """The times after `last` up to `now`. A rule that never ran starts with the newest one.

    So does one whose last run lies more than an interval ahead: the clock was set back,
    and waiting for it to come by again would be blindness.
    """
    newest = _before(rule, now)
    if last is None or last > now + rule.interval:
        return Due((_time(rule, newest),))
    first = _before(rule, last) + 1
    if first > newest:
        return Due()
    kept = max(first, _before(rule, now - catch_up) + 1)
    return Due(tuple(_time(rule, k) for k in range(kept, newest + 1)), kept - first)


def next_due(rule: Rule, last: float | None, now: float) -> float:
    """The next time at which `due` returns something; not after `now` if it does already."""
    if last is None or last > now + rule.interval:
        return now
    return _time(rule, _before(rule, last) + 1)


def _time(rule: Rule, k: int) -> float:
    # Rounded, so that the same time is the same float whatever `k` it was reached by.
    return round(offset(rule) + k * rule.interval, 3)


def _before(rule: Rule, time: float) -> int:
    """The greatest k whose time is not after `time`."""
    k = math.floor((time - offset(rule)) / rule.interval)
    while _time(rule, k + 1) <= time:
        k += 1
    while _time(rule, k) > time:
        k -= 1
    return k
