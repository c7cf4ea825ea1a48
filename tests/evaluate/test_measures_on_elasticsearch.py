"""Rules made of measures on a real Elasticsearch: the same alerts as in process."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from sre_obs.adapters.elasticsearch import ElasticsearchOptions, ElasticsearchSource
from sre_obs.evaluate.evaluate import evaluate
from sre_obs.evaluate.ports import Source
from sre_obs.model.ledger import Ledger
from sre_obs.model.rule import Comparison, Function, Over, Rule, RuleKind
from tests.evaluate import estate
from tests.evaluate.estate import composed, measure
from tests.evaluate.world import T0, Text
from tests.fakes.source import FakeSource

WAITING = {"term": {"level": "waiting"}}
# A second stream, by the prefix of the test's own.
ROOMS = "rooms"
SHARE = (
    measure("used", Function.LATEST, field="cpu"),
    measure("limit", Function.LATEST, field="limit"),
)

FIELDS = {
    Function.COUNT: "",
    Function.MATCHES: "",
    Function.AGE: "began",
    Function.CHANGES: "level",
    Function.CARDINALITY: "level",
    Function.INCREASE: "restarts",
    Function.LATEST: "restarts",
}


def alone(function: Function) -> Rule:
    """A rule of one measure."""
    more: dict[str, Any] = {"dsl": WAITING} if function is Function.MATCHES else {}
    limit = {Function.SLOPE: 0.05, Function.AVG: 50.0}.get(function, 1.0)
    field = FIELDS.get(function, "cpu")
    return composed(measure(function=function, percent=95.0, field=field, **more), limit=limit)


RULES: dict[str, Callable[[], Rule]] = {
    **{function.value: partial(alone, function) for function in Function},
    "below": lambda: composed(
        measure(function=Function.INCREASE, field="restarts"), comparison=Comparison.LT, limit=2.0
    ),
    "ratio-of-newest": lambda: composed(*SHARE, value="used / limit", limit=0.8),
    "counts-by-query": lambda: composed(
        measure("bad", dsl=WAITING, missing=0.0),
        measure("all"),
        value="bad / all",
        valid="all >= 10",
        limit=0.1,
    ),
    "series-summed": lambda: composed(
        measure(function=Function.INCREASE, field="restarts", series=("uid",)), limit=3.0
    ),
    "largest-of-series": lambda: composed(
        measure(function=Function.LATEST, field="restarts", series=("uid",), over=Over.MAX),
        limit=20.0,
    ),
    "coarser-scope": lambda: composed(
        measure("own", Function.INCREASE, field="restarts"),
        measure("bad", Function.MATCHES, dsl=WAITING, by=("cluster",), series=("pod",)),
        value="own - bad",
        group_by=("cluster", "pod"),
        limit=1.0,
    ),
    "scope-of-all": lambda: composed(
        measure("own", Function.MAX, field="cpu"),
        measure("most", Function.MAX, field="cpu", by=()),
        value="own / most",
        limit=0.9,
    ),
    "anti-join": lambda: composed(
        measure("now_", missing=0.0, window=60.0),
        measure("before", window=200.0, ends=60.0),
        value="now_",
        when="before > 0",
        comparison=Comparison.LTE,
        limit=4.0,
    ),
    "and-or-not": lambda: composed(
        measure("moves", Function.CHANGES, field="level"),
        measure("grown", Function.INCREASE, field="restarts"),
        measure("waits", Function.MATCHES, dsl=WAITING),
        value="grown",
        when="(moves == 0 or not waits == 0) and grown < 40",
        limit=1.0,
    ),
    "whole": lambda: composed(
        measure("grown", Function.INCREASE, field="restarts", series=("pod", "uid")),
        measure("pods", Function.CARDINALITY, field="pod"),
        value="grown / pods",
        group_by=(),
        limit=0.1,
    ),
    "tuned-apart-from-missing": lambda: composed(
        measure("used", Function.AVG, field="cpu", missing=99.0), limit=60.0
    ),
    "state": lambda: composed(kind=RuleKind.STATE, dsl=WAITING, measures=(), window=120.0),
    "two-streams": lambda: composed(
        measure("used", Function.AVG, field="cpu"),
        measure("room", Function.LATEST, field="limit", index=(ROOMS,), window=120.0),
        value="used / room",
        limit=0.6,
    ),
    "listed-elsewhere": lambda: composed(
        measure("reports", dsl=WAITING, missing=0.0),
        measure("listed", index=(ROOMS,), window=120.0),
        value="reports",
        when="listed > 0",
        comparison=Comparison.LTE,
        limit=0.0,
    ),
    "math-of-dates": lambda: composed(
        measure(dsl={"range": {"began": {"gte": "now-30m", "lt": "now-5m/m"}}}), limit=1.0
    ),
}  # fmt: skip


def told(source: Source, one: Rule) -> dict[str, Any]:
    """Alerts by entity, over three rounds: value, measures, levels, how it ended."""
    ledger = Ledger()
    for at in (T0 - 60, T0, T0 + 60):
        changes = evaluate(
            [one], at, source, {one.id: dict(ledger.entities_of(one.id))}, Text(),
            timer=lambda: 0.0, alerts=ledger.alerts,
        )  # fmt: skip
        (run,) = changes.runs
        assert not run.error, run.error
        ledger.apply(changes)
    return {
        json.dumps(dict(alert.labels)): (
            alert.evidence.value, dict(alert.evidence.measures), alert.level, alert.ended,
            alert.starts_at,
        )
        for alert in ledger.alerts.values()
    }  # fmt: skip


def near(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two sets of numbers, or nothing, are the same but for the order of sums."""
    return one.keys() == other.keys() and all(
        value == other[name]
        if value is None or other[name] is None
        else value == pytest.approx(other[name], rel=1e-9, abs=1e-9)
        for name, value in one.items()
    )


