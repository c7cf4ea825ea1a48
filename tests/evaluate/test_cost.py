"""What rules cost: requests, documents and bytes, with 1,000 healthy pods and three bad ones."""

from __future__ import annotations

from typing import Any

import pytest

from sre_obs.model.rule import Comparison, Function, Measure, Rule
from tests.evaluate import estate
from tests.evaluate.estate import composed, measure
from tests.evaluate.world import LOGS, T0, World

PODS = 1_000
BAD = {"p007", "p500", "p999"}
STATES = "logs-app.state-default"
WAITING = {"term": {"level": "waiting"}}


def healthy_and_bad() -> World:
    world = World()
    world.source = type(world.source)(types=estate.TYPES)
    for number in range(PODS):
        pod = f"p{number:03}"
        bad = pod in BAD
        for step in range(6):
            at = T0 - 330 + 60 * step
            fields: dict[str, Any] = {
                "@timestamp": at,
                "pod": pod,
                "uid": f"u-{pod}",
                "level": "waiting" if bad and step % 2 else "running",
                "restarts": 10 + (2 * step if bad else 0),
                # What is used moves all the time, of every pod.
                "cpu": (95.0 if bad else 50.0) + step,
                "limit": 101.0,
                "began": round((T0 - (9_000 if bad else 100)) * 1000),
            }
            world.source.add(LOGS, fields)
            world.source.add(STATES, {k: fields[k] for k in ("@timestamp", "pod", "limit")})
    return world


WORLD = healthy_and_bad()

# How many requests (the stream's newest document and the empty last page among them), and how
# many bytes of answers, before evidence is looked up.
RULES: dict[str, tuple[Rule, int, int]] = {
    "count": (composed(measure(dsl=WAITING), limit=2.0), 3, 2_000),
    "matches": (composed(measure(function=Function.MATCHES, dsl=WAITING)), 3, 2_000),
    "average": (composed(measure(function=Function.AVG, field="cpu"), limit=90.0), 3, 2_000),
    "percentile": (
        composed(measure(function=Function.PERCENTILE, field="cpu", percent=95.0), limit=90.0),
        3,
        2_000,
    ),
    "latest": (
        composed(measure(function=Function.LATEST, field="restarts"), limit=15.0), 5, 4_000,
    ),
    "increase": (
        composed(measure(function=Function.INCREASE, field="restarts"), limit=5.0), 5, 6_000,
    ),
    "increase-by-series": (
        composed(
            measure(function=Function.INCREASE, field="restarts", series=("uid",)), limit=5.0
        ),
        4,
        6_000,
    ),
    "changes": (
        composed(measure(function=Function.CHANGES, field="level"), limit=3.0), 5, 7_000,
    ),
    "age": (composed(measure(function=Function.AGE, field="began"), limit=3_600.0), 3, 2_000),
    "ratio": (
        composed(
            measure("bad", dsl=WAITING, missing=0.0),
            measure("all"),
            value="bad / all",
            limit=0.3,
        ),
        3,
        2_000,
    ),
    "share-of-newest-values": (
        composed(
            measure("used", Function.LATEST, field="cpu"),
            measure("room", Function.LATEST, field="limit"),
            value="used / room",
            limit=0.9,
        ),
        4,
        5_000,
    ),
    "joined-after-a-gate": (
        composed(
            measure("waits", Function.MATCHES, dsl=WAITING),
            measure("room", Function.LATEST, field="limit", index=(STATES,)),
            value="room",
            when="waits == 1",
            limit=100.0,
        ),
        5,
        4_000,
    ),
    "share-of-another-streams-limit": (
        composed(
            measure("used", Function.AVG, field="cpu"),
            measure("room", Function.LATEST, field="limit", index=(STATES,)),
            value="used / room",
            limit=0.9,
        ),
        5,
        4_000,
    ),
    "far-from-its-limit": (
        composed(
            Measure("used", Function.AVG, field="cpu"),
            comparison=Comparison.LT,
            limit=0.0,
        ),
        3,
        1_000,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_what_is_fine_does_not_travel(name: str) -> None:
    one, requests, most = RULES[name]
    world = World(one)
    world.source = WORLD.source
    world.source.asked.clear()
    world.source.calls.clear()
    world.round(T0)
    wanted = set() if name == "far-from-its-limit" else BAD
    assert {alert.labels["pod"] for alert in world.firing()} == wanted
    asked = [request for request in world.source.asked if request.body["size"] < 3]
    assert len(asked) <= requests
    assert sum(map(world.source.bytes_of, asked)) < most
    assert sum(request.body["size"] for request in asked) <= 2  # the newest of each stream
