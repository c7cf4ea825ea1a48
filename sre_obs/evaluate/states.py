"""One entity from judgement to judgement: `for`, levels, runs, flapping, hold. Pure.

::

    none, ok --true--> pending --true for `for`--> firing --false--> keeping --> ended
                          |                          ^                  |
                          +--false--> none, ok       +------true--------+

*Stale* (the stream is silent, or it can't be read) and *insufficient* (too few samples)
change no phase: what was pending keeps its beginning, what fires is held. Nothing ends
because nothing was seen. They are no runs either, where runs are counted.

*Levels* are one alert. Each holds or not, and has a `for` of its own, counted from when it
began to hold. The alert fires at the worst level that has held for its `for`. It rises when
a worse one has; it falls at once, to the worst one that still holds; it ends when none does.
`keep_firing_for` is about the end alone.

*Runs*, n of m: a level holds while it was true in n of the last m runs. So a rule is true
from the run in which the n-th was true, which is when `for` begins to count, and false from
the run in which fewer are left. What is on its way there is not pending: it is fine, and
remembered for its history.

*Flapping*: an alert that became one or ended `changes` times in the last `runs` is not
ended before it was false `calm` runs in a row (and `keep_firing_for` is over). While it is
kept for that, each time that it would have ended or fired counts as if it had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from sre_obs.evaluate.history import (
    BEGAN,
    ENDED,
    enough,
    flapping,
    last_change,
    noted,
    quiet,
    trimmed,
)
from sre_obs.evaluate.levels import bounds
from sre_obs.model.alert import EndReason
from sre_obs.model.evaluation import EntityState, Phase
from sre_obs.model.rule import Comparison, Rule, RuleKind

BEGUN = (Phase.PENDING, Phase.FIRING, Phase.KEEPING)
ALERTING = (Phase.FIRING, Phase.KEEPING)


class Truth(StrEnum):
    """What one evaluation says of one entity."""

    TRUE = "true"
    FALSE = "false"
    STALE = "stale"
    INSUFFICIENT = "insufficient"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judgement. `ended` is the reason if an alert ends by it; `seen`: it has documents
    in the window; `forget`: nothing of it is to be remembered. `levels` are held against
    `clear` where the entity was in a level, against the limit where it was not."""

    key: str
    truth: Truth
    entity: Mapping[str, str] = field(default_factory=dict)
    value: float | None = None
    count: int = 0
    ended: EndReason = EndReason.UNDER_LIMIT
    seen: bool = True
    forget: bool = False
    # Which levels hold, the rule's own severity first; (): there is but that one.
    levels: tuple[bool, ...] = ()
    # What the value was made of; None is unknown.
    measures: Mapping[str, float | None] = field(default_factory=dict)


def remembers(rule: Rule) -> bool:
    """Whether a rule keeps an eye on entities that are fine: those it would miss."""
    return rule.kind is RuleKind.ABSENCE and bool(rule.group_by)


def step(rule: Rule, before: EntityState | None, verdict: Verdict, at: float) -> EntityState | None:
    """The entity after `verdict`; None: nothing to remember.

    An alert began if the phase became one of ALERTING, and ended if it was and no longer is.
    """
    match verdict.truth:
        case Truth.TRUE | Truth.FALSE:
            return _answered(rule, before, verdict, at)
        case Truth.STALE if before is not None and before.phase in BEGUN:
            return replace(before, stale_since=at) if before.stale_since is None else before
        case _:
            return before


def _answered(
    rule: Rule, before: EntityState | None, verdict: Verdict, at: float
) -> EntityState | None:
    fors: tuple[float, ...] = (rule.for_,)
    if rule.levels or rule.tuned:
        entity = before.entity if before is not None else verdict.entity
        fors = tuple([bound.for_ for bound in bounds(rule, entity)])
    holding = _holding(rule, verdict, len(fors))
    history = ""
    if rule.runs is not None or rule.flapping is not None:
        worst = max((n for n, holds in enumerate(holding) if holds), default=None)
        history = noted(before.history if before is not None else "", worst)
        if rule.runs is not None:
            holding = enough(history, rule.runs, len(fors))
    run = _Run(rule, fors, holding, history, verdict, at)
    return _true(run, before) if True in holding else _false(run, before)


class _Run(NamedTuple):
    """What one evaluation says, and with what has gone before makes of each level."""

    rule: Rule
    fors: tuple[float, ...]  # of each level
    holding: tuple[bool, ...]
    history: str
    verdict: Verdict
    at: float


def _holding(rule: Rule, verdict: Verdict, count: int) -> tuple[bool, ...]:
    """Which levels hold by the verdict alone."""
    if verdict.truth is Truth.FALSE:
        return (False,) * count
    if count == 1:
        return (True,)
    given = (*verdict.levels, *(False,) * count)[:count]
    if any(given):
        return given
    # By a kind that knows no levels: those that differ by time alone hold with the rule.
    return (True, *(level.limit is None for level in rule.levels))[:count]


