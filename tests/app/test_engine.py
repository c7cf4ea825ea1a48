"""What the engine promises, moment by moment: the time is an argument, nothing waits."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from sre_obs.app.daemon.engine import CATCH_UP_PAUSE, START_PAUSE, STEP, Claim, Engine
from sre_obs.app.daemon.lanes import IN_FLIGHT
from sre_obs.model.alert import Alert, EndReason, fingerprint
from sre_obs.model.changes import AuditEntry, Changes
from sre_obs.model.errors import StoreFull
from sre_obs.model.ledger import Ledger
from sre_obs.model.matcher import Matcher, MatchOp
from sre_obs.model.notification import DeliveryState
from sre_obs.model.outcome import Answer, Failure, Verdict
from sre_obs.model.silence import Silence
from sre_obs.notify.ports import Found
from sre_obs.route.silence import expire
from tests.app.virtual import routing
from tests.fakes.store import Disk, FakeStore

T0 = 1_700_000_000.0
DELIVERED = Answer(Verdict.DELIVERED)
ROUTES = """
route: {receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 60s}
receivers:
  - name: hook
    webhook_configs: [{url: "http://127.0.0.1:1/"}]
"""
TWO = """
route:
  receiver: hook
  group_by: [alertname]
  group_wait: 0s
  group_interval: 60s
  routes:
    - {receiver: other, matchers: ['alertname =~ "other.*"']}
receivers:
  - name: hook
    webhook_configs: [{url: "http://127.0.0.1:1/"}]
  - name: other
    webhook_configs: [{url: "http://127.0.0.1:2/"}]
"""
SLACK = """
global: {slack_app_token: xoxb-1}
route: {receiver: chat, group_by: [alertname], group_wait: 0s, group_interval: 60s}
receivers:
  - name: chat
    slack_configs: [{channel: "#alerts"}]
