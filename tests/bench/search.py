"""Documents a second of the in-process search, when 30 and more rules ask about each of them.

Every document is a candidate of every rule: all rules read its stream. Three ways, in turns
on the same documents: our search, which reads a field into a column once and answers each
rule from columns; the same with a corpus for each rule, so that nothing is shared; and what
one would write first, each rule as a function that is tried on each document.

`conditions` counts what matches; `entities` asks as rules do, for the pods whose newest
document matches. All three must come to the same numbers.
"""

from __future__ import annotations

import gc
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from sre_obs.query.kql import compile_kql, parse
from sre_obs.query.search import Corpus, search
from tests.bench.table import heading, options, row

INDEX = "metrics-kubernetes.container-default"
NOW = 1_768_478_400.0
WINDOW = 300
TYPES = {
    "@timestamp": "date",
    "kubernetes.namespace": "keyword",
    "kubernetes.pod.name": "keyword",
    "kubernetes.container.status.reason": "keyword",
    "kubernetes.container.status.restarts": "long",
    "kubernetes.container.memory.usage.limit.pct": "double",
    "kubernetes.container.cpu.usage.limit.pct": "double",
}
Document = Mapping[str, Any]
Test = Callable[[Document], bool]


def documents(count: int) -> list[Document]:
    """Of 1,000 pods in 20 namespaces, over five minutes."""
    reasons = ("OOMKilled", "Completed", "Error", None, None, None, None, None)
    made: list[Document] = []
    for number in range(count):
        pod = number % 1_000
        status: dict[str, Any] = {"restarts": number % 13}
        reason = reasons[number // 7 % 8]
        if reason is not None:
            status["reason"] = reason
        made.append(
            {
                "@timestamp": int((NOW - WINDOW) * 1000) + number * WINDOW * 1000 // count,
                "kubernetes": {
                    "namespace": f"ns-{pod % 20}",
                    "pod": {"name": f"{'test' if pod % 9 == 0 else 'app'}-{pod}"},
                    "container": {
                        "status": status,
                        "memory": {"usage": {"limit": {"pct": number * 7 % 100 / 100}}},
                        "cpu": {"usage": {"limit": {"pct": number * 11 % 100 / 100}}},
                    },
                },
            }
        )
    return made


def queries(count: int) -> list[dict[str, Any]]:
    """So many rules' conditions, each with constants of its own."""
    container = "kubernetes.container"
    forms = (
        "kubernetes.namespace: ns-{a} and {c}.status.reason: OOMKilled",
        "{c}.status.restarts >= {b} and not kubernetes.pod.name: test-*",
        "{c}.memory.usage.limit.pct >= 0.{d} and {c}.cpu.usage.limit.pct >= 0.{d}",
        "kubernetes.namespace: (ns-{a} or ns-{b}) and {c}.status.reason: *",
        'kubernetes.namespace: "ns-{a}" and ({c}.status.reason: "Error" or '
        "{c}.status.restarts >= {b}) and not kubernetes.pod.name: test-*",
    )
    texts = (
        forms[n % len(forms)].format(c=container, a=n % 20, b=n % 12 + 1, d=90 + n % 10)
        for n in range(count)
    )
    return [compile_kql(parse(text), TYPES) for text in texts]


def windowed(query: dict[str, Any]) -> dict[str, Any]:
    """A condition within the window, as `evaluate` asks it."""
    start, end = int((NOW - WINDOW) * 1000), int(NOW * 1000)
    between = {"gte": str(start), "lt": str(end), "format": "epoch_millis"}
    return {"bool": {"filter": [{"range": {"@timestamp": between}}, query]}}


def counting(query: dict[str, Any]) -> dict[str, Any]:
    return {"size": 0, "track_total_hits": True, "query": windowed(query)}


def by_entity(query: dict[str, Any]) -> dict[str, Any]:
    """Pods whose newest document matches."""
    newest = {"t": {"max": {"field": "@timestamp"}}}
    sources = [{"pod": {"terms": {"field": "kubernetes.pod.name"}}}]
    keep = {"buckets_path": {"t": "t", "b": "b>t"}, "script": "params.b >= params.t"}
    aggs = {**newest, "b": {"filter": query, "aggs": newest}, "keep": {"bucket_selector": keep}}
    return {
        "size": 0,
        "track_total_hits": False,
        "query": windowed({"match_all": {}}),
        "aggs": {"e": {"composite": {"size": 10_000, "sources": sources}, "aggs": aggs}},
    }


# -- one function a rule


def function(query: Mapping[str, Any]) -> Test:
    """A query as a function of one document."""
    (kind, body), *_ = query.items()
    match kind:
        case "bool":
            return _bool(body)
        case "exists":
            read = _reader(body["field"])
            return lambda document: read(document) is not None
    (field, options_), *_ = body.items()
    read = _reader(field)
    if kind == "range":
        low = float(options_["gte"])
        return lambda document: (v := read(document)) is not None and v >= low
    if kind == "wildcard":
        match = re.compile(options_["value"].replace("*", ".*")).fullmatch
        return lambda document: (v := read(document)) is not None and match(v) is not None
    wanted = options_["value"] if isinstance(options_, dict) else options_
    return lambda document: read(document) == wanted


def _bool(body: Mapping[str, Any]) -> Test:
    every = [function(one) for one in _list(body.get("filter", ()))]
    some = [function(one) for one in _list(body.get("should", ()))]
    none = [function(one) for one in _list(body.get("must_not", ()))]
    if len(some) == 1:
        every, some = every + some, []

    def test(document: Document) -> bool:
        for one in every:
            if not one(document):
                return False
        for one in none:
            if one(document):
                return False
        return not some or any(one(document) for one in some)

    return test


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _reader(field: str) -> Callable[[Document], Any]:
    parts = field.split(".")

    def read(document: Document) -> Any:
        value: Any = document
        for part in parts:
            value = value.get(part)
            if value is None:
                return None
        return value

    return read


# -- the measurements


def corpus_of(made: list[Document]) -> Corpus:
    corpus = Corpus()
    corpus.create(INDEX, TYPES)
    corpus.add(INDEX, *made)
    return corpus


def shared(made: list[Document], bodies: list[dict[str, Any]]) -> list[Any]:
    corpus = corpus_of(made)
    return [_told(search(corpus, INDEX, body, NOW)) for body in bodies]


def alone(made: list[Document], bodies: list[dict[str, Any]]) -> list[Any]:
    return [_told(search(corpus_of(made), INDEX, body, NOW)) for body in bodies]


def tried(made: list[Document], bodies: list[dict[str, Any]]) -> list[Any]:
    tests = [function(body["query"]["bool"]["filter"][1]) for body in bodies]
    counts = [0] * len(tests)
    for document in made:
        for number, test in enumerate(tests):
            if test(document):
                counts[number] += 1
    return counts


def tried_by_entity(made: list[Document], bodies: list[dict[str, Any]]) -> list[Any]:
    tests = [function(body["aggs"]["e"]["aggs"]["b"]["filter"]) for body in bodies]
    pod = _reader("kubernetes.pod.name")
    newest: list[dict[str, tuple[int, bool]]] = [{} for _ in tests]
    for document in made:
        at, name = document["@timestamp"], pod(document)
        for of_rule, test in zip(newest, tests, strict=True):
            matches = test(document)
            known = of_rule.get(name)
            if known is None or at > known[0] or (at == known[0] and matches):
                of_rule[name] = (at, matches)
    return [sum(found for _, found in of_rule.values()) for of_rule in newest]


def _told(response: Mapping[str, Any]) -> Any:
    if "aggregations" in response:
        return len(response["aggregations"]["e"]["buckets"])
    return response["hits"]["total"]["value"]


def measure(way: Callable[..., list[Any]], *arguments: Any) -> tuple[float, list[Any]]:
    gc.collect()
    began = time.process_time()
    found = way(*arguments)
    return time.process_time() - began, found


def main() -> None:
    chosen = options(__doc__)
    count = 10_000 if chosen.quick else 100_000
    made = documents(count)
    for name, asks, plain in (
        ("conditions", counting, tried),
        ("entities", by_entity, tried_by_entity),
    ):
        heading(
            f"{name}, {count:,} documents a second",
            "rules",
            "ours",
            "corpus a rule",
            "tried alone",
            "ours/tried",
            "us/(doc,rule)",
        )
        for rules in (1, 30, 100, 300):
            bodies = [asks(query) for query in queries(rules)]
            ours, found = measure(shared, made, bodies)
            few = bodies[:10]
            apart, _ = measure(alone, made, few)
            apart *= rules / len(few)
            sample = bodies[:30]
            slow, wanted = measure(plain, made, sample)
            slow *= rules / len(sample)
            assert found[: len(wanted)] == wanted, "the ways differ"
            row(
                f"{rules}",
                count / ours,
                count / apart,
                count / slow,
                slow / ours,
                ours / count / rules * 1e6,
            )


if __name__ == "__main__":
    main()
