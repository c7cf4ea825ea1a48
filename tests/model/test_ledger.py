"""The Ledger against a naive model that looks through everything each time."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sre_obs.model.alert import Alert
from sre_obs.model.changes import Changes
from sre_obs.model.ledger import Ledger
from sre_obs.model.notification import Delivery, DeliveryState, Group
from sre_obs.model.store import Snapshot
from tests.model import nouns
from tests.model.nouns import (
    FINGERPRINTS,
    GROUPS,
    INTEGRATIONS,
    make_alert,
    make_delivery,
    make_group,
)

SENDABLE = (DeliveryState.READY, DeliveryState.AMBIGUOUS)
TIMES = st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
LIMITS = st.sampled_from([1, 2, 100])


class Naive:
    """What the Ledger means, without an index: dictionaries, and lists of what is armed.

    A group is armed when its `flush_at` changes, a delivery when it is applied while it
    can be sent, or becomes the head of its conversation; being told disarms.
    """

    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}
        self.groups: dict[str, Group] = {}
        self.deliveries: dict[str, Delivery] = {}
        self.queue: list[str] = []  # unfinished deliveries in order of arrival
        self.joined: list[tuple[str, str]] = []
        self.armed_groups: set[str] = set()
        self.armed: set[str] = set()
        self.next_number = 1

    def apply(self, changes: Changes) -> None:
        self.alerts.update({a.fingerprint: a for a in changes.alerts})
        for group in changes.groups:
            before = self.groups.get(group.key)
            self.groups[group.key] = group
            if before is None or before.flush_at != group.flush_at:
                self.armed_groups.add(group.key)
        for pair in changes.joined:
            if pair not in self.joined:
                self.joined.append(pair)
        for delivery in changes.deliveries:
            self.take(delivery)
        for fingerprint in changes.forgotten_alerts:
            self.alerts.pop(fingerprint, None)
            self.joined = [pair for pair in self.joined if pair[1] != fingerprint]
        for key in changes.forgotten_groups:
            self.groups.pop(key, None)
            self.armed_groups.discard(key)
            self.joined = [pair for pair in self.joined if pair[0] != key]

    def take(self, delivery: Delivery) -> None:
        self.next_number = max(self.next_number, delivery.number + 1)
        if delivery.state.final:
            if delivery.id in self.deliveries:
                was_head = self.head(delivery) == delivery.id
                del self.deliveries[delivery.id]
                self.queue.remove(delivery.id)
                self.armed.discard(delivery.id)
                head = self.head(delivery)
                if was_head and head is not None:
                    self.armed.add(head)
            return
        if delivery.id not in self.deliveries:
            self.queue.append(delivery.id)
        self.deliveries[delivery.id] = delivery
        self.armed.add(delivery.id)

    def conversation(self, group: str, integration: str) -> list[Delivery]:
        all_ = (self.deliveries[id_] for id_ in self.queue)
        return [d for d in all_ if d.conversation == (group, integration)]

    def head(self, delivery: Delivery) -> str | None:
        return next((d.id for d in self.conversation(*delivery.conversation)), None)

    def groups_due(self, now: float, limit: int) -> list[Group]:
        due = [g for g in self.flushes() if self.at(g) <= now]
        told = sorted(due, key=lambda g: (self.at(g), g.key))[:limit]
        self.armed_groups -= {g.key for g in told}
        return told

    def flushes(self) -> list[Group]:
        return [self.groups[k] for k in self.armed_groups if self.groups[k].flush_at is not None]

    @staticmethod
    def at(group: Group) -> float:
        assert group.flush_at is not None
        return group.flush_at

    def sendable(self) -> list[Delivery]:
        return [self.deliveries[i] for i in self.armed if self.deliveries[i].state in SENDABLE]

    def deliveries_due(self, now: float, limit: int) -> list[Delivery]:
        told: list[Delivery] = []
        for delivery in sorted(self.sendable(), key=lambda d: (d.due_at, d.number)):
            if delivery.due_at > now or len(told) == limit:
                break
            self.armed.discard(delivery.id)
            if self.head(delivery) == delivery.id:
                told.append(delivery)
        return told

    def next_wake(self) -> float | None:
        times = [self.at(g) for g in self.flushes()] + [d.due_at for d in self.sendable()]
        return min(times, default=None)


class LedgerMachine(RuleBasedStateMachine):
    """Any changes, and any looking at what is due, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.naive = Naive()

    @rule(changes=nouns.changes)
    def apply(self, changes: Changes) -> None:
        # An alert joins a group once it is there.
        known = {a.fingerprint for a in changes.alerts} | set(self.naive.alerts)
        joined = tuple(pair for pair in changes.joined if pair[1] in known)
        changes = replace(changes, joined=joined)
        self.ledger.apply(changes)
        self.naive.apply(changes)

    @rule(pairs=st.lists(st.tuples(st.sampled_from(GROUPS), st.sampled_from(FINGERPRINTS))))
    def reroute(self, pairs: list[tuple[str, str]]) -> None:
        joined = [pair for pair in pairs if pair[1] in self.naive.alerts]
        self.ledger.reroute(joined)
        self.naive.joined = list(dict.fromkeys(joined))

    @rule(now=TIMES, limit=LIMITS)
    def look_at_groups(self, now: float, limit: int) -> None:
        assert self.ledger.groups_due(now, limit) == self.naive.groups_due(now, limit)

    @rule(now=TIMES, limit=LIMITS)
    def look_at_deliveries(self, now: float, limit: int) -> None:
        assert self.ledger.deliveries_due(now, limit) == self.naive.deliveries_due(now, limit)

    @invariant()
    def agrees(self) -> None:
        ledger, naive = self.ledger, self.naive
        assert ledger.alerts == naive.alerts
        assert ledger.groups == naive.groups
        assert ledger.deliveries == naive.deliveries
        assert ledger.next_number == naive.next_number
        assert ledger.next_wake() == naive.next_wake()
        for key in GROUPS:
            members = [naive.alerts[f] for k, f in naive.joined if k == key]
            assert list(ledger.members(key)) == members
            for integration in INTEGRATIONS:
                conversation = ledger.conversation(key, integration)
                assert list(conversation) == naive.conversation(key, integration)
        for fingerprint in FINGERPRINTS:
            keys = [k for k, f in naive.joined if f == fingerprint]
            assert list(ledger.groups_of(fingerprint)) == keys


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(
    settings.default, max_examples=settings.default.max_examples // 2, stateful_step_count=20
)


