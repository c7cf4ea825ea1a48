"""Each measure, over many pods of every temper, comes to what a hand makes of the documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sre_obs.model.rule import Comparison, Function, Over, Rule
from tests.evaluate import estate
from tests.evaluate.estate import MARGIN, WINDOW, Samples, composed, measure
from tests.evaluate.world import LOGS, T0, World

START = T0 - WINDOW
WAITING = {"term": {"level": "waiting"}}
Reference = Callable[[Samples, float], float | None]


def world_of(one: Rule, documents: list[dict[str, Any]]) -> World:
    world = World(one)
    world.source = type(world.source)(types=estate.TYPES)
    world.source.add(LOGS, *documents)
    return world


def fired(world: World) -> dict[str, float | None]:
    """Pod -> value of those that fire."""
    return {alert.labels["pod"]: alert.evidence.value for alert in world.firing()}


def is_newest(samples: Samples, start: float) -> float | None:
    newest = estate.latest(samples, start)
    return None if newest is None else float(newest == "waiting")


# Name: the measure, the field it reads, the reference, limits that some pods meet.
MEASURES: dict[str, tuple[Any, str, Reference, tuple[float, ...]]] = {
    "count": (measure(), "@timestamp", estate.plain(len), (1.0, 26.0)),
    "cardinality": (
        measure(function=Function.CARDINALITY, field="level"),
        "level",
        estate.plain(lambda v: len(set(v))),
        (1.0, 3.0),
    ),
    "avg": (
        measure(function=Function.AVG, field="cpu"),
        "cpu",
        estate.plain(lambda v: sum(v) / len(v)),
        (0.0, 75.0),
    ),
    "sum": (measure(function=Function.SUM, field="cpu"), "cpu", estate.plain(sum), (0.0, 1500.0)),
    "min": (measure(function=Function.MIN, field="cpu"), "cpu", estate.plain(min), (0.0, 60.0)),
    "max": (measure(function=Function.MAX, field="cpu"), "cpu", estate.plain(max), (0.0, 90.0)),
    "latest": (
        measure(function=Function.LATEST, field="restarts"),
        "restarts",
        estate.latest,
        (0.0, 30.0),
    ),
    "latest-boolean": (
        measure(function=Function.LATEST, field="ready"),
        "ready",
        lambda s, start: None if (v := estate.latest(s, start)) is None else float(v),
        (0.0, 1.0),
    ),
    "matches": (
        measure(function=Function.MATCHES, dsl=WAITING),
        "level",
        is_newest,
        (1.0,),
    ),
    "increase": (
        measure(function=Function.INCREASE, field="restarts"),
        "restarts",
        estate.increase,
        (0.0, 1.0, 5.0),
    ),
    "increase-from-zero": (
        measure(function=Function.INCREASE, field="restarts", from_zero=True),
        "restarts",
        lambda s, start: estate.increase(s, start, from_zero=True),
        (0.0, 1.0, 20.0),
    ),
    "changes": (
        measure(function=Function.CHANGES, field="level"),
        "level",
        estate.changes,
        (0.0, 1.0, 5.0),
    ),
    "slope": (
        measure(function=Function.SLOPE, field="cpu"),
        "cpu",
        estate.slope,
        (-1.0, 0.05),
    ),
    "age": (
        measure(function=Function.AGE, field="began"),
        "began",
        estate.plain(lambda v: max(0.0, T0 - min(v) / 1000)),
        (0.0, 1000.0),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("comparison", [Comparison.GTE, Comparison.LT], ids=["from", "below"])
def test_a_measure_comes_to_what_a_hand_makes_of_it(name: str, comparison: Comparison) -> None:
    one, read, reference, limits = MEASURES[name]
    documents = estate.documents()
    samples = estate.of_pods(documents, read, START - MARGIN, T0)
    if name == "matches":
        # A newest document without the field is one that does not match.
        everything = estate.of_pods(documents, "ready", START - MARGIN, T0)
        samples = {pod: samples.get(pod, [(T0 - 1, "")]) for pod in everything}
    expected = {pod: reference(found, START) for pod, found in samples.items()}
    for limit in limits:
        world = world_of(composed(one, comparison=comparison, limit=limit), documents)
        world.round(T0)
        wanted = {
            pod: value
            for pod, value in expected.items()
            if value is not None and comparison.holds(value, limit)
        }
        assert fired(world) == pytest.approx(wanted, rel=1e-9, abs=1e-9)
    assert any(value is not None for value in expected.values())


@pytest.mark.parametrize("over", Over)
@pytest.mark.parametrize("function", [Function.INCREASE, Function.LATEST, Function.MATCHES])
def test_series_are_measured_alone_and_combined_after(over: Over, function: Function) -> None:
    documents = estate.documents()
    read = "ready" if function is Function.MATCHES else "restarts"
    more: dict[str, Any] = {}
    if function is Function.MATCHES:
        more = {"dsl": {"term": {"ready": True}}}
    one = measure(
        function=function,
        field="" if function is Function.MATCHES else "restarts",
        series=("uid",),
        over=over,
        **more,
    )
    reference: Reference = {
        Function.INCREASE: estate.increase,
        Function.LATEST: estate.latest,
        Function.MATCHES: lambda s, start: (
            None if (v := estate.latest(s, start)) is None else float(v)
        ),
    }[function]
    each: dict[str, list[float]] = {}
    for uid, samples in estate.of_pods(documents, read, START - MARGIN, T0, "uid").items():
        value = reference(samples, START)
        if value is not None:
            each.setdefault(f"p{uid[1:3]}", []).append(float(value))
    fold: dict[Over, Callable[[list[float]], float]] = {
        Over.SUM: sum,
        Over.AVG: lambda v: sum(v) / len(v),
        Over.MIN: min,
        Over.MAX: max,
        Over.COUNT: len,
    }
    expected = {pod: float(fold[over](values)) for pod, values in each.items()}
    for limit in (0.0, 1.0, 2.0, 30.0):
        world = world_of(composed(one, limit=limit), documents)
        world.round(T0)
        wanted = {pod: value for pod, value in expected.items() if value >= limit}
        assert fired(world) == pytest.approx(wanted)


def test_a_name_that_comes_back_under_another_uid_is_another_counter() -> None:
    # 40, then under a new uid from 0 on: in all 3, not 43.
    documents = [
        {"@timestamp": T0 - 300 + 10 * n, "pod": "a", "uid": "1", "restarts": 40} for n in range(15)
    ] + [
        {"@timestamp": T0 - 150 + 10 * n, "pod": "a", "uid": "2", "restarts": min(n, 3)}
        for n in range(15)
    ]
    one = measure(function=Function.INCREASE, field="restarts", series=("uid",))
    world = world_of(composed(one), documents)
    world.round(T0)
    assert fired(world) == {"a": 3.0}


def test_a_step_into_the_window_counts() -> None:
    documents = [
        {"@timestamp": T0 - 310, "pod": "a", "restarts": 4},
        {"@timestamp": T0 - 300, "pod": "a", "restarts": 5},
        {"@timestamp": T0 - 10, "pod": "a", "restarts": 5},
        {"@timestamp": T0 - 320, "pod": "b", "restarts": 4},
        {"@timestamp": T0 - 310, "pod": "b", "restarts": 5},
        {"@timestamp": T0 - 10, "pod": "b", "restarts": 5},
    ]
    world = world_of(composed(measure(function=Function.INCREASE, field="restarts")), documents)
    world.round(T0)
    assert fired(world) == {"a": 1.0}


def test_several_samples_in_one_part_are_told_apart_by_least_and_most() -> None:
    # A window of 6 h has parts of a minute: six samples each.
    documents: list[dict[str, Any]] = []
    value = 0
    for n in range(2_160):
        value = 0 if n == 1_000 else value + (n % 7 == 0)
        documents.append({"@timestamp": T0 - 21_600 + 10 * n, "pod": "a", "restarts": value})
    one = measure(function=Function.INCREASE, field="restarts")
    world = world_of(composed(one, window=21_600.0), documents)
    world.round(T0)
    samples = [(d["@timestamp"], d["restarts"]) for d in documents]
    assert fired(world) == {"a": estate.increase(samples, T0 - 21_600)}


def test_newest_by_another_field_than_the_time() -> None:
    documents: list[dict[str, Any]] = [
        {"@timestamp": T0 - 20, "pod": "a", "began": (T0 - 50) * 1000, "restarts": 1, "level": "x"},
        {
            "@timestamp": T0 - 10, "pod": "a", "began": (T0 - 90) * 1000, "restarts": 2,
            "level": "waiting",
        },
    ]  # fmt: skip
    for document in documents:
        document["began"] = round(document["began"])
    latest = measure(function=Function.LATEST, field="restarts", order="began")
    world = world_of(composed(latest), documents)
    world.round(T0)
    assert fired(world) == {"a": 1.0}
    matches = measure(function=Function.MATCHES, dsl=WAITING, order="began")
    world = world_of(composed(matches), documents)
    world.round(T0)
    assert fired(world) == {}


def test_a_drop_ends_what_a_line_could_be_drawn_through() -> None:
    def documents(after: float) -> list[dict[str, Any]]:
        return [
            {"@timestamp": T0 - 300 + 10 * n, "pod": "a", "cpu": 50.0 + n if n < 20 else after + n}
            for n in range(30)
        ]

    one = composed(measure(function=Function.SLOPE, field="cpu"), limit=0.0)
    kept, dropped = world_of(one, documents(50.0)), world_of(one, documents(30.0))
    kept.round(T0)
    dropped.round(T0)
    assert fired(kept) == pytest.approx({"a": 0.1})
    assert fired(dropped) == {}
    assert dropped.outcome.value == "insufficient"


def test_an_age_of_a_moment_ahead_is_none() -> None:
    documents = [{"@timestamp": T0 - 10, "pod": "a", "began": round((T0 + 5) * 1000)}]
    world = world_of(composed(measure(function=Function.AGE, field="began"), limit=0.0), documents)
    world.round(T0)
    assert fired(world) == {"a": 0.0}
