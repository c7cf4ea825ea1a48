"""Step: what of a group is news to one integration, and whether it is worth telling.

What an integration was told (`Told`) is what its last notification said. So an alert that
was left out because it was silenced is news once the silence is over, and one whose end
was told is news when it fires again. The end of one that was left out is still owed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from sre_obs.model.notification import Told

_NONE: frozenset[str] = frozenset()
_UNWANTED = "resolved, which it is not told of"


class Reason(StrEnum):
    """Why something is told now, as Alertmanager tells them apart."""

    FIRST = "first notification"
    NEW = "new alerts"
    RESOLVED = "alerts resolved"
    ALL_RESOLVED = "all resolved"
    REPEAT = "repeat interval elapsed"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a group stands, as fingerprints: `firing` and `ended` may be told of, `members`
    are all."""

    members: frozenset[str]
    firing: frozenset[str]
    ended: frozenset[str]


@dataclass(frozen=True, slots=True)
class Terms:
    """What an integration wants to hear. `repeat` None: nothing twice; a `former` one
    hears only how what it was told of ends."""

    send_resolved: bool = True
    repeat: float | None = 14_400.0  # seconds
    former: bool = False


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
    wanted = standing.firing & told.firing if terms.former else standing.firing
    owed = listed | (told.owed & standing.members)
    news = owed & standing.ended
    elapsed = not terms.former and terms.repeat is not None and now >= told.at + terms.repeat
    if not wanted <= told.firing:
        reason = Reason.NEW
    elif news:
        reason = Reason.RESOLVED if wanted else Reason.ALL_RESOLVED
    elif wanted and elapsed:
        reason = Reason.REPEAT
    else:
        return Verdict(None, told, why_not="nothing new" if wanted else "nothing to tell")
    resolved = ((told.resolved | news) & standing.members) - wanted
    if not terms.send_resolved and reason in (Reason.RESOLVED, Reason.ALL_RESOLVED):
        unsaid = replace(told, firing=listed - news, resolved=resolved, owed=told.owed - news)
        return Verdict(None, unsaid, why_not=_UNWANTED)
    after = replace(told, at=now, firing=wanted, resolved=resolved, owed=owed - news - wanted)
    return Verdict(reason, after, news)


def _nothing_open(told: Told | None, standing: Standing, terms: Terms, now: float) -> Verdict:
    """Nothing that it was told of still fires by its last word."""
    firing = _NONE if terms.former else standing.firing
    if told is None:
        if firing:
            return Verdict(Reason.FIRST, Told(now, firing, _NONE))
        why = "resolved before it was told" if standing.ended else "nothing to tell"
        return Verdict(None, None, why_not=why)
    owed = told.owed & standing.members
    news = owed & standing.ended
    resolved = ((told.resolved | news) & standing.members) - firing
    if firing:
        after = Told(now, firing, resolved, told.generation + 1, owed=owed - news - firing)
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
