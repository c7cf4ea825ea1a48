"""Blocks -> documents as Elasticsearch holds them, by index."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from sre_obs.content.files import read_regular
from sre_obs.content.tests.series import MISSING
from sre_obs.content.tests.suite import Block, Date, DateForm, Recorded
from sre_obs.model.errors import ContentError, QueryError
from sre_obs.model.problem import Problem, Severity
from sre_obs.query import datemath

Document: TypeAlias = Mapping[str, Any]

MOST_BYTES = 10 * 2**20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def documents_of(blocks: Iterable[Block | Recorded], start: float) -> dict[str, list[Document]]:
    """Documents by index, each index in the order of time. `start` is 0s, in seconds since
    the epoch. Raises ContentError for a recording that can't be read."""
    found: dict[str, list[tuple[float, Document]]] = {}
    for block in blocks:
        if isinstance(block, Block):
            found.setdefault(block.index, []).extend(_made(block, start))
        else:
            for index, at, document in _recorded(block, start):
                found.setdefault(index, []).append((at, document))
    # Sorting is stable: of one time the block written first comes first.
    return {
        index: [document for _, document in sorted(timed, key=lambda one: one[0])]
        for index, timed in found.items()
    }


def fields_of(blocks: Iterable[Block | Recorded], start: float) -> set[str]:
    """The names of all fields that the documents have."""
    found: set[str] = set()
    for block in blocks:
        if isinstance(block, Block):
            found.update(block.fields, block.series, block.dates)
        else:
            for _, _, document in _recorded(block, start):
                _leaves(document, "", found)
    return found


def _leaves(document: Mapping[str, Any], prefix: str, found: set[str]) -> None:
    for name, value in document.items():
        found.add(prefix + name)
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, Mapping):
                _leaves(inner, f"{prefix}{name}.", found)


def last_of(blocks: Iterable[Block | Recorded], start: float) -> float:
    """When the last document is written, in seconds from 0s; 0 without any."""
    last = 0.0
    for block in blocks:
        if isinstance(block, Block):
            if block.count:
                last = max(last, block.first + block.every * (block.count - 1))
        else:
            last = max([last, *(at - start for _, at, _ in _recorded(block, start))])
    return last


def iso(seconds: float) -> str:
    """2026-01-15T03:00:00.000Z"""
    at = _EPOCH + timedelta(milliseconds=round(seconds * 1000))
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def _made(block: Block, start: float) -> Iterator[tuple[float, Document]]:
    stream = _data_stream(block.index)
    constant: dict[str, Any] = {} if stream is None else {"data_stream": stream}
    for name, value in block.fields.items():
        _put(constant, name.split("."), value)
    moving = [(name.split("."), samples) for name, samples in block.series.items()]
    dates = [(name.split("."), date) for name, date in block.dates.items()]
    for number in range(block.count):
        at = start + block.first + block.every * number
        document = dict(constant)
        own: set[int] = {id(document)}
        document["@timestamp"] = iso(at)
        for path, samples in moving:
            value = samples[number] if number < len(samples) else samples[-1]
            if value is not MISSING:
                _write(document, path, value, own)
        for path, date in dates:
            _write(document, path, _dated(date, at, start), own)
        yield at, document


def _dated(date: Date, at: float, start: float) -> Any:
    moment = at - date.seconds if date.ago else start + date.seconds
    match date.form:
        case DateForm.SECONDS:
            return int(moment) if moment == int(moment) else moment
        case DateForm.MILLIS:
            return round(moment * 1000)
        case DateForm.DATE:
            return iso(moment)


def _put(document: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for step in path[:-1]:
        document = document.setdefault(step, {})
    document[path[-1]] = value


def _write(document: dict[str, Any], path: Sequence[str], value: Any, own: set[int]) -> None:
    """Set a value; objects that are shared with other documents are copied first (`own`
    are those that are not)."""
    for step in path[:-1]:
        below = document.get(step)
        if below is None or id(below) not in own:
            below = dict(below or {})
            own.add(id(below))
            document[step] = below
        document = below
    document[path[-1]] = value


def _data_stream(index: str) -> dict[str, str] | None:
    """What Agent adds to each document, where the name is a data stream's."""
    parts = index.split("-")
    if len(parts) < 3:
        return None
    return {"type": parts[0], "dataset": parts[1], "namespace": "-".join(parts[2:])}


def _recorded(block: Recorded, start: float) -> list[tuple[str, float, Document]]:
    """(index, time, document) of each line."""
    try:
        data = read_regular(block.path, MOST_BYTES + 1)
    except OSError as error:
        raise _unreadable(block, error.strerror or type(error).__name__) from None
    if len(data) > MOST_BYTES:
        raise _unreadable(block, f"larger than {MOST_BYTES // 2**20} MiB")
    found: list[tuple[str, float, Document]] = []
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
            at = datemath.parse(document["@timestamp"]) / 1000
        except (ValueError, KeyError, TypeError, QueryError, RecursionError):
            raise _unreadable(block, f"line {number} is no document with an @timestamp") from None
        document.pop("@metadata", None)
        index = block.index or _stream(document)
        if not index:
            raise _unreadable(block, f"line {number} names no data stream: add index") from None
        if "data_stream" not in document and (stream := _data_stream(index)) is not None:
            document["data_stream"] = stream
        found.append((index, at, document))
    if not found:
        raise _unreadable(block, "no documents in it")
    if block.first is None:
        return found
    shift = start + block.first - min(at for _, at, _ in found)
    return [
        (index, at + shift, {**document, "@timestamp": iso(at + shift)})
        for index, at, document in found
    ]


def _stream(document: Mapping[str, Any]) -> str:
    stream = document.get("data_stream")
    if isinstance(stream, Mapping):
        parts = [stream.get(name) for name in ("type", "dataset", "namespace")]
        if all(isinstance(part, str) for part in parts):
            return "-".join(map(str, parts))
    # As Metricbeat writes them; Agent names the stream by module and metricset.
    module, metricset = document.get("event"), document.get("metricset")
    if isinstance(module, Mapping) and isinstance(metricset, Mapping):
        return f"metrics-{module.get('module')}.{metricset.get('name')}-default"
    return ""


def _unreadable(block: Recorded, why: str) -> ContentError:
    return ContentError(
        [
            Problem(
                "tests/no-recording",
                Severity.ERROR,
                block.location,
                f"can't read {block.path.name}: {why}",
                "put a recording there, one document a line",
            )
        ]
    )
