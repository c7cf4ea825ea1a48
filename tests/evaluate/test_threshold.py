"""Threshold and query rules over documents: what fires, what ends, what is held."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sre_obs.evaluate.evaluate import unreadable
from sre_obs.model.alert import EndReason
from sre_obs.model.errors import Blame, SourceError
from sre_obs.model.evaluation import Outcome, Phase
from sre_obs.model.rule import Comparison, Function, NoData, RuleKind, RuleState, Threshold
from tests.evaluate.world import LOGS, METRICS, T0, World, every, rule

BUSY = Threshold(Function.MAX, "cpu", comparison=Comparison.GTE, limit=0.9, unit="cores")
IDLE = Threshold(Function.AVG, "cpu", comparison=Comparison.LT, limit=0.1)
FAILED = {"term": {"level": {"value": "error"}}}


def test_a_pod_over_its_limit_fires_with_value_limit_and_documents() -> None:
    world = World(rule(threshold=BUSY, evidence=("pod", "cpu"), query="cpu: *"))
    world.sample(every(10, T0 - 300, T0), pod="a", cpu=0.5)
    world.sample(every(10, T0 - 300, T0), pod="b", cpu=0.95)
    world.round(T0)
    (alert,) = world.firing()
    assert alert.labels == {"alertname": "pod-busy", "severity": "warning", "pod": "b"}
    assert (alert.starts_at, alert.fired_at) == (T0, T0)
    assert alert.place == "rules/app/pod-busy.yml:1"
    evidence = alert.evidence
    assert (evidence.value, evidence.limit, evidence.comparison) == (0.95, 0.9, ">=")
    assert (evidence.function, evidence.unit, evidence.count) == ("max", "cores", 30)
    assert [d["pod"] for d in evidence.documents] == ["b", "b", "b"]
    assert set(evidence.documents[0]) == {"@timestamp", "pod", "cpu"}
    assert (evidence.query, evidence.window) == ("cpu: *", 300.0)
    assert '"composite"' in evidence.request
    assert world.outcome is Outcome.FIRING


def test_the_window_is_half_open_and_ends_the_query_delay_before_the_time() -> None:
    world = World(rule(query_delay=30.0, index=(LOGS,)))
    world.sample([T0 - 30.0], LOGS, pod="too-new")
    world.sample([T0 - 30.001], LOGS, pod="newest")
    world.sample([T0 - 330.0], LOGS, pod="oldest")
    world.sample([T0 - 330.001], LOGS, pod="too-old")
    world.round(T0)
    assert world.pods() == ["newest", "oldest"]


def test_under_the_limit_resolves_and_says_so() -> None:
    world = World(rule(threshold=replace(BUSY, limit=0.9), window=60.0))
    world.sample(every(10, T0 - 60, T0), pod="a", cpu=0.95)
    world.sample(every(10, T0, T0 + 60), pod="a", cpu=0.2)
    world.round(T0)
    world.round(T0 + 60)
    (alert,) = world.told[1:]
    assert (alert.ended, alert.ends_at) == (EndReason.UNDER_LIMIT, T0 + 60)
    assert alert.evidence.peak == 0.95
    assert not world.states()
    assert world.outcome is Outcome.OK


def test_a_pod_that_left_a_living_stream_is_gone() -> None:
    world = World(rule(threshold=BUSY, window=60.0))
    world.sample(every(10, T0 - 60, T0), pod="a", cpu=0.95)
    world.sample(every(10, T0 - 60, T0 + 60), pod="b", cpu=0.1)
    world.round(T0)
    world.round(T0 + 60)
    assert [a.ended for a in world.told] == [None, EndReason.GONE]


def test_a_silent_stream_holds_its_alerts_and_says_since_when() -> None:
    world = World(rule(threshold=BUSY, window=60.0, stale_after=120.0))
    world.sample(every(10, T0 - 60, T0), pod="a", cpu=0.95)
    world.round(T0)
    for minute in range(3, 8):
        world.round(T0 + 60 * minute)
    (alert,) = world.firing()
    assert alert.stale_since == T0 + 180
    assert world.outcome is Outcome.STALE
    assert world.run().error == f"no documents in {METRICS} for 430 s"
    assert not unreadable(world.run())
    world.sample(every(10, T0 + 420, T0 + 480), pod="a", cpu=0.95)
    world.round(T0 + 480)
    (alert,) = world.firing()
    assert (alert.stale_since, alert.starts_at, alert.fired_at) == (None, T0, T0)


def test_after_a_gap_nothing_resolves_before_the_window_is_covered() -> None:
    world = World(rule(threshold=BUSY, window=300.0, stale_after=60.0))
    world.sample(every(10, T0 - 300, T0), pod="a", cpu=0.95)
    world.round(T0)
    world.round(T0 + 600)
    world.sample(every(10, T0 + 600, T0 + 960), pod="a", cpu=0.2)
    told = {}
    for seconds in (660, 720, 780, 840):
        world.round(T0 + seconds)
        told[seconds] = (len(world.firing()), world.outcome)
    held = (1, Outcome.FIRING)
    assert told == {660: held, 720: held, 780: (0, Outcome.OK), 840: (0, Outcome.OK)}


def test_after_a_gap_no_pod_is_gone_before_the_stream_has_told_of_all() -> None:
    world = World(rule(threshold=BUSY, window=300.0, stale_after=60.0))
    world.sample(every(10, T0 - 300, T0), pod="a", cpu=0.95)
    world.round(T0)
    world.round(T0 + 600)
    world.sample(every(10, T0 + 600, T0 + 960), pod="b", cpu=0.2)
    world.round(T0 + 660)
    assert world.pods() == ["a"]
    world.round(T0 + 900)
    assert world.told[-1].ended is EndReason.GONE


def test_a_stream_that_may_end_resolves_with_that_reason() -> None:
    world = World(rule(threshold=BUSY, window=60.0, no_data=NoData.RESOLVE))
    world.sample(every(10, T0 - 60, T0), pod="a", cpu=0.95)
    world.round(T0)
    world.round(T0 + 600)
    assert world.told[-1].ended is EndReason.NO_DATA
    assert world.outcome is Outcome.OK


def test_a_count_over_its_limit_fires_though_the_stream_is_silent_again() -> None:
    world = World(rule(index=(LOGS,), stale_after=30.0, threshold=Threshold(limit=5.0)))
    world.sample(every(1, T0 - 200, T0 - 190), LOGS, pod="a")
    world.round(T0)
    assert world.pods() == ["a"]
    assert world.outcome is Outcome.STALE


def test_an_average_on_a_silent_stream_is_neither_true_nor_false() -> None:
    world = World(rule(threshold=IDLE, stale_after=30.0))
    world.sample(every(10, T0 - 300, T0 - 60), pod="a", cpu=0.0)
    world.round(T0)
    assert world.firing() == []
    assert world.outcome is Outcome.STALE


def test_an_average_of_too_few_samples_is_insufficient() -> None:
    world = World(rule(threshold=IDLE))
    world.sample(every(10, T0 - 300, T0), pod="old", cpu=0.5)
    world.sample(every(10, T0 - 60, T0 + 240), pod="new", cpu=0.0)
    world.round(T0)
    assert world.firing() == []
    assert world.outcome is Outcome.INSUFFICIENT
    world.sample(every(10, T0, T0 + 240), pod="old", cpu=0.5)
    world.round(T0 + 240)
    assert world.pods() == ["new"]


def test_a_minimum_below_its_limit_needs_no_more_samples() -> None:
    below = Threshold(Function.MIN, "cpu", comparison=Comparison.LT, limit=0.1)
    world = World(rule(threshold=below))
    world.sample([T0 - 5], pod="new", cpu=0.0)
    world.round(T0)
    assert world.pods() == ["new"]


def test_a_sum_of_nothing_is_not_a_small_sum() -> None:
    small = Threshold(Function.SUM, "cpu", comparison=Comparison.LT, limit=1.0)
    world = World(
        rule(threshold=small, index=(LOGS,)),
        rule(id="app/whole", group_by=(), threshold=small, index=(LOGS,)),
    )
    world.sample(every(10, T0 - 300, T0), LOGS, pod="a")
    world.round(T0)
    assert world.firing() == []


def test_a_count_below_its_limit_counts_no_document_as_zero_while_the_stream_lives() -> None:
    few = Threshold(comparison=Comparison.LT, limit=3.0)
    world = World(rule(threshold=few, dsl=FAILED, group_by=(), index=(LOGS,)))
    world.sample(every(10, T0 - 300, T0), LOGS, level="info")
    world.round(T0)
    (alert,) = world.firing()
    assert alert.evidence.value == 0.0
    assert alert.labels == {"alertname": "pod-busy", "severity": "warning"}


def test_a_query_rule_fires_on_any_document_and_ends_when_there_is_none() -> None:
    world = World(rule(kind=RuleKind.QUERY, dsl=FAILED, index=(LOGS,), window=60.0))
    world.sample([T0 - 30, T0 - 20], LOGS, pod="a", level="error", message="boom")
    world.sample(every(10, T0 - 60, T0 + 120), LOGS, pod="a", level="info")
    world.round(T0)
    (alert,) = world.firing()
    assert (alert.evidence.value, alert.evidence.limit, alert.evidence.count) == (2.0, None, 2)
    assert alert.evidence.documents[0]["message"] == "boom"
    world.round(T0 + 60)
    assert world.told[-1].ended is EndReason.UNDER_LIMIT


@pytest.mark.parametrize(
    ("threshold", "value"),
    [
        (Threshold(Function.CARDINALITY, "cpu", limit=3.0), 3.0),
        (Threshold(Function.SUM, "cpu", limit=6.0), 6.0),
        (Threshold(Function.AVG, "cpu", limit=2.0), 2.0),
        (Threshold(Function.MIN, "cpu", comparison=Comparison.LTE, limit=1.0), 1.0),
        (Threshold(Function.MAX, "cpu", comparison=Comparison.GT, limit=2.5), 3.0),
        (Threshold(Function.PERCENTILE, "cpu", 50.0, limit=2.0), 2.0),
    ],
    ids=lambda value: value.function.value if isinstance(value, Threshold) else "",
)
@pytest.mark.parametrize("group_by", [("pod",), ()], ids=["grouped", "whole"])
def test_every_function_is_measured(
    threshold: Threshold, value: float, group_by: tuple[str, ...]
) -> None:
    world = World(rule(threshold=threshold, group_by=group_by, index=(LOGS,)))
    for cpu in (1.0, 2.0, 3.0):
        world.sample([T0 - 30 * cpu], LOGS, pod="a", cpu=cpu)
    world.round(T0)
    (alert,) = world.firing()
    assert alert.evidence.value == value


def test_for_waits_and_starts_when_it_first_was_true() -> None:
    world = World(rule(threshold=BUSY, for_=120.0, window=60.0))
    world.sample(every(10, T0 - 60, T0 + 300), pod="a", cpu=0.95)
    outcomes = []
    for minute in range(4):
        world.round(T0 + 60 * minute)
        outcomes.append(world.outcome)
    assert outcomes == [Outcome.PENDING, Outcome.PENDING, Outcome.FIRING, Outcome.FIRING]
    (alert,) = world.firing()
    assert (alert.starts_at, alert.fired_at) == (T0, T0 + 120)


def test_for_is_kept_through_a_gap() -> None:
    world = World(rule(threshold=BUSY, for_=600.0, window=60.0, stale_after=60.0))
    world.sample(every(10, T0 - 60, T0), pod="a", cpu=0.95)
    world.round(T0)
    world.round(T0 + 300)
    assert [s.phase for s in world.states().values()] == [Phase.PENDING]
    world.sample(every(10, T0 + 540, T0 + 600), pod="a", cpu=0.95)
    world.round(T0 + 600)
    assert world.firing()[0].starts_at == T0


def test_keep_firing_for_bridges_a_blink() -> None:
    world = World(
        rule(kind=RuleKind.QUERY, dsl=FAILED, index=(LOGS,), window=60.0, keep_firing_for=150.0)
    )
    world.sample(every(10, T0 - 60, T0 + 600), LOGS, pod="a", level="info")
    world.sample([T0 - 5, T0 + 115], LOGS, pod="a", level="error")
    for minute in range(6):
        world.round(T0 + 60 * minute)
    told = [a for a in world.told if a.ended is not None]
    assert [a.ends_at for a in told] == [T0 + 300]
    assert told[0].starts_at == T0


def test_a_failed_search_holds_and_a_wrong_one_is_misconfigured_alone() -> None:
    bad = rule(id="app/bad", threshold=BUSY, window=60.0, dsl=FAILED)
    world = World(rule(threshold=BUSY, window=60.0), bad)
    world.sample(every(10, T0 - 60, T0 + 120), pod="a", cpu=0.95, level="error")
    world.round(T0)
    assert len(world.firing()) == 2
    wrong = SourceError("no such field", Blame.REQUEST, remedy="mend it")
    world.source.failing = lambda r: wrong if FAILED in r.body["query"]["bool"]["filter"] else None
    world.round(T0 + 60)
    runs = world.ledger.runs
    assert runs["app/bad"].outcome is Outcome.MISCONFIGURED
    assert (runs["app/bad"].error, runs["app/bad"].remedy) == ("no such field", "mend it")
    assert runs["app/pod-busy"].outcome is Outcome.FIRING
    assert len(world.firing()) == 2
    world.source.failing = lambda _: SourceError("refused", Blame.UNREACHABLE)
    changes = world.round(T0 + 120)
    assert {run.outcome for run in changes.runs} == {Outcome.STALE}
    assert all(unreadable(run) for run in changes.runs)
    assert {alert.stale_since for alert in world.firing()} == {T0 + 60, T0 + 120}


def test_an_unknown_field_is_misconfigured_and_not_searched() -> None:
    world = World(rule(threshold=BUSY))
    world.round(T0, unknown_fields={"app/pod-busy": {(METRICS,): ["cpu"]}})
    assert world.outcome is Outcome.MISCONFIGURED
    assert "has no field cpu" in world.run().error
    assert world.source.asked == []


def test_shadow_alerts_say_so() -> None:
    world = World(rule(state=RuleState.SHADOW))
    world.sample([T0 - 5], pod="a")
    world.round(T0)
    assert [alert.shadow for alert in world.firing()] == [True]


def test_a_missing_field_of_several_is_a_dash_and_of_all_is_no_entity() -> None:
    world = World(rule(group_by=("cluster", "pod"), index=(LOGS,)))
    world.sample([T0 - 5], LOGS, pod="a")
    world.sample([T0 - 5], LOGS, level="info")
    world.round(T0)
    (alert,) = world.firing()
    assert (alert.labels["cluster"], alert.labels["pod"]) == ("-", "a")
    assert list(world.states()) == ['[null,"a"]']
    assert len(alert.evidence.documents) == 1


def test_other_group_fields_end_the_alerts_of_the_old_ones() -> None:
    world = World(rule(index=(LOGS,)))
    world.sample([T0 - 5], LOGS, pod="a", level="error")
    world.round(T0)
    world.rules = [rule(index=(LOGS,), group_by=("level",))]
    world.round(T0 + 60)
    assert [a.ended for a in world.told] == [None, EndReason.REMOVED, None]
    assert [s.entity for s in world.states().values()] == [{"level": "error"}]


def test_the_last_of_25000_groups_fires_like_the_first() -> None:
    world = World(rule(threshold=BUSY, index=(LOGS,)))
    documents = [{"@timestamp": T0 - 5, "pod": f"p{n:05}", "cpu": 0.1} for n in range(25_000)]
    documents[0]["cpu"] = documents[-1]["cpu"] = 1.0
    world.source.add(LOGS, *documents)
    world.round(T0)
    assert world.pods() == ["p00000", "p24999"]


def test_only_bad_groups_travel() -> None:
    world = World(rule(threshold=BUSY, index=(LOGS,)))
    documents = [{"@timestamp": T0 - 5, "pod": f"p{n}", "cpu": n / 999} for n in range(1_000)]
    world.source.add(LOGS, *documents)
    world.rules = [rule(threshold=replace(BUSY, limit=1.0), index=(LOGS,))]
    world.round(T0)
    assert len(world.firing()) == 1
    assert sum(map(world.source.bytes_of, world.source.asked)) < 2_500


def test_rules_that_ask_the_same_ask_once() -> None:
    limits = [
        rule(id=f"app/r{n}", index=(LOGS,), group_by=(), threshold=Threshold(limit=n + 1.0))
        for n in range(5)
    ]
    world = World(*limits)
    world.sample([T0 - 5, T0 - 4], LOGS, pod="a")
    world.round(T0)
    assert sorted(a.labels["alertname"] for a in world.firing()) == ["r0", "r1"]
    assert world.source.calls == [2, 1]  # what is counted and the stream's life; documents


def test_no_request_asks_for_more_than_twenty_documents() -> None:
    world = World(rule(index=(LOGS,)))
    world.source.add(LOGS, *({"@timestamp": T0 - 5, "pod": f"p{n}"} for n in range(50)))
    world.round(T0)
    world.round(T0 + 60)
    world.round(T0 + 120)
    assert max(request.body["size"] for request in world.source.asked) == 3
    assert world.source.calls == [2, 20, 2, 20, 2, 10]
    assert all(alert.evidence.documents for alert in world.firing())


def test_what_did_not_change_is_not_told_again() -> None:
    world = World(rule(index=(LOGS,)))
    world.sample([T0 - 5], LOGS, pod="a")
    world.round(T0)
    assert world.round(T0 + 60).alerts == ()


def test_a_flood_is_not_written_anew_at_every_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sre_obs.evaluate.evaluate.FLOOD", 100)
    world = World(rule(threshold=BUSY, index=(LOGS,)))
    pods = [f"p{n}" for n in range(120)]
    for minute in range(7):
        world.source.add(
            LOGS,
            *(
                {"@timestamp": T0 + 60 * minute - 5, "pod": pod, "cpu": 1.0 + minute}
                for pod in pods
            ),
        )
    written = [len(world.round(T0 + 60 * minute).alerts) for minute in range(7)]
    assert written[0] == 120
    assert max(written[1:5]) <= 20
    assert sum(written[1:]) >= 120
