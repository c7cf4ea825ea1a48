"""Step: what of a group is news to one integration, and whether it is worth telling.

What an integration was told (`Told`) is what its last notification said. So an alert that
was left out because it was silenced is news once the silence is over, and one whose end
was told is news when it fires again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from sre_obs.model.notification import Told

_NONE: frozenset[str] = frozenset()


class Reason(StrEnum):
    """Why something is told now, as Alertmanager tells them apart."""

    FIRST = "first notification"
    NEW = "new alerts"
    RESOLVED = "alerts resolved"
    ALL_RESOLVED = "all resolved"
    REPEAT = "repeat interval elapsed"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a group stands, as fingerprints. `firing` and `ended` may be told of, `held` ended
    while it may not, `members` are all."""

    members: frozenset[str]
    firing: frozenset[str]
    ended: frozenset[str]
    held: frozenset[str] = _NONE


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
    pending = told.firing & standing.members if told else _NONE
    if told is None or not pending:
        return _first(told, standing, terms, now)
    wanted = standing.firing & told.firing if terms.former else standing.firing
    news = pending & standing.ended
    after = replace(
        told,
        at=now,
        # An end that can't be told just now is owed, unless all is said to be resolved.
        firing=wanted | (pending & standing.held) if wanted else _NONE,
        resolved=((told.resolved | news) & standing.members) - wanted,
    )
    if not wanted <= told.firing:
        return Verdict(Reason.NEW, after, news)
    if news and terms.send_resolved:
        return Verdict(Reason.RESOLVED if wanted else Reason.ALL_RESOLVED, after, news)
    if news:
        settled = replace(after, at=told.at, firing=pending - news)
        return Verdict(None, settled, why_not="resolved, which it is not told of")
    if not wanted:
        return Verdict(None, told, why_not="nothing to tell")
    if terms.former or terms.repeat is None or now < told.at + terms.repeat:
        return Verdict(None, told, why_not="nothing new")
    return Verdict(Reason.REPEAT, after)


def _first(told: Told | None, standing: Standing, terms: Terms, now: float) -> Verdict:
    firing = standing.firing
    if firing and not terms.former:
        if told is None:
            return Verdict(Reason.FIRST, Told(now, firing, _NONE))
        before = (told.resolved & standing.members) - firing
        return Verdict(Reason.FIRST, Told(now, firing, before, told.generation + 1))
    if told is not None and told.firing:
        # It was told of alerts that left the group, as when routes change.
        told = replace(told, firing=_NONE)
    untold = standing.ended - told.resolved if told else standing.ended
    why = "resolved before it was told" if untold else "nothing to tell"
    return Verdict(None, told, why_not=why)
