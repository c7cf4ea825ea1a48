"""A group that is due: what changes, what need not be written, why; and groups anew."""

from __future__ import annotations

from dataclasses import replace

from sre_obs.model.alert import Alert, EndReason
from sre_obs.model.changes import Changes
from sre_obs.model.ledger import Ledger
from sre_obs.model.notification import Delivery, DeliveryState, Group
from sre_obs.model.routing import Routing
from sre_obs.model.silence import Silence
from sre_obs.query.matchers import parse_matchers
from sre_obs.route.accept import accept
from sre_obs.route.pipeline import Flushed, flush
from sre_obs.route.reroute import reroute
from sre_obs.route.silence import SilenceIndex, touched_by_silence
from sre_obs.route.tree import Router
from tests.route.parts import alert, ended, route, routing

NOW = 1000.0
A = {"alertname": "Disk", "host": "a"}
B = {"alertname": "Disk", "host": "b"}


class House:
    """A ledger and a router; one group, looked at when a test says so."""

    def __init__(self, routes: Routing | None = None) -> None:
        self.router = Router(routes or routing())
        self.ledger = Ledger()
        self.silences = SilenceIndex()

    def take(self, *alerts: Alert, now: float = NOW) -> None:
        self.ledger.apply(accept(alerts, self.ledger, self.router, now).changes)

    def look(self, now: float) -> Flushed:
        flushed = flush(self.group, self.ledger, self.router, self.silences, now)
        self.ledger.apply(Changes(groups=flushed.refreshed))
        self.ledger.apply(flushed.changes)
        return flushed

    def finish(self, state: DeliveryState = DeliveryState.SENT) -> None:
        rows = [replace(row, state=state) for row in self.ledger.deliveries.values()]
        self.ledger.apply(Changes(deliveries=tuple(rows)))

    def silence(self, text: str, until: float) -> Silence:
        made = Silence("s1", parse_matchers(text), 0.0, until, "ana", "deploy", 0.0)
        self.ledger.apply(Changes(silences=(made,)))
        self.silences = SilenceIndex(self.ledger.silences.values())
        return made

    @property
    def group(self) -> Group:
        (only,) = self.ledger.groups.values()
        return only


def only_row(flushed: Flushed) -> Delivery:
    (row,) = flushed.changes.deliveries
    return row


def test_what_is_told_and_the_rows_that_stand_for_it_change_together() -> None:
    house = House()
    house.take(alert(A))
    flushed = house.look(NOW + 30)
    row = only_row(flushed)
    (group,) = flushed.changes.groups
    assert group.told[row.integration].firing == frozenset(row.firing)
    assert group.told[row.integration].generation == row.generation == 1
    assert group.flush_at == NOW + 330
    assert flushed.decisions[0].told
    assert flushed.decisions[0].reason == "first notification"


def test_a_look_that_finds_nothing_new_is_for_memory_alone() -> None:
    house = House()
    house.take(alert(A))
    house.look(NOW + 30)
    flushed = house.look(NOW + 330)
    assert not flushed.changes
    assert [g.flush_at for g in flushed.refreshed] == [NOW + 630]
    assert (flushed.decisions[0].told, flushed.decisions[0].reason) == (False, "nothing new")


def test_an_alert_whose_promise_ran_out_is_written_as_expired() -> None:
    house = House()
    house.take(alert(A, ends_at=NOW + 100), alert(B))
    house.look(NOW + 30)
    flushed = house.look(NOW + 330)
    (expired,) = flushed.changes.alerts
    assert (expired.ended, expired.ends_at) == (EndReason.EXPIRED, NOW + 100)
    assert only_row(flushed).resolved == (expired.fingerprint,)


def test_an_alert_that_expired_before_it_was_told_leaves_its_end_to_history() -> None:
    house = House()
    house.take(alert(A, ends_at=NOW + 10))
    flushed = house.look(NOW + 30)
    assert [a.ended for a in flushed.changes.alerts] == [EndReason.EXPIRED]
    assert not house.ledger.alerts
    assert not house.ledger.groups


def test_alerts_and_their_group_stay_until_the_rows_that_tell_of_them_are_through() -> None:
    house = House()
    house.take(alert(A))
    house.look(NOW + 30)
    house.take(ended(A, at=NOW + 40), now=NOW + 40)
    house.look(NOW + 330)
    house.look(NOW + 630)
    assert house.ledger.alerts, "two rows wait: their words are taken from the alert"
    house.finish()
    house.look(NOW + 930)
    assert not house.ledger.alerts
    assert not house.ledger.groups


def test_a_group_that_lost_its_members_stays_until_its_rows_are_through() -> None:
    house = House()
    house.take(alert(A))
    house.look(NOW + 30)
    house.ledger.apply(Changes(forgotten_alerts=tuple(house.ledger.alerts)))
    house.look(NOW + 330)
    assert house.group
    house.finish()
    house.look(NOW + 630)
    assert not house.ledger.groups


