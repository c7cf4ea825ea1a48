"""Alerts as they come: merged with what is known of them, and put into groups.

An alert is one through its episode, however often it is sent: the earliest start and the
time at which it became an alert stay, annotations are the newest. It is the same episode
as long as nobody was told that it ended. Its labels may change in an episode, its
severity above all: then it joins the groups that they lead to. Those that it was in keep
it, so that who was told of it there is told its end.

**What need not be written.** Senders repeat a firing alert every minute or so, only to
push its end further away. Such an alert is in `Accepted.refreshed`: the Ledger takes it,
the disk need not. What the disk then knows is an end that is too early, so after a start
alerts that still fire are given one `resolve_timeout` to be sent again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sre_obs.model.alert import Alert, EndReason
from sre_obs.model.changes import Changes
from sre_obs.model.ledger import Ledger
from sre_obs.model.notification import Group
from sre_obs.model.routing import Route
from sre_obs.route.group import first_look, group_key, new_group, waits
from sre_obs.route.tree import Router


@dataclass(frozen=True, slots=True)
class Accepted:
    """What becomes of alerts that came. `changes` are for the Ledger and the Store,
    `refreshed` for the Ledger alone: ``ledger.apply(Changes(alerts=refreshed))``.

    `new`, `resent` and `ended` count alerts; an end of what is not known counts nowhere.
    `relabelled` are fingerprints of alerts whose labels changed: what else is remembered by
    their labels must be forgotten.
    """

    changes: Changes
    refreshed: tuple[Alert, ...] = ()
    new: int = 0
    resent: int = 0
    ended: int = 0
    relabelled: tuple[str, ...] = ()


def accept(alerts: Sequence[Alert], ledger: Ledger, router: Router, now: float) -> Accepted:
    """Take alerts in, in order; the ledger is read and not changed.

    An alert whose `ends_at` is not after `now` has ended. A shadow alert is kept, but
    joins no group. An end of an alert that is not known means nothing.
    """
    batch = _Batch(ledger, router, now)
    for alert in alerts:
        batch.take(alert)
    return batch.accepted()


class _Batch:
    def __init__(self, ledger: Ledger, router: Router, now: float) -> None:
        self._ledger = ledger
        self._known = ledger.alerts
        self._router = router
        self._now = now
        self._changed: dict[str, Alert] = {}
        self._refreshed: dict[str, Alert] = {}
        self._forgotten: dict[str, None] = {}
        self._groups: dict[str, Group] = {}
        self._joined: dict[str, list[str]] = {}
        self._relabelled: dict[str, None] = {}
        self._new = self._resent = self._ended = 0

    def accepted(self) -> Accepted:
        return Accepted(
            Changes(
                alerts=tuple(self._changed.values()),
                forgotten_alerts=tuple(self._forgotten),
                groups=tuple(self._groups.values()),
                joined=tuple([(key, f) for f, keys in self._joined.items() for key in keys]),
            ),
            tuple(self._refreshed.values()),
            self._new,
            self._resent,
            self._ended,
            tuple(self._relabelled),
        )

    def take(self, alert: Alert) -> None:
        fingerprint = alert.fingerprint
        known = (
            self._changed.get(fingerprint)
            or self._refreshed.get(fingerprint)
            or self._known.get(fingerprint)
        )
        now = self._now
        firing = alert.ends_at is None or alert.ends_at > now
        if known is None or fingerprint in self._forgotten:
            if firing:
                self._begin(alert)
        elif known.ends_at is None or known.ends_at > now:
            if firing:
                self._again(known, alert)
            else:
                self._end(known, alert)
        elif firing:
            self._refire(known, alert)

    def _begin(self, alert: Alert) -> None:
        self._new += 1
        self._forgotten.pop(alert.fingerprint, None)
        self._changed[alert.fingerprint] = alert
        if not alert.shadow:
            self._join(alert)

    def _again(self, known: Alert, alert: Alert) -> None:
        self._resent += 1
        fingerprint = known.fingerprint
        merged = alert
        relabelled = alert.labels != known.labels
        if alert.fired_at != known.fired_at or alert.starts_at != known.starts_at:
            merged = _same_episode(known, alert, alert.labels if relabelled else known.labels)
        if fingerprint not in self._changed and not relabelled and _says_the_same(known, merged):
            self._refreshed[fingerprint] = merged
            return
        self._refreshed.pop(fingerprint, None)
        self._changed[fingerprint] = merged
        if relabelled:
            self._relabel(merged)
        elif known.shadow and not alert.shadow and not self._groups_of(fingerprint):
            self._join(merged)  # its rule went live

    def _end(self, known: Alert, alert: Alert) -> None:
        self._ended += 1
        fingerprint = known.fingerprint
        assert alert.ends_at is not None
        self._refreshed.pop(fingerprint, None)
        self._changed[fingerprint] = replace(
            _same_episode(known, alert, known.labels),
            # A sender that resolves with labels alone does not take back what it said.
            annotations=alert.annotations or known.annotations,
            ended=alert.ended or EndReason.SENDER,
            stale_since=None,
        )
        if not self._groups_of(fingerprint):
            self._forgotten[fingerprint] = None  # a shadow: nobody is to be told

    def _refire(self, known: Alert, alert: Alert) -> None:
        fingerprint = known.fingerprint
        keys = self._groups_of(fingerprint)
        if self._end_was_told(fingerprint, keys):
            self._new += 1
            merged = alert
        else:
            self._resent += 1
            merged = _same_episode(known, alert, alert.labels)
        self._changed[fingerprint] = merged
        self._refreshed.pop(fingerprint, None)
        if alert.labels != known.labels:
            self._relabel(merged)
        if alert.shadow:
            return
        if not keys:
            self._join(merged)
        for key in keys:
            group = self._group(key)
            route = self._router.routes.get(group.route) if group is not None else None
            if group is not None and route is not None:
                self._look_sooner(group, route, merged)

    def _relabel(self, alert: Alert) -> None:
        self._router.forget(alert.fingerprint)
        self._relabelled[alert.fingerprint] = None
        if alert.shadow:
            return
        before = self._groups_of(alert.fingerprint)
        self._join(alert)
        self._joined[alert.fingerprint] = [
            *dict.fromkeys((*before, *self._joined[alert.fingerprint]))
        ]

    def _join(self, alert: Alert) -> None:
        labels, fingerprint = alert.labels, alert.fingerprint
        keys: list[str] = []
        for route in self._router.match(labels, fingerprint):
            key, shared = group_key(route, labels)
            keys.append(key)
            group = self._group(key)
            if group is None:
                self._groups[key] = new_group(route, key, shared, alert, self._now)
            else:
                self._look_sooner(group, route, alert)
        self._joined[fingerprint] = keys

    def _look_sooner(self, group: Group, route: Route, alert: Alert) -> None:
        """A firing alert joined: the group's next look may be too late for it.

        A group that told of something waits for its interval. One that has not been
        looked at yet waits for its first look. One whose message is closed, since all of
        it resolved, begins anew: with `group_wait`, rather than the rest of the interval.
        """
        at = group.flush_at
        due = first_look(route, alert, self._now)
        if at is None or (due < at and (waits(group, route) or _closed(group))):
            self._groups[group.key] = replace(group, flush_at=due)

    def _group(self, key: str) -> Group | None:
        return self._groups.get(key) or self._ledger.groups.get(key)

    def _groups_of(self, fingerprint: str) -> Sequence[str]:
        return self._joined.get(fingerprint) or self._ledger.groups_of(fingerprint)

    def _end_was_told(self, fingerprint: str, keys: Sequence[str]) -> bool:
        groups = (self._ledger.groups.get(key) for key in keys)
        return any(
            fingerprint in told.resolved
            for group in groups
            if group is not None
            for told in group.told.values()
        )


def _closed(group: Group) -> bool:
    return bool(group.told) and not any(told.firing for told in group.told.values())


def _same_episode(known: Alert, alert: Alert, labels: Mapping[str, str]) -> Alert:
    """`alert` as the newest word on the episode that is `known`."""
    # Written out: replace() takes twice as long, and this runs for each re-sent alert
    # whose sender gives no start.
    return Alert(
        known.fingerprint,
        labels,
        alert.annotations,
        min(known.starts_at, alert.starts_at),
        known.fired_at,
        alert.updated_at,
        alert.ends_at,
        alert.ended,
        alert.stale_since,
        alert.generator_url,
        alert.rule,
        alert.place,
        alert.shadow,
        alert.drill,
        alert.evidence,
        alert.level,
        alert.flapping,
    )


def _says_the_same(known: Alert, alert: Alert) -> bool:
    """Whether nothing but the promised end has moved."""
    return (
        alert.starts_at == known.starts_at
        and alert.annotations == known.annotations
        and alert.generator_url == known.generator_url
        and alert.stale_since == known.stale_since
        and alert.shadow == known.shadow
        and alert.drill == known.drill
        and alert.level == known.level
        and alert.flapping == known.flapping
        and alert.rule == known.rule
        and alert.place == known.place
        and (not alert.rule or alert.evidence == known.evidence)  # the API brings none
        # From "until I say so" to a promised end is news, and the other way round.
        and (alert.ends_at is None) == (known.ends_at is None)
    )
