"""Rules made of several measures: joins, conditions, levels, and what is held or let go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from sre_obs.evaluate.kinds import KINDS
from sre_obs.evaluate.plan import ask
from sre_obs.evaluate.states import Truth, Verdict
from sre_obs.model.alert import EndReason
from sre_obs.model.evaluation import EntityState, Outcome, Phase
from sre_obs.model.rule import (
    Comparison,
    Function,
    Measure,
    NoData,
    Over,
    Rule,
    RuleKind,
    Runs,
    Tuned,
)
from tests.evaluate import estate
from tests.evaluate.estate import composed, measure
from tests.evaluate.world import LOGS, METRICS, T0, World, every

LIMITS = "metrics-app.limits-default"
NODES = "metrics-app.nodes-default"
WAITING = {"term": {"level": "waiting"}}


def world_of(*rules: Rule) -> World:
    world = World(*rules)
    world.source = type(world.source)(types=estate.TYPES)
    return world


def share(**changes: Any) -> Rule:
    """What is used of the limit that another stream tells."""
    return composed(
        measure("used", Function.AVG, field="cpu"),
        measure("room", Function.LATEST, field="limit", index=(LIMITS,), window=120.0),
        **{"value": "used / room", "limit": 0.9, "index": (METRICS,), **changes},
    )


def verdicts(world: World, one: Rule, known: dict[str, EntityState], at: float = T0) -> Any:
    """The verdicts of a rule, by key."""
    steps = KINDS[one.kind](one, at, known)
    needs = next(steps)
    while True:
        answers = ask(needs, world.source, lambda: 0.0)
        try:
            needs = steps.send(answers)  # type: ignore[arg-type]
        except StopIteration as done:
            found: dict[str, Verdict] = {v.key: v for v in done.value.verdicts}
            return found


def state(one: Rule, pod: str, **more: Any) -> EntityState:
    values: dict[str, Any] = {
        "rule": one.id, "key": f'["{pod}"]', "entity": {"pod": pod}, "phase": Phase.FIRING,
        "since": T0 - 600, "last_true_at": T0 - 60, "last_seen_at": T0 - 60, "fired_at": T0 - 600,
    }  # fmt: skip
    return EntityState(**{**values, **more})


# -- joins


def test_two_streams_are_joined_by_the_entity() -> None:
    world = world_of(share())
    for pod, used in (("a", 95.0), ("b", 50.0), ("unlimited", 1e9)):
        world.sample(every(10, T0 - 300, T0), METRICS, pod=pod, cpu=used)
    for pod in ("a", "b", "only-limit"):
        world.sample(every(10, T0 - 300, T0), LIMITS, pod=pod, limit=100.0)
    world.round(T0)
    (alert,) = world.firing()
    assert alert.labels["pod"] == "a"
    assert (alert.evidence.value, dict(alert.evidence.measures)) == (
        0.95,
        {"used": 95.0, "room": 100.0},
    )
    assert alert.evidence.function == "used / room"
    assert world.outcome is Outcome.FIRING


def test_what_is_unmatched_is_neither_true_nor_an_error() -> None:
    world = world_of(share())
    world.sample(every(10, T0 - 300, T0), METRICS, pod="unlimited", cpu=1e9)
    world.sample(every(10, T0 - 300, T0), LIMITS, pod="b", limit=100.0)
    world.round(T0)
    assert (world.firing(), world.outcome) == ([], Outcome.OK)


def test_one_that_left_the_other_stream_is_gone_once_that_is_covered() -> None:
    world = world_of(share())
    world.sample(every(10, T0 - 300, T0 + 180), METRICS, pod="a", cpu=95.0)
    world.sample(every(10, T0 - 300, T0), LIMITS, pod="a", limit=100.0)
    world.sample(every(10, T0 - 300, T0 + 180), LIMITS, pod="b", limit=100.0)
    world.round(T0)
    world.round(T0 + 180)
    assert world.told[-1].ended is EndReason.GONE


RATIO = (
    measure("a", Function.AVG, field="cpu"),
    measure("b", Function.AVG, field="limit"),
)


def ratio(*measures: Measure, **changes: Any) -> Rule:
    """Of two fields of one stream."""
    return composed(
        *(measures or RATIO),
        **{"value": "a / b", "limit": 0.5, "index": (METRICS,), "window": 60.0, **changes},
    )


def lacking(world: World, limits: Sequence[float | None]) -> None:
    """A sample of a pod each 30 s, with the limit that is not None, the last one before T0."""
    for number, room in enumerate(limits):
        fields = {"cpu": 6.0} if room is None else {"cpu": 6.0, "limit": room}
        world.sample([T0 - 30 + 30 * (number - 4)], METRICS, pod="a", **fields)


@pytest.mark.parametrize("other", [None, 0.0])
def test_a_side_of_a_ratio_that_is_missing_is_held_like_one_of_zero(other: float | None) -> None:
    world = world_of(ratio())
    lacking(world, [10.0] * 5 + [other] * 10 + [100.0] * 6)
    firing = []
    for minute in range(8):
        world.round(T0 + 60 * minute)
        firing.append(len(world.firing()))
    # At 6 m the whole window has a limit of 100 again.
    assert firing == [1, 1, 1, 1, 1, 1, 0, 0]
    assert [alert.ended for alert in world.told] == [None, EndReason.UNDER_LIMIT]


def test_an_entity_without_any_document_is_gone_from_a_ratio_of_one_stream() -> None:
    world = world_of(ratio())
    lacking(world, [10.0] * 5)
    world.sample(every(30, T0 - 300, T0 + 300), METRICS, pod="b", cpu=1.0, limit=10.0)
    world.round(T0)
    world.round(T0 + 120)
    assert world.told[-1].ended is EndReason.GONE


def test_documents_of_an_hour_ago_do_not_keep_an_entity_that_left_the_last_minute() -> None:
    of_an_hour = measure("b", Function.MAX, field="limit", window=3_600.0)
    world = world_of(ratio(measure("a", Function.AVG, field="cpu"), of_an_hour))
    lacking(world, [10.0] * 5)
    world.sample(every(30, T0 - 3_600, T0 - 120), METRICS, pod="a", cpu=6.0, limit=10.0)
    world.sample(every(30, T0 - 3_600, T0 + 300), METRICS, pod="b", cpu=1.0, limit=10.0)
    world.round(T0)
    assert world.pods() == ["a"]
    world.round(T0 + 120)
    assert world.told[-1].ended is EndReason.GONE


def test_what_lacks_the_past_is_held_while_the_present_has_documents_of_it() -> None:
    before = measure("b", Function.AVG, field="limit", window=60.0, ends=120.0)
    one = ratio(measure("a", Function.AVG, field="cpu"), before)
    world = world_of(one)
    world.sample(every(30, T0 - 60, T0), METRICS, pod="a", cpu=6.0, limit=10.0)
    world.sample(every(30, T0 - 300, T0), METRICS, pod="b", cpu=1.0, limit=10.0)
    found = verdicts(world, one, {'["a"]': state(one, "a")})
    assert found['["a"]'].truth is Truth.INSUFFICIENT


@pytest.mark.parametrize("query", [None, WAITING])
def test_an_entity_of_series_that_lack_the_field_is_held(query: dict[str, Any] | None) -> None:
    grown = measure(
        "a", Function.INCREASE, field="restarts", series=("uid",), over=Over.SUM, dsl=query
    )
    one = composed(grown, index=(METRICS,), limit=3.0)
    world = world_of(one)
    world.sample(every(10, T0 - 300, T0), METRICS, pod="a", uid="u", level="waiting")
    found = verdicts(world, one, {'["a"]': state(one, "a")})
    assert found['["a"]'].truth is Truth.INSUFFICIENT


def test_of_documents_that_come_when_they_will_a_lacking_field_is_no_reason_to_hold() -> None:
    one = composed(measure(function=Function.AVG, field="cpu"), index=(LOGS,), limit=3.0)
    world = world_of(one)
    world.sample(every(10, T0 - 300, T0), LOGS, pod="a", level="running")
    found = verdicts(world, one, {'["a"]': state(one, "a")})
    assert (found['["a"]'].truth, found['["a"]'].ended) == (Truth.FALSE, EndReason.GONE)


@pytest.mark.parametrize(
    ("index", "of_limit"), [(LOGS, LOGS), (METRICS, LIMITS)], ids=["uneven", "another stream"]
)
def test_one_side_of_a_ratio_ends_it_in_logs_and_on_another_stream(
    index: str, of_limit: str
) -> None:
    one = ratio(RATIO[0], measure("b", Function.AVG, field="limit", index=(of_limit,)))
    one = replace(one, index=(index,))
    world = world_of(one)
    world.sample(every(10, T0 - 60, T0), index, pod="a", cpu=6.0)
    world.sample(every(10, T0 - 60, T0), of_limit, pod="b", limit=10.0)
    found = verdicts(world, one, {'["a"]': state(one, "a")})
    assert (found['["a"]'].truth, found['["a"]'].ended) == (Truth.FALSE, EndReason.GONE)


def test_a_whole_stream_that_lacks_the_field_is_held() -> None:
    one = composed(
        measure(function=Function.AVG, field="cpu"), index=(METRICS,), limit=3.0, group_by=()
    )
    world = world_of(one)
    world.sample(every(10, T0 - 300, T0), METRICS, pod="a", level="running")
    whole = state(one, "a", key="[]", entity={})
    assert verdicts(world, one, {"[]": whole})["[]"].truth is Truth.INSUFFICIENT


def test_a_run_that_can_not_tell_is_not_one_of_m() -> None:
    one = composed(
        measure("n", Function.AVG, field="cpu"),
        index=(METRICS,), window=60.0, limit=10.0, for_=60.0, runs=Runs(2, 3),
    )  # fmt: skip
    world = world_of(one)
    fires = []
    for minute, value in enumerate((5.0, 12.0, None, 12.0, 5.0, 5.0, 5.0)):
        fields = {} if value is None else {"cpu": value}
        world.sample([T0 + 60 * minute - 30], METRICS, pod="a", **fields)
        world.round(T0 + 60 * minute)
        fires.append(len(world.firing()))
    assert fires == [0, 0, 0, 0, 1, 0, 0]


def test_a_silent_second_stream_holds_the_rule_and_is_named() -> None:
    world = world_of(share())
    world.sample(every(10, T0 - 300, T0 + 300), METRICS, pod="a", cpu=95.0)
    world.sample(every(10, T0 - 300, T0), LIMITS, pod="a", limit=100.0)
    world.round(T0)
    world.round(T0 + 300)
    assert [a.stale_since for a in world.firing()] == [T0 + 300]
    assert world.outcome is Outcome.STALE
    assert world.run().error == f"no documents in {LIMITS} for 310 s"


def test_an_entity_of_the_list_without_reports_is_found() -> None:
    silent = composed(
        measure("reports", missing=0.0),
        measure("listed", index=(NODES,), window=120.0),
        value="reports",
        when="listed > 0",
        comparison=Comparison.LTE,
        limit=0.0,
        index=(METRICS,),
    )
    world = world_of(silent)
    world.sample(every(10, T0 - 300, T0 + 120), METRICS, pod="a")
    world.sample(every(10, T0 - 300, T0 - 200), METRICS, pod="was-there")
    for pod in ("a", "was-there", "never-was"):
        world.sample(every(10, T0 - 300, T0 + 120), NODES, pod=pod)
    world.round(T0)
    assert world.pods() == ["never-was"]
    world.round(T0 + 120)
    assert world.pods() == ["never-was", "was-there"]


def test_no_entity_is_missed_before_its_stream_is_covered_again() -> None:
    silent = composed(
        measure("reports", missing=0.0),
        measure("listed", index=(NODES,)),
        value="reports",
        when="listed > 0",
        comparison=Comparison.LTE,
        limit=0.0,
        index=(METRICS,),
    )
    world = world_of(silent)
    world.sample(every(10, T0 - 30, T0), METRICS, pod="a")
    for pod in ("a", "b"):
        world.sample(every(10, T0 - 300, T0), NODES, pod=pod)
    world.round(T0)
    assert (world.firing(), world.outcome) == ([], Outcome.INSUFFICIENT)


def test_a_coarser_scope_counts_for_each_entity_in_it() -> None:
    one = composed(
        measure("own", Function.MAX, field="cpu"),
        measure(
            "bad", Function.MATCHES, dsl=WAITING, by=("cluster",), series=("pod",), over=Over.SUM
        ),
        value="own - bad",
        group_by=("cluster", "pod"),
        limit=3.0,
    )
    world = world_of(one)
    for cluster, waiting in (("eu", 1), ("us", 2)):
        for n in range(3):
            level = "waiting" if n < waiting else "running"
            world.sample([T0 - 10], LOGS, cluster=cluster, pod=f"{cluster}{n}", cpu=4, level=level)
    world.sample([T0 - 10], LOGS, pod="without", cpu=4, level="running")
    world.round(T0)
    assert world.pods() == ["eu0", "eu1", "eu2", "without"]


def test_one_number_for_all() -> None:
    one = composed(
        measure("own", Function.MAX, field="cpu"),
        measure("most", Function.MAX, field="cpu", by=()),
        value="own / most",
        limit=0.5,
    )
    world = world_of(one)
    for pod, cpu in (("a", 10.0), ("b", 5.0), ("c", 4.0)):
        world.sample([T0 - 10], LOGS, pod=pod, cpu=cpu)
    world.round(T0)
    assert world.pods() == ["a", "b"]


# -- conditions


def test_a_condition_that_is_unknown_is_not_met() -> None:
    one = composed(
        measure("own", Function.MAX, field="cpu"),
        measure("grown", Function.INCREASE, field="restarts"),
        value="own",
        when="grown == 0 or own > 50",
        limit=1.0,
    )
    world = world_of(one)
    world.sample([T0 - 10], LOGS, pod="one-sample", cpu=10.0, restarts=3)
    world.sample([T0 - 10], LOGS, pod="high", cpu=60.0, restarts=3)
    world.sample([T0 - 20, T0 - 10], LOGS, pod="still", cpu=10.0, restarts=3)
    world.round(T0)
    assert world.pods() == ["high", "still"]


def test_a_ratio_of_too_few_says_nothing() -> None:
    one = composed(
        measure("bad", dsl=WAITING, missing=0.0),
        measure("all"),
        value="bad / all",
        valid="all >= least",
        variables={"least": 10.0},
        limit=0.1,
    )
    world = world_of(one)
    world.sample(every(10, T0 - 50, T0), LOGS, pod="few", level="waiting")
    world.round(T0)
    assert (world.firing(), world.outcome) == ([], Outcome.INSUFFICIENT)
    found = verdicts(world, one, {'["few"]': state(one, "few")})
    assert found['["few"]'].truth is Truth.INSUFFICIENT
    world.sample(every(1, T0 - 20, T0), LOGS, pod="few", level="running")
    world.round(T0)
    (alert,) = world.firing()
    assert alert.evidence.value == 0.2


def test_now_and_window_and_variables_are_names_like_others() -> None:
    one = composed(
        measure("at", Function.LATEST, field="cpu"),
        value="(now - at) / window * factor",
        variables={"factor": 2.0, "monitor": "sre_obs"},
        limit=2.0,
        query_delay=30.0,
    )
    world = world_of(one)
    world.sample([T0 - 40], LOGS, pod="a", cpu=T0 - 330)
    world.sample([T0 - 40], LOGS, pod="b", cpu=T0 - 329)
    world.round(T0)
    assert world.pods() == ["a"]


def test_a_ratio_on_a_metric_stream_asks_for_coverage_and_a_count_over_its_limit_does_not() -> None:
    ratio = composed(
        measure("bad", dsl=WAITING, missing=0.0), measure("all"), value="bad / all",
        limit=0.5, index=(METRICS,),
    )  # fmt: skip
    count = composed(measure(dsl=WAITING), limit=5.0, index=(METRICS,), id="app/count")
    world = world_of(ratio, count)
    world.sample(every(10, T0 - 60, T0), METRICS, pod="new", level="waiting")
    world.sample(every(10, T0 - 300, T0), METRICS, pod="old", level="running")
    world.round(T0)
    assert [a.rule for a in world.firing()] == ["app/count"]
    assert world.outcome is Outcome.INSUFFICIENT


# -- levels


def full(**changes: Any) -> Rule:
    return composed(
        measure(function=Function.MAX, field="cpu"),
        **{
            "limit": 80.0,
            "clear": 70.0,
            "levels": [{"severity": "critical", "limit": 90.0, "clear": 85.0}],
            **changes,
        },
    )


@pytest.mark.parametrize(
    ("cpu", "phase", "level", "truth", "levels"),
    [
        (79.0, None, 0, None, ()),
        (80.0, None, 0, Truth.TRUE, (True, False)),
        (90.0, None, 0, Truth.TRUE, (True, True)),
        (79.0, Phase.PENDING, 0, Truth.FALSE, ()),
        (79.0, Phase.FIRING, 0, Truth.TRUE, (True, False)),
        (70.0, Phase.FIRING, 0, Truth.TRUE, (True, False)),
        (69.0, Phase.FIRING, 0, Truth.FALSE, ()),
        (86.0, Phase.FIRING, 0, Truth.TRUE, (True, False)),
        (86.0, Phase.FIRING, 1, Truth.TRUE, (True, True)),
        (84.0, Phase.FIRING, 1, Truth.TRUE, (True, False)),
        (79.0, Phase.KEEPING, 1, Truth.FALSE, ()),
    ],
)
def test_a_level_is_entered_at_its_limit_and_left_at_its_clear(
    cpu: float, phase: Phase | None, level: int, truth: Truth | None, levels: tuple[bool, ...]
) -> None:
    one = full()
    world = world_of(one)
    world.sample([T0 - 10], LOGS, pod="a", cpu=cpu)
    known = {} if phase is None else {'["a"]': state(one, "a", phase=phase, level=level)}
    found = verdicts(world, one, known)
    if truth is None:
        assert found == {}
        return
    verdict = found['["a"]']
    assert (verdict.truth, verdict.levels) == (truth, levels)
    assert verdict.value == cpu


def test_the_loosest_limit_of_all_levels_is_what_is_asked_for() -> None:
    lower = full(levels=[{"severity": "info", "limit": 50.0}], clear=None)
    world = world_of(lower)
    world.sample([T0 - 10], LOGS, pod="a", cpu=60.0)
    assert verdicts(world, lower, {})['["a"]'].levels == (False, True)


# -- some entities


def test_entities_have_limits_of_their_own_and_some_are_left_out() -> None:
    one = composed(
        measure(function=Function.MAX, field="cpu"),
        limit=80.0,
        tuned=(
            Tuned({"pod": "batch-*"}, limit=95.0),
            Tuned({"pod": "canary-*"}, limit=20.0),
            Tuned({"pod": "test-*"}, exclude=True),
        ),
    )
    world = world_of(one)
    pods = {"batch-a": 90.0, "batch-b": 95.0, "canary-a": 20.0, "test-a": 100.0, "web": 80.0}
    for pod, cpu in {**pods, "web-b": 79.0, "canary-b": 19.0}.items():
        world.sample([T0 - 10], LOGS, pod=pod, cpu=cpu)
    world.round(T0)
    assert world.pods() == ["batch-b", "canary-a", "web"]


def test_an_entity_that_is_left_out_from_now_on_ends_its_alert() -> None:
    one = composed(measure(function=Function.MAX, field="cpu"), limit=80.0)
    world = world_of(one)
    world.sample([T0 - 10, T0 + 50], LOGS, pod="test-a", cpu=90.0)
    world.round(T0)
    out = composed(
        measure(function=Function.MAX, field="cpu"),
        limit=80.0,
        tuned=(Tuned({"pod": "test-*"}, exclude=True),),
    )
    world.round(T0 + 60, out)
    assert [a.ended for a in world.told] == [None, EndReason.REMOVED]


# -- states and silence


def test_a_state_is_that_of_the_newest_document_within_the_window() -> None:
    one = composed(kind=RuleKind.STATE, dsl=WAITING, measures=(), window=120.0, index=(METRICS,))
    world = world_of(one)
    world.sample(every(10, T0 - 60, T0 - 10), METRICS, pod="was", level="waiting")
    world.sample([T0 - 10], METRICS, pod="was", level="running")
    world.sample(every(10, T0 - 60, T0), METRICS, pod="is", level="waiting")
    world.sample([T0 - 130], METRICS, pod="old", level="waiting")
    world.round(T0)
    assert world.pods() == ["is"]
    world.sample([T0 + 50], METRICS, pod="is", level="running")
    world.round(T0 + 60)
    assert world.told[-1].ended is EndReason.UNDER_LIMIT


def test_no_answer_is_a_bad_one_where_the_rule_says_so() -> None:
    one = share(no_data=NoData.ALERT)
    world = world_of(one)
    world.round(T0)
    (alert,) = world.firing()
    assert alert.labels["pod"] == "-"
    assert world.outcome is Outcome.FIRING
    world.sample(every(10, T0 - 300, T0 + 60), METRICS, pod="a", cpu=5.0)
    world.sample(every(10, T0 - 300, T0 + 60), LIMITS, pod="a", limit=100.0)
    world.round(T0 + 60)
    assert world.told[-1].ended is EndReason.GONE


def test_a_rule_for_the_whole_is_made_of_measures_as_well() -> None:
    one = composed(
        measure("grown", Function.INCREASE, field="restarts", series=("pod",)),
        measure("pods", Function.CARDINALITY, field="pod"),
        value="grown / pods",
        group_by=(),
        limit=1.0,
    )
    world = world_of(one)
    for pod, last in (("a", 4), ("b", 0)):
        world.sample([T0 - 20], LOGS, pod=pod, restarts=0)
        world.sample([T0 - 10], LOGS, pod=pod, restarts=last)
    world.round(T0)
    assert [a.evidence.value for a in world.firing()] == [2.0]
    world.round(T0 + 600)
    assert world.outcome is Outcome.STALE


def test_more_entities_than_can_be_named_are_asked_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sre_obs.evaluate.kinds.table.NAMED", 5)
    one = composed(measure(function=Function.LATEST, field="cpu"), limit=50.0)
    world = world_of(one)
    for n in range(20):
        world.sample([T0 - 20], LOGS, pod=f"p{n}", cpu=10.0)
        world.sample([T0 - 10], LOGS, pod=f"p{n}", cpu=60.0 if n % 2 else 40.0)
    world.round(T0)
    assert len(world.pods()) == 10


@pytest.mark.parametrize("after", ["reports again", "is taken off the list", "goes on"])
def test_what_was_not_asked_yet_is_not_taken_for_missing(after: str) -> None:
    silent = composed(
        measure("reports", missing=0.0),
        measure("listed", index=(NODES,), window=120.0),
        measure("listed_before", index=(NODES,), window=300.0, ends=300.0),
        value="reports",
        when="listed > 0 and listed_before > 0",
        comparison=Comparison.LTE,
        limit=0.0,
        index=(METRICS,),
    )
    world = world_of(silent)
    end = T0 + 3_600
    world.sample(every(10, T0 - 900, end), METRICS, pod="a")
    for pod, until in (("a", end), ("b", T0 if after == "is taken off the list" else end)):
        world.sample(every(10, T0 - 900, until), NODES, pod=pod)
    if after == "reports again":
        world.sample(every(10, T0, end), METRICS, pod="b")
    world.round(T0)
    assert world.pods() == ["b"]
    for minute in range(1, 30):
        world.round(T0 + 60 * minute)
    assert world.pods() == (["b"] if after == "goes on" else [])
    assert world.outcome is (Outcome.FIRING if after == "goes on" else Outcome.OK)
