"""The working memory: what the store holds, in indices that make the next step cheap.

`apply` is the only way to change it, and takes what the store takes. It decides nothing.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from sre_obs.model.alert import Alert
from sre_obs.model.changes import Changes
from sre_obs.model.evaluation import EntityState, RuleRun
from sre_obs.model.notification import Delivery, DeliveryState, Group
from sre_obs.model.silence import Silence
from sre_obs.model.store import Snapshot

_NOBODY: Mapping[str, EntityState] = {}
_SENDABLE = (DeliveryState.READY, DeliveryState.AMBIGUOUS)


class Ledger:
    """Alerts, groups, unfinished deliveries, silences and rule states, by identity.

    Not thread-safe: it belongs to the one loop. Read its mappings, never write them.
    """

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        s = snapshot or Snapshot()
        self.alerts: dict[str, Alert] = {}
        self.groups: dict[str, Group] = {}
        self.silences: dict[str, Silence] = {}
        self.runs: dict[str, RuleRun] = {}
        self.entities: dict[str, dict[str, EntityState]] = {}
        self.next_number = s.next_number
        self._members: dict[str, dict[str, None]] = {}
        self._groups_of: dict[str, tuple[str, ...]] = {}
        self._conversations: dict[tuple[str, str], deque[str]] = {}
        self._deliveries: dict[str, Delivery] = {}
        # Heaps of times, in which old times stay until they are popped; armed is what an
        # entry must agree with to count, so that nothing is told twice.
        self._flushes: list[tuple[float, str]] = []
        self._armed_flushes: dict[str, float] = {}  # group key -> flush_at
        self._dues: list[tuple[float, int, str]] = []
        self._armed_dues: dict[str, float] = {}  # delivery id -> due_at
        self.apply(
            Changes(
                alerts=s.alerts,
                groups=s.groups,
                deliveries=tuple(sorted(s.deliveries, key=lambda d: d.number)),
                silences=s.silences,
                entities=s.entities,
                runs=s.runs,
            )
        )

    def apply(self, changes: Changes) -> None:
        """Take the changes over; the last of one identity wins."""
        for alert in changes.alerts:
            self.alerts[alert.fingerprint] = alert
        for group in changes.groups:
            before = self.groups.get(group.key)
            self.groups[group.key] = group
            if before is None or before.flush_at != group.flush_at:
                self._schedule_flush(group)
        for key, fingerprint in changes.joined:
            self._join(key, fingerprint)
        for delivery in changes.deliveries:
            self._take(delivery)
        for silence in changes.silences:
            self.silences[silence.id] = silence
        for state in changes.entities:
            self.entities.setdefault(state.rule, {})[state.key] = state
        for rule, key in changes.forgotten_entities:
            self.entities.get(rule, {}).pop(key, None)
        for run in changes.runs:
            self.runs[run.rule] = run
        for fingerprint in changes.forgotten_alerts:
            self._forget(fingerprint)
        for key in changes.forgotten_groups:
            self.groups.pop(key, None)
            self._armed_flushes.pop(key, None)
            for fingerprint in self._members.pop(key, {}):
                left = tuple(k for k in self._groups_of.get(fingerprint, ()) if k != key)
                self._groups_of[fingerprint] = left

    def members(self, group: str) -> Iterator[Alert]:
        """The alerts of a group, in order of joining."""
        return (self.alerts[f] for f in self._members.get(group, ()))

    def groups_of(self, fingerprint: str) -> tuple[str, ...]:
        """The keys of the groups that an alert is in."""
        return self._groups_of.get(fingerprint, ())

    def entities_of(self, rule: str) -> Mapping[str, EntityState]:
        """A rule's entities by key."""
        return self.entities.get(rule, _NOBODY)

    def conversation(self, group: str, integration: str) -> tuple[Delivery, ...]:
        """A conversation's unfinished deliveries, in the order they must go out."""
        ids = self._conversations.get((group, integration), ())
        return tuple(self._deliveries[i] for i in ids)

    @property
    def deliveries(self) -> Mapping[str, Delivery]:
        """All unfinished deliveries by id."""
        return self._deliveries

    def groups_due(self, now: float, limit: int) -> list[Group]:
        """At most `limit` groups to look at by `now`, earliest first; each is told once."""
        due: list[Group] = []
        while self._flushes and self._flushes[0][0] <= now and len(due) < limit:
            at, key = heapq.heappop(self._flushes)
            if self._armed_flushes.get(key) == at:
                del self._armed_flushes[key]
                due.append(self.groups[key])
        return due

    def deliveries_due(self, now: float, limit: int) -> list[Delivery]:
        """At most `limit` deliveries to try by `now`: heads of their conversations.

        Each is told of once until it is applied again: who takes it claims it or sets a
        new time.
        """
        due: list[Delivery] = []
        while self._dues and self._dues[0][0] <= now and len(due) < limit:
            at, _, id_ = heapq.heappop(self._dues)
            if self._armed_dues.get(id_) != at:
                continue
            del self._armed_dues[id_]
            delivery = self._deliveries[id_]
            if self._conversations[delivery.conversation][0] == id_:
                due.append(delivery)
        return due

    def next_wake(self) -> float | None:
        """The earliest time at which a group or a delivery falls due."""
        while self._flushes and self._armed_flushes.get(self._flushes[0][1]) != self._flushes[0][0]:
            heapq.heappop(self._flushes)
        while self._dues and self._armed_dues.get(self._dues[0][2]) != self._dues[0][0]:
            heapq.heappop(self._dues)
        times = [heap[0][0] for heap in (self._flushes, self._dues) if heap]
        return min(times, default=None)

    def reroute(self, joined: Iterable[tuple[str, str]]) -> None:
        """Replace all membership: after a load, or when the routes have changed."""
        self._members.clear()
        self._groups_of.clear()
        for key, fingerprint in joined:
            self._join(key, fingerprint)

    def _join(self, key: str, fingerprint: str) -> None:
        members = self._members.setdefault(key, {})
        if fingerprint not in members:
            members[fingerprint] = None
            self._groups_of[fingerprint] = (*self._groups_of.get(fingerprint, ()), key)

    def _forget(self, fingerprint: str) -> None:
        self.alerts.pop(fingerprint, None)
        for key in self._groups_of.pop(fingerprint, ()):
            members = self._members.get(key)
            if members is not None:
                members.pop(fingerprint, None)
                if not members:
                    del self._members[key]

    def _take(self, delivery: Delivery) -> None:
        self.next_number = max(self.next_number, delivery.number + 1)
        queue = self._conversations.get(delivery.conversation)
        if delivery.state.final:
            if self._deliveries.pop(delivery.id, None) is None or queue is None:
                return
            self._armed_dues.pop(delivery.id, None)
            was_head = queue[0] == delivery.id
            queue.remove(delivery.id)
            if not queue:
                del self._conversations[delivery.conversation]
            elif was_head:
                self._schedule(self._deliveries[queue[0]])
            return
        if delivery.id not in self._deliveries:
            if queue is None:
                queue = self._conversations[delivery.conversation] = deque()
            queue.append(delivery.id)
        self._deliveries[delivery.id] = delivery
        self._schedule(delivery)

    def _schedule(self, delivery: Delivery) -> None:
        if delivery.state not in _SENDABLE:
            self._armed_dues.pop(delivery.id, None)
        elif self._armed_dues.get(delivery.id) != delivery.due_at:
            self._armed_dues[delivery.id] = delivery.due_at
            heapq.heappush(self._dues, (delivery.due_at, delivery.number, delivery.id))

    def _schedule_flush(self, group: Group) -> None:
        if group.flush_at is None:
            self._armed_flushes.pop(group.key, None)
        else:
            self._armed_flushes[group.key] = group.flush_at
            heapq.heappush(self._flushes, (group.flush_at, group.key))