def call(url: str, method: str, body: str) -> Any:
    request = urllib.request.Request(
        url, body.encode(), {"Content-Type": "application/x-ndjson"}, method=method
    )
    if method == "PUT":
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def room(document: dict[str, Any]) -> dict[str, Any]:
    """What the second stream tells of the same pod."""
    return {name: document[name] for name in ("@timestamp", "pod", "limit")}


@pytest.fixture
def both(elasticsearch_url: str, es_prefix: str) -> tuple[FakeSource, ElasticsearchSource, str]:
    """The estate in process and on the server, and its index."""
    name = f"{es_prefix}-logs"
    rooms = f"{es_prefix}-rooms-default"
    found = estate.documents()
    mappings = {"properties": {field: {"type": of} for field, of in estate.TYPES.items()}}
    settings = {"number_of_shards": 1, "number_of_replicas": 0}
    body = json.dumps({"settings": settings, "mappings": mappings})
    for one in (name, rooms):
        call(f"{elasticsearch_url}/{one}", "PUT", body)
    lines: list[str] = []
    for document in found:
        dated = {**document, "@timestamp": round(document["@timestamp"] * 1000)}
        lines += [json.dumps({"create": {"_index": name}}), json.dumps(dated)]
        if document["pod"] > "p05":
            lines += [json.dumps({"create": {"_index": rooms}}), json.dumps(room(dated))]
    answer = call(f"{elasticsearch_url}/{name}/_bulk?refresh=true", "POST", "\n".join([*lines, ""]))
    assert not answer["errors"]
    twin = FakeSource(types=estate.TYPES)
    twin.add(name, *found)
    twin.add(rooms, *(room(document) for document in found if document["pod"] > "p05"))
    return twin, ElasticsearchSource("default", ElasticsearchOptions((elasticsearch_url,))), name


def test_both_servers_measure_the_same(both: tuple[FakeSource, ElasticsearchSource, str]) -> None:
    twin, server, name = both
    fired = 0
    for title, make in RULES.items():
        one = make()
        pattern = name.removesuffix("logs") + "rooms-*"
        measures = tuple(
            replace(m, index=(pattern,)) if m.index == (ROOMS,) else m for m in one.measures
        )
        there = replace(one, index=(name,), measures=measures)
        on_server, in_process = told(server, there), told(twin, there)
        assert on_server.keys() == in_process.keys(), title
        for entity, (value, measures, *rest) in on_server.items():
            expected, others, *same = in_process[entity]
            assert near({"": value}, {"": expected}), (title, entity)
            assert near(measures, others), (title, entity)
            assert rest == same, (title, entity)
        assert on_server, title
        fired += len(on_server)
    assert fired > 100
    server.close()
