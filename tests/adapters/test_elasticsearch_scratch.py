"""Indices of a test on a real server: typed, apart from all others, and gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from sre_obs.adapters.elasticsearch import ElasticsearchOptions, ElasticsearchSource
from sre_obs.adapters.elasticsearch.scratch import STAND_INS, Scratch, properties
from sre_obs.evaluate.ports import Request
from sre_obs.model.errors import SourceError

TYPES = {
    "@timestamp": "date",
    "message": "match_only_text",
    "message.keyword": "keyword",
    "system.load.1": "scaled_float",
    "items": "nested",
    "items.name": "keyword",
    "up": "boolean",
}


@pytest.fixture
def scratch(elasticsearch_url: str, es_prefix: str) -> Iterator[Scratch]:
    options = ElasticsearchOptions(hosts=(elasticsearch_url,))
    with closing(Scratch("default", options, f"{es_prefix}-own-")) as made:
        yield made
        made.drop()


@pytest.fixture
def source(elasticsearch_url: str) -> Iterator[ElasticsearchSource]:
    options = ElasticsearchOptions(hosts=(elasticsearch_url,))
    with closing(ElasticsearchSource("default", options)) as made:
        yield made


def found(source: ElasticsearchSource, request: Request) -> list[str]:
    (answer,) = source.search([request])
    assert not isinstance(answer, SourceError), answer
    return sorted(hit["_index"] for hit in answer["hits"]["hits"])


def test_flat_names_become_objects_fields_and_stand_ins() -> None:
    assert properties(TYPES, {"scaled_float": "double", "match_only_text": "text"}) == {
        "@timestamp": {"type": "date"},
        "message": {"type": "text", "fields": {"keyword": {"type": "keyword"}}},
        "system": {"properties": {"load": {"properties": {"1": {"type": "double"}}}}},
        "items": {"type": "nested", "properties": {"name": {"type": "keyword"}}},
        "up": {"type": "boolean"},
    }


def test_a_type_that_the_server_lacks_gets_its_stand_in(
    scratch: Scratch, source: ElasticsearchSource
) -> None:
    types = {f"{name}.field": name for name in STAND_INS} | {"@timestamp": "date"}
    scratch.create("metrics-a-b", types)
    scratch.fill("metrics-a-b", [{"@timestamp": "2026-01-15T03:00:00Z"}])
    there = source.field_types([f"{scratch.prefix}*"])
    for name, stand_in in STAND_INS.items():
        if stand_in != "object":
            assert there.get(f"{name}.field") in (name, stand_in)


def test_a_request_meets_the_indices_of_the_prefix_alone(
    scratch: Scratch, source: ElasticsearchSource
) -> None:
    for index in ("metrics-a-b", "metrics-c-b"):
        scratch.create(index, {"@timestamp": "date"})
        scratch.fill(index, [{"@timestamp": "2026-01-15T03:00:00Z", "text": "a b"}])
    one, two = f"{scratch.prefix}metrics-a-b", f"{scratch.prefix}metrics-c-b"

    def asked(*index: str, query: object = None) -> list[str]:
        body = {"query": query or {"match_all": {}}}
        return found(source, scratch.here(Request(index, body)))

    assert asked("metrics-*") == [one, two]
    assert asked("*:metrics-a-*") == [one]
    assert asked("metrics-*", "-metrics-a*") == [two]
    within = {"bool": {"should": [{"wildcard": {"_index": {"value": "metrics-a-*"}}}]}}
    assert asked("metrics-*", query=within) == [one]
    assert asked("metrics-*", query={"term": {"_index": "metrics-c-b"}}) == [two]
    # A text without a type is a keyword, as in the templates of Elastic's integrations.
    assert source.field_types([one])["text"] == "keyword"


def test_what_was_made_is_deleted_and_nothing_else(
    scratch: Scratch, source: ElasticsearchSource, es_prefix: str
) -> None:
    other = f"{es_prefix}-other"
    source.index_document(other, {"@timestamp": "2026-01-15T03:00:00Z"}, refresh=True)
    scratch.create("metrics-a-b", {"@timestamp": "date"})
    scratch.drop()
    assert found(source, Request((f"{scratch.prefix}*",), {})) == []
    assert found(source, Request((f"{es_prefix}*",), {})) == [other]


def test_a_document_that_is_refused_is_said(scratch: Scratch) -> None:
    scratch.create("metrics-a-b", {"@timestamp": "date", "a.b": "keyword"})
    with pytest.raises(SourceError, match=r"a document is refused: .*a"):
        scratch.fill("metrics-a-b", [{"@timestamp": "2026-01-15T03:00:00Z", "a": 5}])
