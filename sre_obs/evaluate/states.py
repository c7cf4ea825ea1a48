"""One entity from judgement to judgement: `for`, `keep_firing_for`, hold. Pure.

::

    none, ok --true--> pending --true for `for`--> firing --false--> keeping --> ended
                          |                          ^                  |
                          +--false--> none, ok       +------true--------+

*Stale* (the stream is silent, or it can't be read) and *insufficient* (too few samples)
change no phase: what was pending keeps its beginning, what fires is held. Nothing ends
because nothing was seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

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


def remembers(rule: Rule) -> bool:
    """Whether a rule keeps an eye on entities that are fine: those it would miss."""
    return rule.kind is RuleKind.ABSENCE and bool(rule.group_by)


def step(rule: Rule, before: EntityState | None, verdict: Verdict, at: float) -> EntityState | None:
    """The entity after `verdict`; None: nothing to remember.

    An alert began if the phase became one of ALERTING, and ended if it was and no longer is.
    """
    match verdict.truth:
        case Truth.TRUE:
            return _true(rule, before, verdict, at)
        case Truth.FALSE:
            return _false(rule, before, verdict, at)
        case Truth.STALE if before is not None and before.phase in BEGUN:
            return replace(before, stale_since=at) if before.stale_since is None else before
        case _:
            return before


def _true(rule: Rule, before: EntityState | None, verdict: Verdict, at: float) -> EntityState:
    begun = before if before is not None and before.phase in BEGUN else None
    # A clock that was set back: what is pending must not wait for the hour to come again.
    since = min(begun.since, at) if begun is not None else at
    fired_at = begun.fired_at if begun is not None else None
    if fired_at is None and at - since >= rule.for_:
        fired_at = at
    last_seen = at if verdict.seen or before is None else before.last_seen_at
    return EntityState(
        rule=rule.id,
        key=verdict.key,
        entity=before.entity if before is not None else verdict.entity,
        phase=Phase.PENDING if fired_at is None else Phase.FIRING,
        since=since,
        last_true_at=at,
        last_seen_at=last_seen,
        fired_at=fired_at,
        value=verdict.value,
        peak=_peak(rule, begun.peak if begun is not None else None, verdict.value),
    )


def _false(
    rule: Rule, before: EntityState | None, verdict: Verdict, at: float
) -> EntityState | None:
    if before is not None and _kept(rule, before, verdict, at):
        value = before.value if verdict.value is None else verdict.value
        return replace(
            before,
            phase=Phase.KEEPING,
            value=value,
            stale_since=None,
            last_true_at=min(before.last_true_at, at),  # the clock may have been set back
        )
    if not remembers(rule) or verdict.forget:
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
    )


def _kept(rule: Rule, before: EntityState, verdict: Verdict, at: float) -> bool:
    if before.phase not in ALERTING or verdict.forget:
        return False
    # Zero seconds kept is not kept at all, even by a clock that stepped back.
    return rule.keep_firing_for > 0 and at - before.last_true_at < rule.keep_firing_for


def _peak(rule: Rule, before: float | None, value: float | None) -> float | None:
    if before is None or value is None:
        return before if value is None else value
    falling = rule.threshold.comparison in (Comparison.LT, Comparison.LTE)
    if rule.kind is RuleKind.THRESHOLD and falling:
        return min(before, value)
    return max(before, value)
