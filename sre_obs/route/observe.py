"""Step: who is in a group, and how they stand."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sre_obs.model.alert import Alert, EndReason
from sre_obs.model.ledger import Ledger
from sre_obs.model.notification import Group
from sre_obs.model.silence import Silence
from sre_obs.route.group import belongs
from sre_obs.route.tree import Router


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A member that nobody is told of just now: silenced (`by`), or for what `why` says."""

    alert: Alert
    by: tuple[Silence, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """A group as it stands at `now`; each member is in one of the three tuples.

    `moved` are those of the suppressed that fire and are routed elsewhere by now: who was
    told of them goes on reading of them. `expired` are members whose end nobody announced:
    their sender stopped sending.
    `members` are the fingerprints of all.
    """

    group: Group
    now: float
    members: frozenset[str]
    firing: tuple[Alert, ...]
    ended: tuple[Alert, ...]
    suppressed: tuple[Suppressed, ...] = ()
    moved: tuple[Alert, ...] = ()
    expired: tuple[Alert, ...] = ()


def observe(group: Group, ledger: Ledger, router: Router, now: float) -> Look:
    """Who is in `group`, in order of joining.

    A member can be one no longer: its rule went into shadow, or new routes, or a new
    severity, lead it elsewhere. While it fires nobody is told of it; that it ends, who was
    told it fires is.
    """
    route = router.routes.get(group.route)
    firing: list[Alert] = []
    ended: list[Alert] = []
    suppressed: list[Suppressed] = []
    expired: list[Alert] = []
    moved: list[Alert] = []
    members: list[str] = []
    for alert in ledger.members(group.key):
        members.append(alert.fingerprint)
        if not alert.firing(now):
            if alert.ended is None:
                alert = replace(alert, ended=EndReason.EXPIRED)
                expired.append(alert)
            ended.append(alert)
        elif alert.shadow:
            suppressed.append(Suppressed(alert, why="in shadow"))
        elif (
            route is None
            or route not in router.match(alert.labels, alert.fingerprint)
            or not belongs(alert, group, route)
        ):
            moved.append(alert)
            suppressed.append(Suppressed(alert, why="routed elsewhere by now"))
        else:
            firing.append(alert)
    return Look(
        group,
        now,
        frozenset(members),
        tuple(firing),
        tuple(ended),
        tuple(suppressed),
        tuple(moved),
        tuple(expired),
    )
