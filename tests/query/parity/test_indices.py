# ruff: noqa: E501  # tables: one row is one case
"""Dynamic mapping, several indices, and the meaning of now, against the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sre_obs.query.search import Corpus
from tests.query.parity.compare import differences, ours, theirs
from tests.query.parity.server import Server, server_at

Json = dict[str, Any]

pytestmark = pytest.mark.server

DYNAMIC: list[Json] = [
    {
        "s": "Hello World",
        "n": 1,
        "f": 1.5,
        "b": True,
        "d": "2026-01-15T10:00:00Z",
        "o": {"x": "a b"},
    },
    {
        "s": ["x", "Hello"],
        "n": 2,
        "f": 2,
        "b": False,
        "d": "2026-01-16",
        "o": {"x": "c", "y": {"z": 3}},
    },
    {"s": "y" * 300, "n": None, "year": "2026", "month": "2026-01", "o.x": "dotted"},
    {"only": "here", "list": [{"a": 1}, {"a": 2}]},
]
FIELDS = ("s", "s.keyword", "n", "f", "b", "d", "o.x", "o.x.keyword", "o.y.z", "year", "year.keyword",
          "month", "only.keyword", "list.a", "nope", "nope.keyword")  # fmt: skip


def _requests() -> list[Json]:
    found: list[Json] = []
    for field in FIELDS:
        for query in (
            {"exists": {"field": field}},
            {"term": {field: "Hello"}},
            {"match": {field: "hello"}},
            {"match": {field: 2}},
            {"range": {field: {"gte": "2026-01-16"}}},
        ):
            found.append({"size": 10, "_source": False, "query": {"bool": {"filter": query}}})
        found.append({"size": 0, "aggs": {"a": {"terms": {"field": field}}}})
        found.append({"size": 0, "aggs": {"a": {"max": {"field": field}}}})
    found.append({"size": 10, "query": {"bool": {"filter": {"multi_match": {"query": "hello"}}}}})
    found.append({"size": 10, "query": {"bool": {"filter": {"query_string": {"query": "he*"}}}}})
    return found


def _check(server: Server, corpus: Corpus, index: str, bodies: list[Json], now: float) -> None:
    wrong = []
    for body, answer in zip(bodies, server.searches(index, bodies), strict=True):
        mine = ours(corpus, index, body, now)
        if found := differences(mine, theirs(answer)):
            wrong.append(f"{body}\n    " + "\n    ".join(found[:3]))
    assert not wrong, f"{len(wrong)} of {len(bodies)}:\n" + "\n".join(wrong[:10])


def test_fields_without_a_mapping_are_what_elasticsearch_makes_of_them(
    elasticsearch_url: str,
) -> None:
    with server_at(elasticsearch_url) as server:
        index = server.index("dynamic", {}, DYNAMIC)
        corpus = Corpus()
        corpus.add(index, *DYNAMIC)
        _check(server, corpus, index, _requests(), 1.8e9)


def test_strings_become_keywords_by_the_usual_dynamic_template(elasticsearch_url: str) -> None:
    mapping: Mapping[str, Any] = {
        "dynamic_templates": [
            {"strings": {"match_mapping_type": "string", "mapping": {"type": "keyword"}}}
        ]
    }
    with server_at(elasticsearch_url) as server:
        index = server.index("template", mapping, DYNAMIC)
        corpus = Corpus()
        corpus.create(index, mapping)
        corpus.add(index, *DYNAMIC)
        _check(server, corpus, index, _requests(), 1.8e9)


def test_several_indices_answer_together(elasticsearch_url: str) -> None:
    one = {
        "properties": {
            "@timestamp": {"type": "date"},
            "k": {"type": "keyword"},
            "v": {"type": "long"},
        }
    }
    two = {
        "properties": {
            "@timestamp": {"type": "date"},
            "k": {"type": "keyword"},
            "v": {"type": "double"},
            "w": {"type": "long"},
        }
    }
    documents = [
        [{"@timestamp": f"2026-01-15T10:{minute:02d}:00Z", "k": f"k{minute % 3}", "v": minute} for minute in range(0, 20, 2)],
        [{"@timestamp": f"2026-01-15T10:{minute:02d}:00Z", "k": [f"k{minute % 4}", "k9"], "v": minute + 0.5, "w": minute} for minute in range(1, 20, 2)],
    ]  # fmt: skip
    with server_at(elasticsearch_url) as server:
        corpus = Corpus()
        for name, mapping, several in zip(("a", "b"), (one, two), documents, strict=True):
            index = server.index(name, mapping, several)
            corpus.create(index, mapping)
            corpus.add(index, *several)
        everything = f"{server.prefix}-*"
        bodies: list[Json] = [
            {"size": 0},
            {"size": 100, "sort": [{"@timestamp": "desc"}], "docvalue_fields": ["v", "w"]},
            {"size": 5, "sort": [{"v": "asc"}], "_source": False},
            {"size": 0, "query": {"term": {"k": "k1"}}, "aggs": {"a": {"stats": {"field": "v"}}}},
            {"size": 0, "aggs": {"a": {"terms": {"field": "k"}, "aggs": {"m": {"max": {"field": "w"}}}}}},
            {"size": 0, "aggs": {"a": {"terms": {"field": "_index"}}}},
            {"size": 0, "query": {"prefix": {"_index": f"{server.prefix}-a"}}},
            {"size": 0, "aggs": {"a": {"missing": {"field": "w"}}}},
            {"size": 0, "aggs": {"a": {"composite": {"size": 3, "sources": [{"k": {"terms": {"field": "k"}}}]},
                                       "aggs": {"m": {"sum": {"field": "v"}}}}}},
            {"size": 0, "aggs": {"a": {"date_histogram": {"field": "@timestamp", "fixed_interval": "5m"},
                                       "aggs": {"m": {"avg": {"field": "v"}}}}}},
            {"size": 0, "query": {"exists": {"field": "w"}}},
        ]  # fmt: skip
        _check(server, corpus, everything, bodies, 1.8e9)


def test_now_means_the_instant_that_is_given(elasticsearch_url: str) -> None:
    mapping = {"properties": {"d": {"type": "date"}}}
    with server_at(elasticsearch_url) as server:
        now = server.now()
        # Half a day from any bound but those of years and months, a minute from now itself.
        documents = [
            {"d": int((now + hours * 3600 + 1800) * 1000)} for hours in range(-24 * 40, 24 * 40, 5)
        ]
        index = server.index("now", mapping, documents)
        corpus = Corpus()
        corpus.create(index, mapping)
        corpus.add(index, *documents)
        bodies: list[Json] = []
        for bound in ("gt", "gte", "lt", "lte"):
            for text in (
                "now",
                "now-1h",
                "now/d",
                "now-7d/d",
                "now/M",
                "now-1M",
                "now/w",
                "now+1w/w",
                "now/y",
                "now-90m",
            ):
                bodies.append({"size": 0, "query": {"range": {"d": {bound: text}}}})
                bodies.append(
                    {"size": 0, "query": {"range": {"d": {bound: text, "time_zone": "Asia/Tokyo"}}}}
                )
        _check(server, corpus, index, bodies, server.now())


def test_more_hits_than_are_counted(elasticsearch_url: str) -> None:
    mapping = {"properties": {"l": {"type": "long"}, "k": {"type": "keyword"}}}
    documents = [{"l": number % 100, "k": f"k{number % 3000}"} for number in range(10_050)]
    with server_at(elasticsearch_url) as server:
        index = server.index("many", mapping, documents)
        corpus = Corpus()
        corpus.create(index, mapping)
        corpus.add(index, *documents)
        bodies: list[Json] = []
        query: Json
        for query in (
            {"match_all": {}},
            {"range": {"l": {"gte": 0}}},
            {"bool": {"filter": [{"exists": {"field": "k"}}]}},
        ):
            for more in (
                {},
                {"track_total_hits": True},
                {"track_total_hits": 10_050},
                {"aggs": {"m": {"max": {"field": "l"}}}},
            ):
                bodies.append({"size": 0, "query": query, **more})
        for aggregation in (
            {"terms": {"field": "k", "size": 5}},
            {
                "terms": {"field": "k", "size": 5, "order": {"m": "desc"}},
                "aggs": {"m": {"sum": {"field": "l"}}},
            },
            {"terms": {"field": "k", "size": 5, "order": {"_count": "asc"}}},
            {
                "composite": {
                    "size": 1000,
                    "sources": [{"k": {"terms": {"field": "k"}}}],
                    "after": {"k": "k2"},
                }
            },
        ):
            bodies.append({"size": 0, "aggs": {"a": aggregation}})
        _check(server, corpus, index, bodies, 1.8e9)
