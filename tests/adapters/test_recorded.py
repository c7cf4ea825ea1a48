"""Recorded telemetry answers searches as Elasticsearch would have at that time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import sre_obs.app.demo
from sre_obs.adapters.recorded import RecordedSource, Recording, recording
from sre_obs.evaluate.ports import Request, Source
from sre_obs.model.errors import Blame, SourceError

TELEMETRY = Path(sre_obs.app.demo.__path__[0]) / "telemetry"
# 2026-11-24 06:38:00 UTC, seconds since the epoch.
AT = 1_795_502_280.0


@pytest.fixture(scope="module")
def recorded() -> Recording:
    return recording(TELEMETRY)


def count(source: Source, index: str, query: Mapping[str, Any] | None = None) -> int:
    body: dict[str, Any] = {"size": 0, "track_total_hits": True}
    if query is not None:
        body["query"] = query
    (answer,) = source.search([Request((index,), body)])
    assert not isinstance(answer, SourceError)
    total: int = answer["hits"]["total"]["value"]
    return total


def test_documents_are_in_the_streams_that_agent_would_write(recorded: Recording) -> None:
    sizes = {name: len(documents) for name, documents in recorded.streams.items()}
    assert sizes["metrics-kubernetes.state_pod-default"] == 16
    assert sizes["metrics-kubernetes.pod-default"] == 2
    assert sizes["metrics-postgresql.activity-default"] == 67
    assert sizes["logs-postgresql.log-default"] == 95
    assert sizes["traces-apm-default"] == 126
    assert sum(sizes.values()) == 645
    document = recorded.streams["metrics-system.load-default"][0]
    assert document["data_stream"] == {
        "type": "metrics",
        "dataset": "system.load",
        "namespace": "default",
    }
    assert "@metadata" not in document


def test_each_stream_is_in_the_order_of_time(recorded: Recording) -> None:
    for documents in recorded.streams.values():
        times = [d["@timestamp"] for d in documents]
        assert times == sorted(times)


def test_what_was_not_yet_written_can_not_be_found(recorded: Recording) -> None:
    now = AT
    source = RecordedSource("default", recorded, lambda: now)
    failed = {"prefix": {"postgresql.log.sql_state_code": "28"}}
    assert count(source, "logs-postgresql.log-*", failed) == 0
    now = AT + 43.143  # the very millisecond of the first
    assert count(source, "logs-postgresql.log-*", failed) == 1
    now = AT + 600
    assert count(source, "logs-postgresql.log-*", failed) == 8
    assert count(source, "logs-postgresql.log-*") == 95


def test_replayed_documents_are_counted(recorded: Recording) -> None:
    now = AT - 3_600
    source = RecordedSource("default", recorded, lambda: now)
    assert source.visible() == 0
    now = AT
    assert source.visible() == 143  # the requests of the traced service came first
    now = AT + 600
    assert source.visible() == 645
    assert recorded.count(now) == 645


def test_now_in_a_request_is_the_recording_s(recorded: Recording) -> None:
    source = RecordedSource("default", recorded, lambda: AT + 60)
    last = {"range": {"@timestamp": {"gt": "now-10s", "lte": "now"}}}
    assert count(source, "metrics-system.load-default", last) == 1


def test_an_index_that_is_not_there_answers_as_an_empty_one(recorded: Recording) -> None:
    source = RecordedSource("default", recorded, lambda: AT + 60)
    assert count(source, "logs-nginx.error-default") == 0
    assert count(source, "logs-nginx.*") == 0


def test_a_request_that_can_not_be_answered_takes_no_other_down(recorded: Recording) -> None:
    source = RecordedSource("default", recorded, lambda: AT + 60)
    fine = Request(("metrics-system.load-default",), {"size": 0, "track_total_hits": True})
    unknown = Request(("metrics-*",), {"size": 0, "query": {"percolate": {"field": "a"}}})
    wrong = Request(("metrics-*",), {"size": -1})
    answers = source.search([unknown, fine, wrong])
    assert [isinstance(a, SourceError) and a.blame for a in answers] == [
        Blame.REQUEST,
        False,
        Blame.REQUEST,
    ]
    assert "percolate" in str(answers[0])


def test_fields_have_the_types_of_elastic_s_integrations(recorded: Recording) -> None:
    source = RecordedSource("default", recorded, lambda: AT)
    types = source.field_types(["logs-postgresql.log-*"])
    assert types["@timestamp"] == "date"
    assert types["message"] == "match_only_text"
    assert types["user.name"] == "keyword"
    assert types["postgresql.log.sql_state_code"] == "keyword"
    assert types["postgresql.log.client_port"] == "long"
    assert "system.load.norm.5" not in types
    assert "postgresql.activity.state" not in types
    load = source.field_types(["metrics-system.load-*", "nothing-*"])
    assert load["system.load.norm.5"] == "scaled_float"
    assert load["host.name"] == "keyword"
    assert source.field_types(["nothing"]) == {}


def test_lines_that_are_no_documents_are_left_out(tmp_path: Path) -> None:
    lines = [b"{", b"[]", b'{"@timestamp": 5}', b'{"@timestamp": "yesterday"}', b"\xff", b"",
             b'{"event": "x"}', json.dumps({"@timestamp": "2026-11-24T06:38:00Z", "event": 5,
             "@metadata": {}}).encode()]  # fmt: skip
    (tmp_path / "a.ndjson").write_bytes(b"\n".join(lines))
    (tmp_path / "b.txt").write_text("not read")
    assert recording(tmp_path).streams == {
        "metrics-unknown.unknown-default": (
            {
                "@timestamp": "2026-11-24T06:38:00Z",
                "event": 5,
                "data_stream": {
                    "type": "metrics",
                    "dataset": "unknown.unknown",
                    "namespace": "default",
                },
            },
        )
    }


def test_a_folder_without_documents_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no documents in it"):
        recording(tmp_path)
    with pytest.raises(SourceError):
        recording(tmp_path / "gone")