def test_a_delivery_that_waited_behind_another_is_told_once() -> None:
    ledger = Ledger()
    first, second = make_delivery(1, due_at=1.0), make_delivery(2, due_at=5.0)
    ledger.apply(Changes(deliveries=(first, second)))
    ledger.apply(Changes(deliveries=(replace(first, state=DeliveryState.SENT),)))

    assert ledger.deliveries_due(10.0, 100) == [second]


def test_a_group_whose_time_was_moved_to_and_fro_is_told_once() -> None:
    ledger = Ledger()
    for at in (1.0, 2.0, 1.0):
        ledger.apply(Changes(groups=(make_group(flush_at=at),)))

    assert len(ledger.groups_due(10.0, 100)) == 1


def test_a_delivery_of_the_same_time_applied_again_is_told_again() -> None:
    ledger = Ledger()
    delivery = make_delivery(1, due_at=1.0)
    ledger.apply(Changes(deliveries=(delivery,)))
    assert ledger.deliveries_due(1.0, 100) == [delivery]
    assert ledger.deliveries_due(1.0, 100) == []

    ledger.apply(Changes(deliveries=(delivery,)))
    assert ledger.deliveries_due(1.0, 100) == [delivery]


def test_only_the_head_of_a_conversation_is_due() -> None:
    ledger = Ledger()
    first, second = make_delivery(1, due_at=9.0), make_delivery(2, due_at=1.0)
    ledger.apply(Changes(deliveries=(first, second)))

    assert ledger.deliveries_due(5.0, 100) == []
    assert ledger.deliveries_due(9.0, 100) == [first]
    ledger.apply(Changes(deliveries=(replace(first, state=DeliveryState.DEAD),)))
    assert ledger.deliveries_due(9.0, 100) == [second]


def test_what_a_snapshot_holds_is_due_again_in_order_of_number() -> None:
    late, early = make_delivery(2), make_delivery(1)
    ledger = Ledger(Snapshot(deliveries=(late, early), groups=(make_group(),), next_number=9))

    assert ledger.conversation("g1", "team/slack[0]") == (early, late)
    assert ledger.deliveries_due(200.0, 100) == [early]
    assert ledger.groups_due(200.0, 100) == [make_group()]
    assert ledger.next_number == 9


@given(times=st.lists(TIMES, max_size=30))
def test_moving_a_groups_time_leaves_nothing_behind(times: list[float]) -> None:
    ledger = Ledger()
    for at in times:
        ledger.apply(Changes(groups=(make_group(flush_at=at),)))
    ledger.groups_due(100.0, 100)

    assert ledger.next_wake() is None


def test_a_forgotten_alert_leaves_its_groups() -> None:
    ledger = Ledger()
    ledger.apply(
        Changes(
            alerts=(make_alert("a1"), make_alert("a2")),
            groups=(make_group(),),
            joined=(("g1", "a1"), ("g1", "a2")),
        )
    )
    ledger.apply(Changes(forgotten_alerts=("a1",)))

    assert [a.fingerprint for a in ledger.members("g1")] == ["a2"]
    assert ledger.groups_of("a1") == ()
