# ruff: noqa: E501  # tables: one row is one case
"""The in-process search's own rules: what it refuses, how it finds its indices and fields.

What it answers is compared with a real server in tests/query/parity.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.model.errors import Blame, SourceError, SreObsError, UnsupportedError
from sre_obs.query.search import Corpus, search
from tests.query.parity import cases

NOW = 1_768_478_400.0  # 2026-01-15T12:00:00Z


def corpus() -> Corpus:
    made = Corpus(
        types={"@timestamp": "date", "level": "keyword", "n": "long", "tags": "flattened"}
    )
    for minute in range(10):
        made.add(
            f"logs-app-{minute % 2}",
            {
                "@timestamp": f"2026-01-15T11:5{minute}:00Z",
                "level": "info",
                "n": minute,
                "tags": {},
            },
        )
    return made


def total(response: dict[str, Any]) -> int:
    found: int = response["hits"]["total"]["value"]
    return found


@pytest.mark.parametrize(
    ("indices", "expected"),
    [
        ("logs-app-0", 5),
        ("logs-app-0,logs-app-1", 10),
        ("logs-*", 10),
        ("logs-*,-logs-app-1", 5),
        ("metrics-*", 0),
        (["logs-app-0", "logs-app-*"], 10),
        ("*", 10),
    ],
)
def test_indices_are_found_by_name_pattern_and_list(indices: Any, expected: int) -> None:
    response = search(corpus(), indices, {"size": 0}, NOW)
    assert total(response) == expected


def test_an_index_that_is_not_there_is_an_error_as_on_a_server() -> None:
    with pytest.raises(SourceError) as caught:
        search(corpus(), "nope", {"size": 0}, NOW)
    assert (caught.value.blame, caught.value.status) == (Blame.REQUEST, 404)
    assert total(search(corpus(), "nope", {"size": 0}, NOW, ignore_unavailable=True)) == 0


def test_now_is_an_argument() -> None:
    body = {"size": 0, "query": {"range": {"@timestamp": {"gte": "now-5m", "lt": "now"}}}}
    assert total(search(corpus(), "logs-*", body, NOW)) == 5
    assert total(search(corpus(), "logs-*", body, NOW + 300)) == 0
    assert total(search(corpus(), "logs-*", body, NOW - 300)) == 5


def test_documents_added_later_are_found() -> None:
    made = corpus()
    body = {"size": 0, "query": {"term": {"level": "error"}}}
    assert total(search(made, "logs-*", body, NOW)) == 0
    made.add("logs-app-0", {"@timestamp": "2026-01-15T11:59:30Z", "level": "error"})
    assert total(search(made, "logs-*", body, NOW)) == 1


@pytest.mark.parametrize(
    ("body", "construct", "where"),
    [
        ({"query": {"more_like_this": {}}}, "query 'more_like_this'", "query.more_like_this"),
        (
            {"query": {"bool": {"filter": [{"term": {"a": 1}}, {"span_term": {}}]}}},
            "query 'span_term'",
            "query.bool.filter[1].span_term",
        ),
        ({"query": {"match": {"a": {"query": "x", "fuzziness": 1}}}}, "option 'fuzziness'", "query.match.a.fuzziness"),
        ({"query": {"match_phrase": {"a": {"query": "x", "slop": 1}}}}, "slop", "query.match_phrase.a.slop"),
        ({"query": {"multi_match": {"query": "x", "type": "cross_fields"}}}, "multi_match type 'cross_fields'", "query.multi_match.type"),
        ({"query": {"query_string": {"query": "a:b"}}}, "':' in query_string", "query.query_string.query"),
        ({"query": {"regexp": {"level": "<1-5>"}}}, "in a regular expression, a numeric interval (<1-5>)", "query.regexp.level"),
        ({"size": 0, "query": {"term": {"tags": "x"}}}, "field type 'flattened' (tags)", "query.term"),
        ({"aggs": {"a": {"significant_terms": {}}}}, "aggregation 'significant_terms'", "aggs.a.significant_terms"),
        ({"aggs": {"a": {"terms": {"field": "n"}, "aggs": {"b": {"rate": {}}}}}}, "aggregation 'rate'", "aggs.a.aggs.b.rate"),
        ({"aggs": {"a": {"top_hits": {"size": 4, "sort": ["n"]}}}}, "top_hits of more than 3", "aggs.a.top_hits.size"),
        ({"aggs": {"a": {"avg": {"field": "n", "missing": 0}}}}, "option 'missing'", "aggs.a.avg.missing"),
        ({"aggs": {"a": {"avg": {"field": "n", "script": "1"}}}}, "option 'script'", "aggs.a.avg.script"),
        ({"aggs": {"a": {"terms": {"field": "n"}, "aggs": {"b": {"bucket_selector": {"buckets_path": {"c": "_count"}, "script": "doc['x'].value > 1"}}}}}},
         "'doc' in a script", "aggs.a.aggs.b.bucket_selector.script"),
        ({"runtime_mappings": {}}, "option 'runtime_mappings'", "body.runtime_mappings"),
        ({"query": {"match": {"level": "info"}}}, "hits in the order of relevance (give a sort, or size 0)", "query"),
        ({"sort": ["_score"]}, "sorting by _score", "sort[0]._score"),
    ],
)  # fmt: skip
def test_what_is_not_here_is_refused_by_name_and_place(
    body: Any, construct: str, where: str
) -> None:
    with pytest.raises(UnsupportedError) as caught:
        search(corpus(), "logs-*", body, NOW)
    assert (caught.value.construct, caught.value.where) == (construct, where)
    assert caught.value.remedy


def test_a_mapping_that_is_not_here_is_refused_by_name_and_place() -> None:
    made = Corpus()
    with pytest.raises(UnsupportedError) as caught:
        made.create("i", {"properties": {"a": {"type": "text", "analyzer": "german"}}})
    assert (caught.value.construct, caught.value.where) == (
        "analyzer 'german'",
        "mappings.a.analyzer",
    )


def test_a_document_that_elasticsearch_refuses_is_an_error() -> None:
    made = Corpus()
    made.create("i", {"properties": {"n": {"type": "long"}}})
    made.add("i", {"n": "many"})
    with pytest.raises(SourceError, match="document 0 of i: n is long, and 'many' is not a number"):
        made.verify()


def test_field_types_ignore_what_does_not_fit_as_data_streams_do() -> None:
    made = Corpus(types={"n": "long"})
    made.add("i", {"n": "many"}, {"n": 1})
    assert total(search(made, "i", {"size": 0, "query": {"exists": {"field": "n"}}}, NOW)) == 1


def test_two_indices_that_disagree_on_a_field_are_refused() -> None:
    made = Corpus()
    made.create("a", {"properties": {"x": {"type": "keyword"}}})
    made.create("b", {"properties": {"x": {"type": "long"}}})
    made.add("a", {"x": "1"})
    made.add("b", {"x": 1})
    assert total(search(made, "*", {"size": 0, "query": {"term": {"x": 1}}}, NOW)) == 2
    with pytest.raises(UnsupportedError, match="field x, which is keyword and long"):
        search(made, "*", {"size": 0, "aggs": {"a": {"terms": {"field": "x"}}}}, NOW)


def test_a_hostile_pattern_costs_linear_time() -> None:
    made = Corpus()
    made.add("i", {"k": "a" * 20_000})
    made.create("i", {"k": "keyword"})
    for query in (
        {"regexp": {"k": "(a*)*(a*)*(a*)*b"}},
        {"wildcard": {"k": {"value": "*a*a*a*a*a*a*a*a*a*a*b"}}},
    ):
        assert total(search(made, "i", {"size": 0, "query": query}, NOW)) == 0


def test_a_query_too_deep_is_an_error() -> None:
    query: dict[str, Any] = {"match_all": {}}
    for _ in range(2000):
        query = {"bool": {"filter": [query]}}
    with pytest.raises(SourceError, match="nested deeper than 30"):
        search(corpus(), "logs-*", {"size": 0, "query": query}, NOW)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "n", "level", "now", "*", "params.a > 1"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["bool", "filter", "must", "should", "term", "terms", "range", "gte", "match", "exists", "field",
             "query", "nested", "path", "wildcard", "value", "a", "aggs", "max", "composite", "sources",
             "date_histogram", "fixed_interval", "bucket_selector", "buckets_path", "script", "n", "level"]
        ),
        inner,
        max_size=3,
    ),
    max_leaves=12,
)  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(
            ["query", "aggs", "size", "sort", "_source", "from", "collapse", "docvalue_fields"]
        ),
        _JSON,
        max_size=3,
    )
)
def test_any_body_is_answered_or_refused(body: dict[str, Any]) -> None:
    try:
        search(corpus(), "logs-*", body, NOW)
    except (SourceError, UnsupportedError):
        return


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from _places(value[key], (*path, key))
    elif isinstance(value, list):
        for number in range(len(value)):
            yield from _places(value[number], (*path, number))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["now", "2026-01-15", "10.0.0.0/8", "k", "*", "asc", "+02:00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(data=st.data())
def test_any_request_is_answered_or_refused_by_name(data: st.DataObject) -> None:
    body = copy.deepcopy(data.draw(st.sampled_from(list(cases.CASES.values()))))
    *path, last = data.draw(st.sampled_from([p for p in _places(body) if p]))
    at: Any = body
    for step in path:
        at = at[step]
    at[last] = data.draw(JSON)
    corpus = Corpus()
    corpus.create("x", cases.MAPPINGS)
    corpus.add("x", *cases.DOCUMENTS)
    with contextlib.suppress(SreObsError):
        search(corpus, "x", body, 1.8e9)


@given(data=st.data())
def test_any_mapping_is_taken_or_refused_by_name(data: st.DataObject) -> None:
    mappings = copy.deepcopy(cases.MAPPINGS)
    *path, last = data.draw(st.sampled_from([p for p in _places(mappings) if p]))
    at: Any = mappings
    for step in path:
        at = at[step]
    at[last] = data.draw(JSON)
    corpus = Corpus()
    with contextlib.suppress(SreObsError):
        corpus.create("x", mappings)
        corpus.add("x", *cases.DOCUMENTS)
        corpus.verify()
