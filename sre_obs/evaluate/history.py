"""The last runs of one entity as a text: what "3 of the last 5" and flapping go by. Pure.

``-b>-aa<`` is, the newest last: false; true at the first further level, and it fired; false;
true; true, and it ended. Only runs that could tell are in it: stale and insufficient ones
are neither true nor false. See `EntityState.history`.
"""

from __future__ import annotations

import re

from sre_obs.model.rule import Rule, Runs

BEGAN, ENDED = ">", "<"

_FALSE = "-"
_MARK = re.compile(r"[-a-z][<>]?")


def noted(history: str, worst: int | None) -> str:
    """`history` and one more run: the worst level that held in it, None if none did."""
    return history + (_FALSE if worst is None else chr(ord("a") + min(worst, 25)))


def enough(history: str, runs: Runs, levels: int) -> tuple[bool, ...]:
    """Which of the levels held in `hits` of the last `of` runs. A run counts for each level
    up to the worst that it reached."""
    last = [mark[0] for mark in _marks(history)[-runs.of :]]
    letters = [chr(ord("a") + min(n, 25)) for n in range(levels)]
    # A hyphen is before all letters.
    return tuple(sum(mark >= letter for mark in last) >= runs.hits for letter in letters)


def flapping(rule: Rule, history: str) -> bool:
    """Whether it fired or ended too often of late."""
    if rule.flapping is None or not history:
        return False
    last = _marks(history)[-rule.flapping.runs :]
    return sum(len(mark) > 1 for mark in last) >= rule.flapping.changes


def quiet(history: str) -> int:
    """How many runs in a row were false, up to the last."""
    count = 0
    for mark in reversed(_marks(history)):
        if mark[0] != _FALSE:
            break
        count += 1
    return count


def last_change(history: str) -> str:
    """`BEGAN` or `ENDED`, whichever came last; nothing if neither is in it."""
    at = max(history.rfind(BEGAN), history.rfind(ENDED))
    return history[at] if at >= 0 else ""


def trimmed(rule: Rule, history: str) -> str:
    """`history` without what no longer matters to `rule`: empty for an entity that is fine
    and has not changed for long, so that nothing of it need be kept."""
    of = rule.runs.of if rule.runs is not None else 0
    damped = rule.flapping
    span = max(of, damped.runs, damped.calm) if damped is not None else of
    marks = _marks(history)[-span:] if span else []
    while marks:
        changed = damped is not None and len(marks[0]) > 1
        counts = len(marks) <= of and marks[0][0] != _FALSE
        if changed or counts:
            break
        del marks[0]
    return "".join(marks)


def _marks(history: str) -> list[str]:
    return _MARK.findall(history)
