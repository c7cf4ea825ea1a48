"""Recorded telemetry: files -> documents as Elasticsearch holds them -> searches answered.

A recording is a folder of NDJSON (one ``_source`` a line, as Metricbeat or apm-data wrote
it) and of PostgreSQL server logs in csv. Elastic Agent names its streams
``<type>-<dataset>-<namespace>``; documents that lack `data_stream.*` get what Agent would
give them: metrics of dataset ``<module>.<metricset>``. (Metricbeat's own `event.dataset`
calls ``pod`` and ``state_pod`` the same.)

`RecordedSource` executes the same requests as Elasticsearch over them, in process, and
shows what was written up to `now`.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, TypeAlias

from sre_obs.adapters.pglog import parse_log
from sre_obs.evaluate.ports import Request
from sre_obs.model.errors import Blame, SourceError, SreObsError
from sre_obs.model.fields import FieldTypes
from sre_obs.query import datemath
from sre_obs.query.search import Corpus, search

Document: TypeAlias = Mapping[str, Any]

# What dynamic mapping could not tell from the values: Elastic's integrations map these so.
# Source: telemetry contract of the fields that rules use.
TYPES: FieldTypes = {
    "@timestamp": "date",
    "message": "match_only_text",
    "event.duration": "long",
    "postgresql.activity.query": "keyword",
    "postgresql.activity.state_change": "date",
    "postgresql.activity.transaction_start": "date",
    "postgresql.activity.query_start": "date",
    "postgresql.activity.backend_start": "date",
    "postgresql.log.query": "keyword",
    "postgresql.log.timestamp": "keyword",
    "postgresql.statement.query.text": "keyword",
    "system.load.1": "scaled_float",
    "system.load.5": "scaled_float",
    "system.load.15": "scaled_float",
    "system.load.norm.1": "scaled_float",
    "system.load.norm.5": "scaled_float",
    "system.load.norm.15": "scaled_float",
    "system.cpu.total.pct": "scaled_float",
    "system.cpu.total.norm.pct": "scaled_float",
}


@dataclass(frozen=True)
class Recording:
    """Documents by the name of their data stream, each stream in the order of time."""

    streams: Mapping[str, tuple[Document, ...]]

    @cached_property
    def times(self) -> list[float]:
        """The times of all documents, ascending, in seconds since the epoch."""
        return sorted(_time(d) for documents in self.streams.values() for d in documents)

    def count(self, until: float) -> int:
        """How many documents were written up to then."""
        return bisect_right(self.times, until)


def recording(folder: Path) -> Recording:
    """Read a folder, its folders included.

    A line that is no document with a time is left out, as an ingest pipeline would drop it.
    Raises SourceError if the folder can't be read or holds no document.
    """
    streams: dict[str, list[Document]] = {}
    try:
        for path in sorted(folder.rglob("*")):
            if path.suffix == ".ndjson":
                documents = _documents(path.read_bytes().splitlines())
            elif path.suffix == ".csv":
                documents = parse_log(path.read_text(encoding="utf-8", errors="replace"))
            else:
                continue
            for document in documents:
                streams.setdefault(_stream(document), []).append(document)
    except OSError as error:
        raise _unreadable(folder, error.strerror or type(error).__name__) from None
    if not streams:
        raise _unreadable(folder, "no documents in it")
    return Recording(
        {name: tuple(sorted(documents, key=_time)) for name, documents in streams.items()}
    )


class RecordedSource:
    """Answers searches from a recording; a port of `evaluate`.

    `now` says what time it is, in seconds since the epoch: documents of later are not there
    yet. Safe to use from several threads.
    """

    def __init__(self, name: str, recording: Recording, now: Callable[[], float]) -> None:
        self.name = name
        self._recording = recording
        self._now = now
        self._lock = Lock()  # the corpus makes its columns while it searches
        self._corpus = Corpus()
        for stream, documents in sorted(recording.streams.items()):
            self._corpus.create(stream, TYPES)
            self._corpus.add(stream, *documents)

    def search(self, requests: Sequence[Request]) -> list[Mapping[str, Any] | SourceError]:
        """One answer or error a request."""
        now = self._now()
        with self._lock:
            return [self._one(request, now) for request in requests]

    def field_types(self, indices: Sequence[str]) -> FieldTypes:
        """The fields that the streams of these patterns have, now or later."""
        found: dict[str, str] = {}
        with self._lock:
            for name in self._corpus.resolve(indices, ignore_unavailable=True):
                for field in self._corpus.segment(name).fields():
                    if self._has(name, field.name):
                        found.setdefault(field.name, field.type)
        return found

    def describe(self) -> str:
        """What was recorded."""
        streams = self._recording.streams
        return (
            f"a recording of {sum(map(len, streams.values()))} documents in {len(streams)} streams"
        )

    def visible(self) -> int:
        """How many documents there are by now."""
        return self._recording.count(self._now())

    def ends(self) -> float:
        """When the last document was written, in seconds since the epoch."""
        return self._recording.times[-1]

    def _one(self, request: Request, now: float) -> Mapping[str, Any] | SourceError:
        # What was not yet written can't be found, whatever else the request asks.
        filters: list[Any] = [{"range": {"@timestamp": {"lte": int(now * 1000 // 1)}}}]
        if "query" in request.body:
            filters.append(request.body["query"])
        body = {**request.body, "query": {"bool": {"filter": filters}}}
        try:
            return search(self._corpus, request.index, body, now, ignore_unavailable=True)
        except SourceError as error:
            return error
        except SreObsError as error:
            return SourceError(error.message, Blame.REQUEST, where=error.where, remedy=error.remedy)

    def _has(self, stream: str, field: str) -> bool:
        """Whether a type of ours is used there: `TYPES` is for all streams."""
        if field not in TYPES:
            return True
        column = self._corpus.segment(stream).column(field)
        return column is not None and any(cell is not None for cell in column.cells)


def _documents(lines: Iterable[bytes]) -> Iterable[Document]:
    for line in lines:
        try:
            document = json.loads(line)
        except ValueError:
            continue
        if isinstance(document, dict) and _time(document) > 0:
            document.pop("@metadata", None)
            yield document if "data_stream" in document else _as_agent(document)


def _as_agent(document: dict[str, Any]) -> Document:
    module = _text(document, "event", "module") or "unknown"
    metricset = _text(document, "metricset", "name") or "unknown"
    stream = {"type": "metrics", "dataset": f"{module}.{metricset}", "namespace": "default"}
    return {**document, "data_stream": stream}


def _stream(document: Document) -> str:
    kind, dataset, namespace = (
        _text(document, "data_stream", part) or "unknown"
        for part in ("type", "dataset", "namespace")
    )
    return f"{kind}-{dataset}-{namespace}"


def _text(document: Document, outer: str, inner: str) -> str:
    block = document.get(outer)
    value = block.get(inner) if isinstance(block, dict) else None
    return value if isinstance(value, str) else ""


def _time(document: Document) -> float:
    text = document.get("@timestamp")
    if not isinstance(text, str):
        return 0.0
    try:
        return datemath.parse(text) / 1000
    except SreObsError:
        return 0.0


def _unreadable(folder: Path, why: str) -> SourceError:
    return SourceError(
        f"can't read the recording: {why}", Blame.UNREACHABLE, where=folder.name, remedy=""
    )
