"""Rules on a real Elasticsearch: what fires, what it costs in bytes, who suffers from whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest
from elasticsearch import Elasticsearch

from sre_obs.adapters.elasticsearch import ElasticsearchOptions, ElasticsearchSource
from sre_obs.evaluate.evaluate import evaluate
from sre_obs.evaluate.fields import fields_of, missing
from sre_obs.evaluate.ports import Request
from sre_obs.evaluate.schedule import due
from sre_obs.model.changes import Changes
from sre_obs.model.errors import Blame, SourceError
from sre_obs.model.evaluation import Outcome
from sre_obs.model.ledger import Ledger
from sre_obs.model.rule import Comparison, Function, Query, Rule, RuleKind, Threshold
from tests.evaluate.world import T0, Text, every, rule
from tests.fakes.source import FakeSource

MAPPING = {
    "properties": {
        "@timestamp": {"type": "date"},
        "cluster": {"type": "keyword"},
        "pod": {"type": "keyword"},
        "level": {"type": "keyword"},
        "message": {"type": "text"},
        "cpu": {"type": "double"},
        "ready": {"type": "boolean"},
        "port": {"type": "long"},
        "ip": {"type": "ip"},
    }
}
TYPES = {name: found["type"] for name, found in MAPPING["properties"].items()}
FAILED = {"term": {"level": {"value": "error"}}}
BUSY = Threshold(Function.MAX, "cpu", comparison=Comparison.GTE, limit=0.9)


class Counted(ElasticsearchSource):
    """Knows how many bytes the answers had."""

    bytes = 0

    def search(self, requests: Sequence[Request]) -> list[Mapping[str, Any] | SourceError]:
        answers = super().search(requests)
        self.bytes += sum(len(orjson.dumps(a)) for a in answers if not isinstance(a, SourceError))
        return answers


class Server:
    """The real server, and the same documents in process beside it."""

    def __init__(self, url: str, prefix: str) -> None:
        self.client = Elasticsearch(url)
        self.source = Counted("default", ElasticsearchOptions((url,)))
        self.twin = FakeSource(types=TYPES)
        # Named as metrics are: after the type comes what is this test's alone.
        self.logs = f"{prefix}-logs"
        self.ledger = Ledger()

    def index(self, documents: Sequence[Mapping[str, Any]], name: str = "") -> str:
        name = name or self.logs
        if not self.client.indices.exists(index=name):
            settings = {"number_of_replicas": 0, "number_of_shards": 1}
            self.client.indices.create(index=name, mappings=MAPPING, settings=settings)
        for start in range(0, len(documents), 5_000):
            lines: list[Any] = []
            for document in documents[start : start + 5_000]:
                dated = {**document, "@timestamp": round(document["@timestamp"] * 1000)}
                lines += [{"create": {"_index": name}}, dated]
            assert not self.client.bulk(operations=lines)["errors"]
        self.client.indices.refresh(index=name)
        self.twin.add(name, *documents)
        return name

    def round(self, at: float, *rules: Rule) -> Changes:
        changes = evaluate(
            rules,
            at,
            self.source,
            {name: dict(states) for name, states in self.ledger.entities.items()},
            Text(),
            timer=lambda: 0.0,
            alerts=self.ledger.alerts,
        )
        self.ledger.apply(changes)
        return changes

    def pods(self) -> list[str]:
        firing = [a for a in self.ledger.alerts.values() if a.ended is None]
        return sorted(alert.labels["pod"] for alert in firing)


@pytest.fixture
def server(elasticsearch_url: str, es_prefix: str) -> Iterator[Server]:
    one = Server(elasticsearch_url, es_prefix)
    yield one
    one.source.close()
    one.client.close()


def test_the_last_of_25000_groups_fires_like_the_first(server: Server) -> None:
    documents = [{"@timestamp": T0 - 5, "pod": f"p{n:05}", "cpu": 0.1} for n in range(25_000)]
    documents[0]["cpu"] = documents[-1]["cpu"] = 1.0
    name = server.index(documents)
    server.round(T0, rule(index=(name,), threshold=BUSY))
    assert server.pods() == ["p00000", "p24999"]
    assert server.source.bytes < 8_000


def test_one_bad_group_of_1000_costs_few_bytes(server: Server) -> None:
    documents = [
        {"@timestamp": at, "pod": f"p{n}", "cpu": 1.0 if n == 777 else 0.1}
        for at in every(60, T0 - 300, T0)
        for n in range(1_000)
    ]
    name = server.index(documents)
    server.round(T0, rule(index=(name,), threshold=BUSY))
    assert server.pods() == ["p777"]
    assert server.source.bytes < 4_096


@pytest.mark.parametrize(
    "wrong",
    [
        {"query": Query("dsl", "", {"no_such_query": {}})},
        {"query": Query("dsl", "", {"range": {"port": {"gte": "abc"}}})},
        {"group_by": ("message",)},
        {"threshold": Threshold(Function.AVG, "level", limit=1.0)},
    ],
    ids=["query", "value", "group", "measure"],
)
def test_a_wrong_rule_blinds_only_itself(server: Server, wrong: Mapping[str, Any]) -> None:
    name = server.index([{"@timestamp": T0 - 5, "pod": "a", "cpu": 1.0, "message": "m"}])
    good = [rule(id=f"app/good{n}", index=(name,), threshold=BUSY) for n in range(12)]
    bad = replace(rule(id="app/bad", index=(name,)), **wrong)
    server.round(T0, *good[:6], bad, *good[6:])
    runs = server.ledger.runs
    assert runs["app/bad"].outcome is Outcome.MISCONFIGURED
    assert runs["app/bad"].error
    assert {runs[g.id].outcome for g in good} == {Outcome.FIRING}


def test_an_index_that_is_not_there_is_a_silent_stream(server: Server, es_prefix: str) -> None:
    exact = rule(id="app/exact", index=(f"{es_prefix}-none",))
    pattern = rule(id="app/pattern", index=(f"{es_prefix}-none-*",), threshold=BUSY, group_by=())
    absent = rule(id="app/absent", index=(f"{es_prefix}-none-*",), kind=RuleKind.ABSENCE,
                  group_by=())  # fmt: skip
    server.round(T0, exact, pattern, absent)
    outcomes = {name: run.outcome for name, run in server.ledger.runs.items()}
    assert outcomes == {
        "app/exact": Outcome.STALE,
        "app/pattern": Outcome.STALE,
        "app/absent": Outcome.FIRING,
    }
    assert server.source.field_types([f"{es_prefix}-none-*"]) == {}


def test_an_index_without_documents_or_fields_is_a_silent_stream(
    server: Server, es_prefix: str
) -> None:
    server.client.indices.create(index=f"{es_prefix}-empty")
    one = rule(index=(f"{es_prefix}-empty",), threshold=BUSY)
    server.round(T0, one)
    assert server.ledger.runs[one.id].outcome is Outcome.STALE


RULES: dict[str, Callable[[str], Rule]] = {
    "count": lambda i: rule(index=(i,), threshold=Threshold(limit=20.0)),
    "any": lambda i: rule(index=(i,), kind=RuleKind.QUERY, dsl=FAILED),
    "avg": lambda i: rule(index=(i,), threshold=Threshold(Function.AVG, "cpu", limit=0.4)),
    "sum below": lambda i: rule(
        index=(i,), threshold=Threshold(Function.SUM, "cpu", comparison=Comparison.LT, limit=9.0)
    ),
    "min": lambda i: rule(
        index=(i,), threshold=Threshold(Function.MIN, "cpu", comparison=Comparison.LTE, limit=0.1)
    ),
    "cardinality": lambda i: rule(
        index=(i,), threshold=Threshold(Function.CARDINALITY, "port", 0, Comparison.GT, 3.0)
    ),
    "two keys": lambda i: rule(index=(i,), group_by=("cluster", "pod"), threshold=BUSY),
    "boolean": lambda i: rule(index=(i,), group_by=("ready",), threshold=Threshold(limit=20.0)),
    "number": lambda i: rule(index=(i,), group_by=("port", "pod"), threshold=Threshold(limit=8.0)),
    "address": lambda i: rule(index=(i,), group_by=("ip",), threshold=Threshold(limit=30.0)),
    "whole": lambda i: rule(
        index=(i,), group_by=(), threshold=Threshold(Function.AVG, "cpu", limit=0.1)
    ),
    "absence": lambda i: rule(index=(i,), kind=RuleKind.ABSENCE, window=60.0, forget_after=600.0),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("sampled", [False, True], ids=["logs", "metrics"])
def test_both_servers_give_the_same_alerts(
    server: Server, monkeypatch: pytest.MonkeyPatch, name: str, sampled: bool
) -> None:
    # What tells metrics from logs is the index's name, and that is the fixture's.
    for kind in ("threshold", "inquiry", "absence"):
        monkeypatch.setattr(f"sre_obs.evaluate.kinds.{kind}.sampled", lambda _: sampled)
    monkeypatch.setattr("sre_obs.evaluate.kinds.stream.sampled", lambda _: sampled)
    documents: list[dict[str, Any]] = []
    for at in every(10, T0 - 300, T0 + 600):
        for n in range(5):
            if n == 4 and at > T0 + 100:
                continue
            document = {
                "@timestamp": at,
                "pod": f"p{n}",
                "cpu": (n * 7 + int(at) // 60) % 10 / 10,
                "level": "error" if (int(at) // 10 + n) % 31 == 0 else "info",
                "port": 1_000 + int(at) // 100 % (n + 1),
                "ready": n % 2 == 0,
                "ip": f"10.0.0.{n}",
            }
            documents.append({**document, "cluster": "eu"} if n % 2 else document)
    index = server.index(documents)
    one = RULES[name](index)
    here, there = Ledger(), Ledger()
    for at in due(one, T0, T0 + 600).times:
        for ledger, source in ((here, server.twin), (there, server.source)):
            changes = evaluate(
                [one], at, source, {one.id: dict(ledger.entities_of(one.id))}, Text(),
                timer=lambda: 0.0, alerts=ledger.alerts,
            )  # fmt: skip
            ledger.apply(changes)
        assert there.alerts == here.alerts
        assert there.entities == here.entities
        assert there.runs[one.id].outcome is here.runs[one.id].outcome
    assert here.alerts


def test_fields_and_their_types_are_those_of_the_mapping(server: Server) -> None:
    name = server.index([{"@timestamp": T0}])
    types = server.source.field_types([name])
    assert types == TYPES
    one = rule(threshold=BUSY, group_by=("pod", "node"))
    assert missing(fields_of(one)[one.index], types) == ["node"]


def test_the_start_line_says_what_answers(server: Server) -> None:
    info = server.client.info()
    cluster = server.source.info()
    assert cluster.version == info["version"]["number"]
    assert cluster.uuid == info["cluster_uuid"]
    line = server.source.describe()
    assert f"Elasticsearch {cluster.version}" in line
    assert cluster.uuid in line


def test_a_drills_document_can_be_found_at_once(server: Server, es_prefix: str) -> None:
    name = f"{es_prefix}-drill"
    document = {"@timestamp": round(T0 * 1000) - 5_000, "drill": {"id": "d-1"}}
    assert server.source.index_document(name, document, refresh=True)
    found = rule(index=(name,), kind=RuleKind.QUERY, dsl={"match": {"drill.id": "d-1"}},
                 group_by=(), evidence=("drill.id",))  # fmt: skip
    (alert,) = server.round(T0, found).alerts
    assert alert.evidence.documents[0]["drill.id"] == "d-1"


def test_a_drill_that_may_not_be_written_says_why(server: Server, es_prefix: str) -> None:
    with pytest.raises(SourceError) as error:
        server.source.index_document(f"{es_prefix}-UPPER", {"a": 1})
    assert error.value.blame is Blame.REQUEST