def _true(run: _Run, before: EntityState | None) -> EntityState:
    rule, verdict, at = run.rule, run.verdict, run.at
    begun = before if before is not None and before.phase in BEGUN else None
    # A clock that was set back: what is pending must not wait for the hour to come again.
    since = min(begun.since, at) if begun is not None else at
    since_levels: tuple[float | None, ...] = ()
    if len(run.fors) == 1:
        reached = [0] if at - since >= run.fors[0] else []
    else:
        since_levels = _since_levels(run, begun, since)
        reached = [
            number
            for number, began in enumerate(since_levels)
            if began is not None and at - began >= run.fors[number]
        ]
    fired_at, level = None, 0
    if begun is not None and begun.fired_at is not None:
        fired_at = begun.fired_at
        level = _level(run, begun.level, reached) if since_levels else 0
    elif reached:
        fired_at, level = at, reached[-1]
    history = run.history
    if rule.flapping is not None and fired_at is not None and _begins(before, history):
        history += BEGAN
    return EntityState(
        rule=rule.id,
        key=verdict.key,
        entity=before.entity if before is not None else verdict.entity,
        phase=Phase.PENDING if fired_at is None else Phase.FIRING,
        since=since,
        last_true_at=at,
        last_seen_at=at if verdict.seen or before is None else before.last_seen_at,
        fired_at=fired_at,
        value=verdict.value,
        peak=_peak(rule, begun.peak if begun is not None else None, verdict.value),
        level=level,
        since_levels=since_levels,
        history=trimmed(rule, history) if history else "",
    )


def _since_levels(run: _Run, begun: EntityState | None, since: float) -> tuple[float | None, ...]:
    """Since when each level holds without a break."""
    known = begun.since_levels if begun is not None else ()
    if begun is not None and not known:
        known = (since,)  # the rule had no levels when it began
    found: list[float | None] = []
    for number, holds in enumerate(run.holding):
        began = known[number] if number < len(known) else None
        found.append((run.at if began is None else min(began, run.at)) if holds else None)
    return tuple(found)


def _level(run: _Run, before: int, reached: Sequence[int]) -> int:
    """Up to what has held for its `for`; down at once, to the worst that holds."""
    open_ = (n for n, holds in enumerate(run.holding) if holds and (n <= before or n in reached))
    return max(open_, default=min(before, len(run.fors) - 1))


def _begins(before: EntityState | None, history: str) -> bool:
    """Whether an alert that fires now has fired anew, or would have but for flapping."""
    if before is None or before.phase not in ALERTING:
        return True
    return before.phase is Phase.KEEPING and last_change(history) == ENDED


def _false(run: _Run, before: EntityState | None) -> EntityState | None:
    rule, verdict, at, history = run.rule, run.verdict, run.at, run.history
    if before is not None and before.phase in ALERTING and not verdict.forget:
        last_true = _last_true(rule, before, at)
        kept = _kept(rule, last_true, at)
        if not kept and rule.flapping is not None:
            if last_change(history) != ENDED:
                history += ENDED
            kept = flapping(rule, history) and quiet(history) < rule.flapping.calm
        if kept:
            return replace(
                before,
                phase=Phase.KEEPING,
                value=before.value if verdict.value is None else verdict.value,
                stale_since=None,
                last_true_at=min(last_true, at),  # the clock may have been set back
                since_levels=(None,) * len(before.since_levels),
                history=trimmed(rule, history) if history else "",
            )
    history = trimmed(rule, history) if history else ""
    if verdict.forget or not (remembers(rule) or history):
        return None
    known = before if before is not None and before.phase is Phase.OK else None
    if before is None:
        last_seen = at
    else:
        last_seen = at if verdict.seen else before.last_seen_at
    return EntityState(
        rule=rule.id,
        key=verdict.key,
        entity=before.entity if before is not None else verdict.entity,
        phase=Phase.OK,
        since=known.since if known is not None else at,
        last_true_at=before.last_true_at if before is not None else 0.0,
        last_seen_at=last_seen,
        history=history,
    )


def _last_true(rule: Rule, before: EntityState, at: float) -> float:
    """The last run that did not say false: those that could not tell changed nothing."""
    if before.phase is Phase.FIRING:
        return max(before.last_true_at, at - rule.interval)
    return before.last_true_at


def _kept(rule: Rule, last_true: float, at: float) -> bool:
    # Zero seconds kept is not kept at all, even by a clock that stepped back.
    return rule.keep_firing_for > 0 and at - last_true < rule.keep_firing_for


def _peak(rule: Rule, before: float | None, value: float | None) -> float | None:
    if before is None or value is None:
        return before if value is None else value
    falling = rule.threshold.comparison in (Comparison.LT, Comparison.LTE)
    if rule.kind is RuleKind.THRESHOLD and falling:
        return min(before, value)
    return max(before, value)
