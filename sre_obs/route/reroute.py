"""Which alert is in which group: derived anew after a start and when the routes change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sre_obs.model.changes import Changes
from sre_obs.model.ledger import Ledger
from sre_obs.model.notification import Group
from sre_obs.route.group import group_key, new_group
from sre_obs.route.tree import Router


def reroute(ledger: Ledger, router: Router, now: float) -> Changes:
    """All of `joined`, and the groups that begin, go on otherwise, or go.

    Give `joined` to ``Ledger.reroute``, then apply the changes. A group whose key stays
    keeps what was told of it, whatever its receiver is now.

    A group that the routes don't lead to any more stays while something is left to tell:
    who was told that an alert fires is told its end, and rows of the outbox that wait
    need their alerts for words. An alert that ended and is in no group is forgotten.
    """
    joined: dict[tuple[str, str], None] = {}
    groups: dict[str, Group] = {}
    forgotten: list[str] = []
    for alert in ledger.alerts.values():
        if alert.shadow:
            continue
        firing = alert.firing(now)
        for route in router.match(alert.labels, alert.fingerprint):
            key, labels = group_key(route, alert.labels)
            known = groups.get(key) or ledger.groups.get(key)
            if known is None:
                if not firing:
                    continue
                groups[key] = new_group(route, key, labels, alert, now)
            elif key not in groups:
                latest = now + max(route.group_interval, route.group_wait)
                at = latest if known.flush_at is None else min(known.flush_at, latest)
                groups[key] = replace(known, receiver=route.receiver, flush_at=at)
            joined[key, alert.fingerprint] = None
    for group in ledger.groups.values():
        for fingerprint in _owed(group, ledger, router):
            joined[group.key, fingerprint] = None
            if group.key not in groups:
                groups[group.key] = replace(group, flush_at=_soon(group, now))
    placed = {fingerprint for _, fingerprint in joined}
    forgotten = [
        alert.fingerprint
        for alert in ledger.alerts.values()
        if alert.fingerprint not in placed and not alert.firing(now)
    ]
    return Changes(
        groups=tuple(g for key, g in groups.items() if g != ledger.groups.get(key)),
        forgotten_groups=tuple(key for key in ledger.groups if key not in groups),
        forgotten_alerts=tuple(forgotten),
        joined=tuple(joined),
    )


def _owed(group: Group, ledger: Ledger, router: Router) -> Iterable[str]:
    """Alerts of which the group's integrations have yet to hear the end, or whose rows wait."""
    found: dict[str, None] = {}
    for target in router.targets(None, group.told):
        told = group.told[target.integration.id]
        found.update(dict.fromkeys(sorted(told.firing | told.owed)))
    for id_ in group.told:
        for row in ledger.conversation(group.key, id_):
            found.update(dict.fromkeys((*row.firing, *row.resolved)))
    return [fingerprint for fingerprint in found if fingerprint in ledger.alerts]


def _soon(group: Group, now: float) -> float:
    return now if group.flush_at is None else group.flush_at
