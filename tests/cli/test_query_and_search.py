"""What `query` and `search` print, word for word: tests/golden/cli."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from tests.cli.typed import Typed, type_here

Golden = Callable[[str, str, str, str], None]

DOCUMENTS = """\
{"@timestamp": "2026-01-15T09:59:00Z", "service": "shop", "level": "error", "ms": 120}
{"@timestamp": "2026-01-15T09:58:00Z", "service": "shop", "level": "info", "ms": 80}

{"_index": "logs-b", "_id": "x", "_source": {"@timestamp": "2026-01-15T09:00:00Z", "ms": 1}}
{"@timestamp": "2026-01-15T09:59:30Z", "service": "cart", "level": "error", "ms": 40}
"""
MAPPINGS = {
    "properties": {
        "@timestamp": {"type": "date"},
        "service": {"type": "keyword"},
        "level": {"type": "keyword"},
        "ms": {"type": "long"},
    }
}
RECENT = {"range": {"@timestamp": {"gte": "now-5m"}}}
REQUESTS = {
    "aggregation": {
        "size": 0,
        "query": RECENT,
        "aggs": {
            "services": {
                "terms": {"field": "service"},
                "aggs": {"worst": {"max": {"field": "ms"}}},
            }
        },
    },
    "hits": {"query": {"term": {"level": "error"}}, "sort": ["@timestamp"], "_source": ["ms"]},
    "unsupported": {"query": {"bool": {"filter": [RECENT, {"fuzzy": {"level": "eror"}}]}}},
    "refused": {"query": {"term": {"ms": "many"}}, "size": 0},
}
COMMANDS = {
    "help-query": "sre-obs query --help",
    "help-search": "sre-obs search --help",
    "query-kql": "sre-obs query 'service: shop and not level: info'",
    "query-kql-mappings": "sre-obs query --mappings mappings.json 'service: sh* and ms >= 100'",
    "query-kql-wrong": "sre-obs query --language kql 'service: shop and and level: info'",
    "query-lucene": "sre-obs query --language lucene 'service:shop AND ms:[100 TO *] -level:info'",
    "query-lucene-wrong": "sre-obs query --language lucene 'service:shop and (level:info'",
    "query-lucene-fuzzy": "sre-obs query --language lucene 'level:eror~1'",
    "query-lucene-wrong-json": "sre-obs query --language lucene 'service:(shop' -o json",
    "query-lines-wrong": "sre-obs query --language lucene 'service:shop OR\n  service:a:b'",
    "search-aggregation": (
        "sre-obs search --documents docs.ndjson --mappings mappings.json "
        "--request aggregation.json --now 2026-01-15T10:00:00Z"
    ),
    "search-hits": (
        "sre-obs search --documents docs.ndjson --mappings mappings.json "
        "--request hits.json --now 1768471200"
    ),
    "search-unsupported": (
        "sre-obs search --documents docs.ndjson --mappings mappings.json "
        "--request unsupported.json --now 1768471200"
    ),
    "search-refused": (
        "sre-obs search --documents docs.ndjson --mappings mappings.json "
        "--request refused.json --now 1768471200"
    ),
    "search-wrong-line": (
        "sre-obs search --documents wrong.ndjson --mappings mappings.json "
        "--request hits.json --now 1768471200"
    ),
    "search-wrong-document": (
        "sre-obs search --documents malformed.ndjson --mappings mappings.json "
        "--request hits.json --now 1768471200"
    ),
    "search-wrong-time": (
        "sre-obs search --documents docs.ndjson --mappings mappings.json "
        "--request hits.json --now soon"
    ),
    "search-missing-file": (
        "sre-obs search --documents nowhere --mappings mappings.json "
        "--request hits.json --now 1768471200"
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "docs.ndjson").write_text(DOCUMENTS)
    (tmp_path / "wrong.ndjson").write_text('{"ms": 1}\n{"ms": 2\n')
    (tmp_path / "malformed.ndjson").write_text('{"ms": 1}\n\n{"ms": "many"}\n')
    (tmp_path / "mappings.json").write_text(json.dumps(MAPPINGS))
    for name, body in REQUESTS.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(body))
    return tmp_path


@pytest.mark.parametrize("case", COMMANDS)
def test_a_command_prints_what_it_printed(folder: Path, case: str, golden: Golden) -> None:
    done = type_here(COMMANDS[case], folder)
    golden("cli", case, "transcript.txt", done.transcript(FOLDER=str(folder)))


def with_stdin(text: bytes, line: str, folder: Path) -> Typed:
    with mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(text))):
        return type_here(line, folder)


def test_the_text_of_a_query_comes_from_stdin_too(folder: Path) -> None:
    done = with_stdin(b"service:shop\n", "sre-obs query --language lucene -", folder)
    assert done.code == 0
    assert json.loads(done.out) == {"match": {"service": "shop"}}
    done = with_stdin(b"service:\xff\n", "sre-obs query -", folder)
    assert done.code == 1
    assert "stdin: byte 8 is not UTF-8" in done.err


@pytest.mark.parametrize(
    ("name", "content", "where"),
    [
        ("mappings", b"[]", "mappings.json:1"),
        ("mappings", b'{"properties": {"a": 1}}', "mappings.a"),
        ("mappings", b'{"properties": {"a": {"type": "geo_shape"}}, "x": 1}', "mappings.x"),
        ("hits", b'{"query": ', "hits.json:1:11"),
        ("hits", b"[" * 100_000, "hits.json:1"),
        ("hits", b'{"size": NaN}', "hits.json:1"),
        ("hits", b"\xff", "hits.json:1"),
        ("docs", b'{"a": 1}\n[1]\n', "docs.ndjson:2"),
        ("docs", b'{"_index": "*", "_source": {}}', "docs.ndjson:1"),
        ("docs", b'{"_index": "a", "_source": []}', "docs.ndjson:1"),
        ("docs", b'{"a": "\\ud800"}', "docs.ndjson:1"),
        ("docs", b"{}\n" + b'{"a":' * 100_000, "docs.ndjson:2"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_line(
    folder: Path, name: str, content: bytes, where: str
) -> None:
    (folder / f"{name}.{'ndjson' if name == 'docs' else 'json'}").write_bytes(content)
    done = type_here(COMMANDS["search-hits"], folder)
    assert done.code in (1, 2)
    assert where in done.err
    assert "Traceback" not in done.err
    assert "bug" not in done.err


def test_a_document_that_is_indexed_twice_counts_once(folder: Path) -> None:
    lines = [{"_id": "x", "_index": "a", "_source": {"ms": n}} for n in (1, 2)]
    (folder / "docs.ndjson").write_text("\n".join(map(json.dumps, lines)))
    (folder / "hits.json").write_text('{"sort": ["ms"]}')
    found = json.loads(type_here(COMMANDS["search-hits"], folder).out)
    assert [(hit["_index"], hit["_id"], hit["_source"]) for hit in found["hits"]["hits"]] == [
        ("a", "x", {"ms": 2})
    ]


def test_mappings_may_be_given_for_each_index(folder: Path) -> None:
    by_index = {"documents": {"mappings": MAPPINGS}, "logs-b": {"mappings": {"dynamic": False}}}
    (folder / "mappings.json").write_text(json.dumps(by_index))
    found = json.loads(type_here(COMMANDS["search-aggregation"], folder).out)
    assert found["hits"]["total"]["value"] == 3
    (folder / "mappings.json").write_text(json.dumps({"logs-b": {"mappings": {}}}))
    done = type_here(COMMANDS["search-aggregation"], folder)
    assert done.code == 1
    assert "no mapping for the index documents" in done.err