def test_an_alert_in_two_groups_is_forgotten_when_both_are_done_with_it() -> None:
    tree = route("", route('host="a"', id="one", continues=True), route('host=~"."', id="two"))
    house = House(routing(tree))
    house.take(alert(A))
    one, two = house.ledger.groups

    def look(key: str, now: float) -> Flushed:
        group = house.ledger.groups[key]
        flushed = flush(group, house.ledger, house.router, house.silences, now)
        house.ledger.apply(flushed.changes)
        return flushed

    look(one, NOW + 30)
    look(two, NOW + 30)
    house.take(ended(A, at=NOW + 40), now=NOW + 40)
    look(one, NOW + 330)
    house.finish()
    look(one, NOW + 630)
    assert house.ledger.alerts, "the other group has yet to tell its end"
    look(two, NOW + 640)
    house.finish()
    look(two, NOW + 940)
    assert not house.ledger.alerts
    look(one, NOW + 950)
    assert not house.ledger.groups


def test_a_decision_names_who_is_silenced_by_whom_and_until_when() -> None:
    house = House()
    house.silence('host="a"', until=NOW + 100)
    house.take(alert(A), alert(B))
    flushed = house.look(NOW + 30)
    (decision,) = flushed.decisions
    assert decision.reason == (
        "first notification; 1 of 2 silenced by s1 (ana: deploy) until 1970-01-01T00:18:20Z"
    )
    assert decision.suppressed == (alert(A).fingerprint,)
    assert only_row(flushed).firing == (alert(B).fingerprint,)
    assert house.group.flush_at == NOW + 100, "looked at when the silence ends"


def test_a_silence_pulls_in_only_the_groups_of_alerts_that_it_matches() -> None:
    house = House()
    silence = house.silence('host="a"', until=NOW + 5000)
    house.take(alert(A))
    house.look(NOW + 30)
    over = replace(silence, ends_at=NOW + 60)
    touched = touched_by_silence(over, house.ledger, house.router, NOW + 60)
    assert [g.flush_at for g in touched.groups] == [NOW + 60]
    other = replace(over, matchers=parse_matchers('host="b"'))
    assert not touched_by_silence(other, house.ledger, house.router, NOW + 60)
    assert not touched_by_silence(silence, house.ledger, house.router, NOW + 60)


def test_rows_of_one_look_are_numbered_on() -> None:
    house = House()
    house.take(alert(A))
    first = only_row(house.look(NOW + 30))
    house.take(alert(B), now=NOW + 40)
    second = house.look(NOW + 330).changes.deliveries
    numbers = [row.number for row in second if row.state is DeliveryState.READY]
    assert numbers == [first.number + 1]


def test_the_same_routes_change_nothing() -> None:
    house = House()
    house.take(alert(A), alert(B))
    house.look(NOW + 30)
    changes = reroute(house.ledger, house.router, NOW + 40)
    assert not changes.stored
    assert {f for _, f in changes.joined} == set(house.ledger.alerts)


def test_other_group_labels_make_other_groups_and_the_old_one_owes_the_end() -> None:
    house = House()
    house.take(alert(A))
    house.look(NOW + 30)
    old = house.group.key
    changes = reroute(house.ledger, Router(routing(route(group_by=("host",)))), NOW + 100)
    (new,) = changes.groups
    assert new.key == '{}:{host="a"}'
    assert new.flush_at == NOW + 100, "an old alert is told at once"
    assert not changes.forgotten_groups
    assert {key for key, _ in changes.joined} == {old, new.key}


def test_an_old_group_that_told_nothing_goes() -> None:
    house = House()
    house.take(alert(A))
    old = house.group.key
    changes = reroute(house.ledger, Router(routing(route(group_by=("host",)))), NOW + 10)
    assert changes.forgotten_groups == (old,)
    assert {key for key, _ in changes.joined} == {'{}:{host="a"}'}


def test_what_ended_and_is_in_no_group_is_forgotten() -> None:
    house = House()
    house.take(alert(A))
    house.take(ended(A, at=NOW + 5), now=NOW + 5)
    changes = reroute(house.ledger, Router(routing(route(group_by=("host",)))), NOW + 10)
    assert changes.forgotten_alerts == (alert(A).fingerprint,)
    assert not changes.joined


def test_a_shorter_interval_holds_at_once() -> None:
    house = House()
    house.take(alert(A))
    house.look(NOW + 30)
    changes = reroute(house.ledger, Router(routing(route(group_interval=60.0))), NOW + 100)
    assert [g.flush_at for g in changes.groups] == [NOW + 160]


def test_a_member_whose_rule_went_into_shadow_is_named_in_the_reason() -> None:
    house = House()
    house.take(alert(A))
    house.look(NOW + 30)
    house.take(alert(A, shadow=True), now=NOW + 40)
    (decision,) = house.look(NOW + 330).decisions
    assert decision.reason == "nothing to tell; 1 of 1 in shadow"
