"""Step: who is in a group, and how they stand."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sre_obs.model.alert import Alert, EndReason
from sre_obs.model.ledger import Ledger
from sre_obs.model.notification import Group
from sre_obs.model.silence import Silence


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A member that nobody is told of just now: silenced (`by`), or in shadow (by none)."""

    alert: Alert
    by: tuple[Silence, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """A group as it stands at `now`; each member is in one of the three tuples.

    `expired` are those of them whose end nobody announced: their sender stopped sending.
    `members` are the fingerprints of all.
    """

    group: Group
    now: float
    members: frozenset[str]
    firing: tuple[Alert, ...]
    ended: tuple[Alert, ...]
    suppressed: tuple[Suppressed, ...] = ()
    expired: tuple[Alert, ...] = ()


def observe(group: Group, ledger: Ledger, now: float) -> Look:
    """Who is in `group`, in order of joining."""
    firing: list[Alert] = []
    ended: list[Alert] = []
    shadows: list[Suppressed] = []
    expired: list[Alert] = []
    members: list[str] = []
    for alert in ledger.members(group.key):
        members.append(alert.fingerprint)
        if not alert.firing(now):
            if alert.ended is None:
                alert = replace(alert, ended=EndReason.EXPIRED)
                expired.append(alert)
            ended.append(alert)
        elif alert.shadow:
            shadows.append(Suppressed(alert))  # its rule went into shadow meanwhile
        else:
            firing.append(alert)
    return Look(
        group,
        now,
        frozenset(members),
        tuple(firing),
        tuple(ended),
        tuple(shadows),
        tuple(expired),
    )
