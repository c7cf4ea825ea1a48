"""Step: what of a group is news to one integration, and whether it is worth telling.

What an integration was told (`Told`) is what its last notification said. So an alert that
was left out because it was silenced is news once the silence is over, and one whose end
was told is news when it fires again. The end of one that was left out is still owed.

An alert that has risen above the severity that was told is news as well. One that has
fallen below it is not, but the message of who can edit it should say so. What fires on but
is led elsewhere by the routes (as one whose severity they match on) stays in the list of
who was told of it, and is no news there before it ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sre_obs.model.notification import RISEN, Told

_NONE: frozenset[str] = frozenset()
_UNWANTED = "resolved, which it is not told of"


class Reason(StrEnum):
    """Why something is told now, as Alertmanager tells them apart."""

    FIRST = "first notification"
    NEW = "new alerts"
    RISEN = RISEN
    RESOLVED = "alerts resolved"
    ALL_RESOLVED = "all resolved"
    REPEAT = "repeat interval elapsed"
    CHANGED = "severity changed"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a group stands, as fingerprints: `firing` and `ended` may be told of, `members`
    are all. `moved` fire and are routed elsewhere; `levels` are those of alerts that have
    risen above their rule's own severity."""

    members: frozenset[str]
    firing: frozenset[str]
    ended: frozenset[str]
    moved: frozenset[str] = _NONE
    levels: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Terms:
    """What an integration wants to hear. `repeat` None: nothing twice; a `former` one
    hears only how what it was told of ends. One that `edits` says what is true now."""

    send_resolved: bool = True
    repeat: float | None = 14_400.0  # seconds
    former: bool = False
    edits: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to tell (a `reason`) or not (`None`, then `why_not`).

    `told` is what the integration will have been told; it can move without a reason, as
    when something ends that it does not want to hear of. `news` are the ends that it is
    not told of yet.
    """

    reason: Reason | None
    told: Told | None
    news: frozenset[str] = _NONE
    why_not: str = ""


def dedup(told: Told | None, standing: Standing, terms: Terms, now: float) -> Verdict:
    """Decide for one integration, by what it was told and how the group stands."""
    listed = told.firing & standing.members if told else _NONE
    if told is None or not listed:
        return _nothing_open(told, standing, terms, now)
    elsewhere = listed & standing.moved
    own = standing.firing & told.firing if terms.former else standing.firing
    wanted = own | elsewhere
    owed = listed | (told.owed & standing.members)
    news = owed & standing.ended
    elapsed = not terms.former and terms.repeat is not None and now >= told.at + terms.repeat
    if not terms.former and _risen(own & told.firing, told, standing):
        reason = Reason.RISEN
    elif not wanted <= told.firing:
        reason = Reason.NEW
    elif news:
        reason = Reason.RESOLVED if wanted else Reason.ALL_RESOLVED
    elif own and elapsed:
        reason = Reason.REPEAT
    elif terms.edits and not terms.former and _changed(wanted, told, standing):
        reason = Reason.CHANGED
    else:
        return Verdict(None, told, why_not="nothing new" if wanted else "nothing to tell")
    resolved = ((told.resolved | news) & standing.members) - wanted
    if not terms.send_resolved and reason in (Reason.RESOLVED, Reason.ALL_RESOLVED):
        unsaid = replace(told, firing=listed - news, resolved=resolved, owed=told.owed - news)
        return Verdict(None, unsaid, why_not=_UNWANTED)
    after = Told(
        # An edit is noticed by nobody: what still fires is to be repeated all the same.
        told.at if reason is Reason.CHANGED else now,
        wanted,
        resolved,
        told.generation,
        told.message,
        owed - news - wanted,
        _levels(wanted, standing),
    )
    return Verdict(reason, after, news)


def _risen(alerts: Iterable[str], told: Told, standing: Standing) -> bool:
    if not standing.levels:
        return False
    return any(standing.levels.get(f, 0) > told.levels.get(f, 0) for f in alerts)


def _changed(alerts: Iterable[str], told: Told, standing: Standing) -> bool:
    if not (standing.levels or told.levels):
        return False
    return any(standing.levels.get(f, 0) != told.levels.get(f, 0) for f in alerts)


def _levels(alerts: Iterable[str], standing: Standing) -> Mapping[str, int]:
    if not standing.levels:
        return {}
    return {f: standing.levels[f] for f in sorted(alerts) if f in standing.levels}


def _nothing_open(told: Told | None, standing: Standing, terms: Terms, now: float) -> Verdict:
    """Nothing that it was told of still fires by its last word."""
    firing = _NONE if terms.former else standing.firing
    if told is None:
        if firing:
            first = Told(now, firing, _NONE, levels=_levels(firing, standing))
            return Verdict(Reason.FIRST, first)
        why = "resolved before it was told" if standing.ended else "nothing to tell"
        return Verdict(None, None, why_not=why)
    owed = told.owed & standing.members
    news = owed & standing.ended
    resolved = ((told.resolved | news) & standing.members) - firing
    if firing:
        after = Told(
            now,
            firing,
            resolved,
            told.generation + 1,
            owed=owed - news - firing,
            levels=_levels(firing, standing),
        )
        return Verdict(Reason.FIRST, after, news)
    if news and terms.send_resolved:
        after = replace(told, at=now, firing=_NONE, resolved=resolved, owed=owed - news)
        return Verdict(Reason.RESOLVED, after, news)
    if news or told.firing:
        # What it was told of may also have left the group, as when routes change.
        told = replace(told, firing=_NONE, resolved=resolved, owed=owed - news)
    why = "nothing to tell"
    if news:
        why = _UNWANTED
    elif standing.ended - told.resolved:
        why = "resolved before it was told"
    return Verdict(None, told, why_not=why)
