"""Absence rules: the stream, or entities seen before, that stopped."""

from __future__ import annotations

from typing import Any

from sre_obs.model.alert import EndReason
from sre_obs.model.errors import Blame, SourceError
from sre_obs.model.evaluation import Outcome, Phase
from sre_obs.model.rule import NoData, RuleKind
from tests.evaluate.world import LOGS, METRICS, T0, World, every, rule

BEAT = {"term": {"level": {"value": "heartbeat"}}}


def absence(**changes: Any) -> Any:
    return rule(
        **{"kind": RuleKind.ABSENCE, "window": 120.0, "id": "app/silent", "group_by": (), **changes}
    )


def test_a_stream_that_stopped_fires_with_its_last_documents() -> None:
    world = World(absence())
    world.sample(every(10, T0 - 120, T0), pod="a")
    world.round(T0)
    assert (world.firing(), world.outcome) == ([], Outcome.OK)
    world.round(T0 + 60)
    assert world.firing() == []
    world.round(T0 + 120)
    (alert,) = world.firing()
    assert alert.labels == {"alertname": "silent", "severity": "warning"}
    evidence = alert.evidence
    assert (evidence.function, evidence.value, evidence.limit) == ("absence", 120.0, 120.0)
    assert (evidence.unit, len(evidence.documents)) == ("s", 3)
    assert world.outcome is Outcome.FIRING
    world.round(T0 + 180)
    assert world.firing()[0].evidence.value == 180.0
    world.sample([T0 + 235])
    world.round(T0 + 240)
    assert world.told[-1].ended is EndReason.UNDER_LIMIT


def test_a_stream_that_never_was_there_is_absent() -> None:
    world = World(absence())
    world.round(T0)
    assert len(world.firing()) == 1


def test_only_the_documents_that_match_count() -> None:
    world = World(absence(dsl=BEAT, index=(LOGS,), evidence=("level",)))
    world.sample(every(10, T0 - 120, T0 + 300), LOGS, level="info")
    world.sample([T0 - 30], LOGS, level="heartbeat")
    world.round(T0)
    assert world.firing() == []
    world.round(T0 + 120)
    (alert,) = world.firing()
    assert [d["level"] for d in alert.evidence.documents] == ["heartbeat"]


def test_a_failed_search_is_not_silence() -> None:
    world = World(absence())
    world.source.failing = lambda _: SourceError("refused", Blame.UNREACHABLE)
    world.round(T0)
    assert (world.firing(), world.outcome) == ([], Outcome.STALE)


def test_a_known_entity_that_stopped_fires_and_ends_when_it_is_back() -> None:
    world = World(absence(group_by=("pod",)))
    world.sample(every(10, T0 - 120, T0 + 600), pod="a")
    world.sample(every(10, T0 - 120, T0), pod="b")
    world.sample(every(10, T0 + 300, T0 + 600), pod="b")
    told = {}
    for minute in range(8):
        world.round(T0 + 60 * minute)
        told[minute] = world.pods()
    assert told == {0: [], 1: [], 2: ["b"], 3: ["b"], 4: ["b"], 5: ["b"], 6: [], 7: []}
    assert {s.phase for s in world.states().values()} == {Phase.OK}


def test_a_dead_stream_fires_none_of_its_entities() -> None:
    world = World(absence(group_by=("pod",), stale_after=60.0))
    world.sample(every(10, T0 - 120, T0), pod="a")
    world.sample(every(10, T0 - 120, T0), pod="b")
    for minute in range(10):
        world.round(T0 + 60 * minute)
    assert (world.firing(), world.outcome) == ([], Outcome.STALE)
    # It comes back, and one of the two has not reported yet.
    world.sample(every(10, T0 + 600, T0 + 900), pod="a")
    world.round(T0 + 620)
    assert (world.firing(), world.outcome) == ([], Outcome.INSUFFICIENT)
    world.round(T0 + 720)
    assert world.pods() == ["b"]


def test_where_no_answer_is_bad_a_dead_stream_fires_each_of_its_entities() -> None:
    world = World(absence(group_by=("pod",), stale_after=60.0, no_data=NoData.ALERT))
    world.sample(every(10, T0 - 120, T0), pod="a")
    world.sample(every(10, T0 - 120, T0), pod="b")
    for minute in range(2):
        world.round(T0 + 60 * minute)
        assert world.firing() == []
    world.round(T0 + 120)
    assert world.pods() == ["a", "b"]
    # They come back one by one.
    world.sample(every(10, T0 + 130, T0 + 200), pod="a")
    world.round(T0 + 180)
    assert world.pods() == ["b"]


def test_declared_entities_are_missed_though_never_seen() -> None:
    world = World(absence(group_by=("pod",), entities=({"pod": "a"}, {"pod": "z"})))
    world.sample(every(10, T0 - 120, T0), pod="a")
    world.round(T0)
    assert world.pods() == ["z"]


def test_an_entity_is_forgotten_and_its_alert_ends_as_gone() -> None:
    world = World(absence(group_by=("pod",), forget_after=600.0))
    world.sample(every(10, T0 - 120, T0 + 1200), pod="a")
    world.sample(every(10, T0 - 120, T0), pod="b")
    for minute in range(12):
        world.round(T0 + 60 * minute)
    assert [(a.labels["pod"], a.ended) for a in world.told if a.ended] == [("b", EndReason.GONE)]
    assert list(world.states()) == ['["a"]']


def test_late_documents_neither_resolve_nor_raise_again() -> None:
    world = World(absence(group_by=("pod",)))
    world.sample(every(10, T0 - 120, T0 + 600), pod="a")
    world.sample(every(10, T0 - 120, T0), pod="b")
    for minute in range(4):
        world.round(T0 + 60 * minute)
    world.sample(every(10, T0, T0 + 60), pod="b")
    told = len([a for a in world.told if a.ended])
    world.round(T0 + 240)
    assert world.pods() == ["b"]
    assert len([a for a in world.told if a.ended]) == told == 0


def test_entities_that_are_fine_are_seldom_written() -> None:
    world = World(absence(group_by=("pod",), forget_after=86_400.0))
    world.sample(every(10, T0 - 120, T0 + 3_700), METRICS, pod="a")
    written = [len(world.round(T0 + 60 * minute).entities) for minute in range(62)]
    assert (written[0], sum(written)) == (1, 2)