"""


def alert(name: str, now: float = T0, *, ends_at: float | None = None, **labels: str) -> Alert:
    """An alert that fires from `now` on."""
    labels = {"alertname": name, **labels}
    return Alert(fingerprint(labels), labels, {}, now, now, now, ends_at=ends_at)


def over(one: Alert, now: float) -> Alert:
    return replace(one, ends_at=now, updated_at=now, ended=EndReason.SENDER)


class House:
    """An engine, its store, and what has left it."""

    def __init__(self, routes: str = ROUTES, disk: Disk | None = None) -> None:
        self.store = FakeStore(disk)
        self.claims: list[Claim] = []
        self.engine = Engine(
            Ledger(self.store.load()),
            self.store,
            routing(routes),
            depart=self.claims.append,
            seed=1,
        )

    def accept(self, *alerts: Alert, now: float = T0) -> None:
        self.engine.accept(alerts, now)

    def answer(self, claim: Claim, answer: Answer = DELIVERED, now: float = T0) -> None:
        self.engine.settle(claim.delivery, answer, now)

    def deliver(self, now: float) -> list[Claim]:
        """Answer all that has left, and what that lets go; all of it."""
        done: list[Claim] = []
        self.engine.advance(now)
        while self.claims:
            claim = self.claims.pop(0)
            done.append(claim)
            self.answer(claim, now=now)
        return done

    def names(self, claims: Sequence[Claim] | None = None) -> list[str]:
        """Whom they tell of."""
        known = self.store.disk.alerts.values()
        of = {one.fingerprint: one.name for one in known}
        return [
            of[print_]
            for claim in (self.claims if claims is None else claims)
            for print_ in (*claim.delivery.firing, *claim.delivery.resolved)
        ]


def test_a_claim_leaves_with_the_transaction_that_wrote_it() -> None:
    house = House()
    house.store.hold()
    house.accept(alert("a"))
    (claim,) = house.claims
    assert not claim.written.done()
    (row,) = {d.id: d for d in house.store.commits[-1].deliveries}.values()
    assert (row.id, row.state) == (claim.delivery.id, DeliveryState.SENDING)
    assert house.store.commits[-1].alerts
    house.store.release()
    assert claim.written.result() is None
    assert house.store.disk.deliveries[claim.delivery.id].state is DeliveryState.SENDING


def test_a_claim_whose_transaction_failed_says_so_and_nothing_is_forgotten() -> None:
    house = House()
    house.store.failing = StoreFull("no room")
    written = house.engine.accept([alert("a")], T0)
    assert isinstance(written.exception(), StoreFull)
    assert isinstance(house.claims[0].written.exception(), StoreFull)
    assert not house.store.disk.alerts
    # A re-sent alert changes nothing, and must not be answered as if it were on disk.
    again = house.engine.accept([alert("a", T0)], T0 + 1)
    assert isinstance(again.exception(), StoreFull)
    house.store.failing = None
    house.store.retry()
    assert house.store.flushed().result() is None
    assert [a.name for a in house.store.disk.alerts.values()] == ["a"]
    assert len(house.claims) == 1


def test_an_integration_has_a_few_under_way_and_the_others_their_own() -> None:
    house = House(TWO)
    house.accept(*(alert(f"a{n}") for n in range(10)), alert("other-1"))
    lanes = Counter(claim.delivery.integration for claim in house.claims)
    assert lanes == {"hook/webhook[0]": IN_FLIGHT, "other/webhook[0]": 1}
    house.answer(next(c for c in house.claims if c.delivery.receiver == "hook"))
    assert Counter(c.delivery.integration for c in house.claims)["hook/webhook[0]"] == 5


def test_all_in_line_go_in_order_and_once() -> None:
    house = House()
    house.accept(*(alert(f"a{n:03d}") for n in range(200)))
    names = house.names(house.deliver(T0 + 1))
    assert names == [f"a{n:03d}" for n in range(200)]
    assert not house.engine.busy
    assert not house.engine.ledger.deliveries


def test_one_in_line_that_was_superseded_costs_nobody_a_place() -> None:
    house = House()
    house.accept(*(alert(f"a{n}") for n in range(6)))
    assert len(house.claims) == IN_FLIGHT
    # a4 stands in line; a second alert of its group is told together with it instead.
    house.accept(alert("a4", host="second"), now=T0 + 30)
    house.engine.advance(T0 + 61)
    house.answer(house.claims[0], now=T0 + 62)
    assert house.names()[IN_FLIGHT:] == ["a5"]


def test_a_failure_does_not_come_back_before_its_time_however_short_the_line() -> None:
    house = House()
    house.accept(*(alert(f"a{n}") for n in range(5)))
    for claim in house.claims[:IN_FLIGHT]:
        house.answer(claim, Answer(Verdict.RETRY, Failure.SERVER), now=T0 + 1)
    assert house.names()[IN_FLIGHT:] == ["a4"]
    house.answer(house.claims[IN_FLIGHT], now=T0 + 1)
    assert len(house.claims) == 5
    wake = house.engine.next_wake(T0 + 1)
    assert wake is not None
    assert T0 + 2 <= wake < T0 + 3


def test_slack_is_written_to_at_its_pace() -> None:
    house = House(SLACK)
    house.accept(*(alert(f"a{n}") for n in range(8)))
    burst = len(house.claims)
    for claim in [*house.claims]:
        house.answer(claim)
    assert burst == len(house.claims) == 4
    times = []
    now = T0
    while len(house.claims) < 8:
        wake = house.engine.next_wake(now)
        assert wake is not None
        now = wake
        before = len(house.claims)
        house.engine.advance(now)
        for claim in house.claims[before:]:
            times.append(now - T0)
            house.answer(claim, now=now)
    assert times == pytest.approx([1.0, 2.0, 3.0, 4.0])


def test_a_lane_that_its_receiver_closed_is_closed_to_all_and_no_other_is() -> None:
    house = House(TWO)
    house.accept(alert("a"))
    busy = Answer(Verdict.RETRY, Failure.RATE_LIMITED, retry_after=20.0)
    house.answer(house.claims.pop(), busy)
    house.accept(alert("b"), alert("other-1"), now=T0 + 5)
    assert house.names() == ["other-1"]
    house.deliver(T0 + 5)
    house.engine.advance(T0 + 19)
    assert not house.claims
    assert sorted(house.names(house.deliver(T0 + 21))) == ["a", "b"]


def test_new_routes_send_the_rest_elsewhere_and_keep_what_was_told() -> None:
    house = House(TWO)
    house.accept(alert("a"), alert("other-1"))
    house.deliver(T0)
    elsewhere = TWO.replace("other.*", "nobody")
    house.engine.reload(routing(elsewhere), T0 + 10)
    claims = house.deliver(T0 + 80)
    # "hook" hears of other-1 for the first time; of "a" it was told.
    assert [(c.delivery.receiver, house.names([c])) for c in claims] == [("hook", ["other-1"])]
    house.accept(over(alert("other-1"), T0 + 100), now=T0 + 100)
    claims = house.deliver(T0 + 200)
    # Both who were told that it fires are told that it ended.
    assert {c.delivery.receiver for c in claims if c.delivery.resolved} == {"hook", "other"}


def test_what_waits_for_a_receiver_that_is_gone_goes_out_when_it_is_back() -> None:
    house = House(TWO)
    house.accept(*(alert(f"other-{n}") for n in range(8)))
    under_way = [*house.claims]
    house.claims.clear()
    gone = (
        TWO[: TWO.index("  routes:")] + TWO[TWO.index("receivers:") : TWO.index("  - name: other")]
    )
    house.engine.reload(routing(gone), T0 + 1)
    for claim in under_way:
        house.answer(claim, Answer(Verdict.RETRY, Failure.OTHER), now=T0 + 2)
    other = [d for d in house.engine.ledger.deliveries.values() if d.receiver == "other"]
    assert len(other) == 8
    house.deliver(T0 + 3)
    house.engine.reload(routing(TWO), T0 + 10)
    told = [c for c in house.deliver(T0 + 10) if c.delivery.receiver == "other"]
    assert sorted(house.names(told)) == [f"other-{n}" for n in range(8)]


def test_a_silence_that_ends_lets_its_alerts_be_told() -> None:
    house = House()
    silence = Silence(
        "s1", (Matcher("alertname", MatchOp.EQUAL, "a"),), T0, T0 + 3_600, "ana", "deploy", T0
    )
    house.engine.silence(silence, AuditEntry(T0, "ana", "silence.add", "s1"), T0)
    house.accept(alert("a"), alert("b"))
    assert house.names(house.deliver(T0)) == ["b"]
    now = T0 + 90
    entry = AuditEntry(now, "ana", "silence.expire", "s1")
    house.engine.silence(expire(silence, now), entry, now)
    assert house.names(house.deliver(now)) == ["a"]
    assert [e.action for e in house.store.disk.audit] == ["silence.add", "silence.expire"]


def test_a_process_that_is_about_to_stop_claims_nothing_and_keeps_it_on_disk() -> None:
    house = House()
    house.engine.hold()
    house.accept(alert("a"))
    assert not house.claims
    (row,) = house.store.disk.deliveries.values()
    assert row.state is DeliveryState.READY
    next_process = House(disk=house.store.disk)
    next_process.engine.start(T0 + 60)
    assert next_process.names() == ["a"]


def test_who_could_not_reach_us_gets_one_resolve_timeout_to_send_again() -> None:
    house = House()
    house.accept(alert("a", ends_at=T0 + 60))
    house.deliver(T0)
    after = House(disk=house.store.disk)
    after.engine.start(T0 + 600)
    assert not after.deliver(T0 + 600 + 299)
    (claim,) = after.deliver(T0 + 600 + 361)
    assert claim.delivery.resolved


def test_what_was_being_sent_is_asked_for_after_a_start_and_sent_if_it_is_not_there() -> None:
    house = House()
    house.accept(alert("a"))
    (lost,) = house.claims
    after = House(disk=house.store.disk)
    after.engine.start(T0 + 1)
    assert not after.claims
    after.engine.advance(T0 + 3)
    (asking,) = after.claims
    assert (asking.delivery.id, asking.delivery.state) == (
        lost.delivery.id,
        DeliveryState.AMBIGUOUS,
    )
    after.engine.reconcile(asking.delivery, Found.not_found(), T0 + 3)
    assert [c.delivery.id for c in after.claims] == [lost.delivery.id] * 2  # asked, sent
    assert after.claims[-1].delivery.state is DeliveryState.SENDING


def test_a_start_after_the_clock_was_set_back_waits_for_nobody_long() -> None:
    house = House()
    house.accept(alert("a"))
    busy = Answer(Verdict.RETRY, Failure.RATE_LIMITED, retry_after=600.0)
    house.answer(house.claims[0], busy)
    after = House(disk=house.store.disk)
    earlier = T0 - 3_600
    after.engine.start(earlier)
    wake = after.engine.next_wake(earlier)
    assert wake is not None
    assert wake <= earlier + START_PAUSE


def test_many_groups_that_fall_due_together_are_taken_in_steps() -> None:
    count = 100_000 if os.environ.get("SRE_OBS_TEST_FULL") == "1" else 10_000
    house = House(ROUTES.replace("group_wait: 0s", "group_wait: 30s"))
    house.accept(*(alert(f"a{n}") for n in range(count)))
    assert not house.claims
    now = T0 + 31
    steps = 0
    told: list[str] = []
    while (wake := house.engine.next_wake(now)) is not None and wake <= now:
        before = len(house.store.commits)
        house.engine.advance(now)
        steps += 1
        for changes in house.store.commits[before:]:
            assert len(changes.groups) <= STEP
        while house.claims:
            claim = house.claims.pop(0)
            told += claim.delivery.firing
            house.answer(claim, now=now)
    assert len(told) == len(set(told)) == count
    assert not house.engine.busy
    assert steps <= count / STEP + 1


def test_a_clock_that_jumps_ahead_resolves_nothing() -> None:
    house = House()
    house.engine.tick(T0)
    house.accept(alert("a", ends_at=T0 + 300))
    house.deliver(T0)
    later = T0 + 3_600
    # Whatever comes first after the jump: the tick, a POST, or a group that falls due.
    house.accept(alert("b", later, ends_at=later + 300), now=later)
    assert house.names(house.deliver(later)) == ["b"]
    house.engine.tick(later + 1)
    house.accept(alert("a", T0, ends_at=later + 360), now=later + 60)
    house.deliver(later + 61)
    assert [a.name for a in house.engine.ledger.alerts.values() if a.firing(later + 299)] == [
        "a",
        "b",
    ]
    # And it does end when its sender has stopped for good.
    for second in range(62, 500):
        house.engine.tick(later + second)
    resolved = [c for c in house.deliver(later + 500) if c.delivery.resolved]
    assert sorted(house.names(resolved)) == ["a", "b"]


@pytest.mark.parametrize("step", [60.0, 3_600.0, 86_400.0])
def test_a_clock_that_is_set_back_leaves_nothing_waiting_for_the_hour_to_come_again(
    step: float,
) -> None:
    house = House(ROUTES.replace("group_wait: 0s", "group_wait: 10s"))
    house.engine.tick(T0)
    house.accept(alert("told"))
    house.deliver(T0 + 10)
    house.engine.tick(T0 + 11)
    house.accept(alert("waits", T0 + 11), over(alert("told"), T0 + 11), now=T0 + 11)
    now = T0 + 12 - step
    house.engine.tick(now)
    told: list[str] = []
    for second in range(70):
        claims = house.deliver(now + second)
        told += house.names(claims)
        house.engine.tick(now + second + 0.5)
    assert sorted(told) == ["told", "waits"]
    row = next(d for d in house.store.disk.deliveries.values() if d.resolved)
    assert row.state is DeliveryState.SENT


def test_a_failed_delivery_keeps_its_pause_when_the_clock_is_set_back() -> None:
    house = House()
    house.engine.tick(T0)
    house.accept(alert("a"))
    house.answer(house.claims.pop(), Answer(Verdict.RETRY, Failure.SERVER, retry_after=30.0))
    now = T0 + 1 - 3_600
    house.engine.tick(now)
    assert not house.deliver(now + 20)
    assert house.names(house.deliver(now + 40)) == ["a"]


def test_nothing_under_way_is_taken_twice_when_the_clock_is_set_back() -> None:
    house = House()
    house.engine.tick(T0)
    house.accept(*(alert(f"a{n}") for n in range(6)))
    lost = house.claims[0].delivery
    house.engine.settle(lost, Answer(Verdict.AMBIGUOUS, Failure.TIMEOUT), T0 + 1)
    house.engine.advance(T0 + 3)
    for claim in house.claims[1:5]:
        house.answer(claim, now=T0 + 3)
    asked = [c for c in house.claims if c.delivery.state is DeliveryState.AMBIGUOUS]
    assert [c.delivery.id for c in asked] == [lost.id]
    house.engine.tick(T0 + 3)
    for back in (60.0, 600.0):
        house.engine.tick(T0 - back)
        house.engine.advance(T0 - back)
    ids = Counter((c.delivery.id, c.delivery.state) for c in house.claims)
    assert set(ids.values()) == {1}


def test_an_alert_that_ended_has_ended_whatever_the_clock_says_then() -> None:
    house = House()
    house.engine.tick(T0)
    house.accept(alert("a"))
    house.deliver(T0)
    house.accept(over(alert("a"), T0 + 5), now=T0 + 5)
    house.engine.tick(T0 + 5 - 3_600)
    (known,) = house.engine.ledger.alerts.values()
    assert not known.firing(T0 + 5 - 3_600)
    after = House(disk=house.store.disk)
    after.engine.start(T0 - 7_200)
    assert not any(a.firing(T0 - 7_200) for a in after.engine.ledger.alerts.values())


def test_what_rules_find_while_they_catch_up_is_told_when_they_are_through() -> None:
    house = House()
    rule = replace(alert("a", T0 - 600), rule="x/a")
    house.engine.conclude(Changes(alerts=(rule,)), T0, catching_up="default")
    house.accept(alert("sent"), now=T0)
    assert house.names() == ["sent"]
    house.engine.caught_up("default", T0 + 2)
    assert house.names() == ["sent", "a"]


def test_what_came_and_went_while_rules_caught_up_is_told_to_nobody_and_kept() -> None:
    house = House()
    rule = replace(alert("a", T0 - 600), rule="x/a")
    house.engine.conclude(Changes(alerts=(rule,)), T0, catching_up="default")
    house.engine.conclude(Changes(alerts=(over(rule, T0 - 60),)), T0, catching_up="default")
    house.engine.caught_up("default", T0 + 2)
    assert not house.deliver(T0 + 600)
    (kept,) = house.store.history()
    assert (kept.starts_at, kept.ends_at) == (T0 - 600, T0 - 60)
    assert not house.engine.ledger.alerts


def test_rules_that_never_catch_up_hold_nothing_back_for_long() -> None:
    house = House()
    for second in range(0, 100, 10):
        one = replace(alert("a", T0 - 600, host=str(second)), rule="x/a")
        house.engine.conclude(Changes(alerts=(one,)), T0 + second, catching_up="default")
        house.engine.advance(T0 + second)
        if house.claims:
            break
    assert second <= CATCH_UP_PAUSE
