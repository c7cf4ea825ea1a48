"""PostgreSQL's csv server log -> documents of ``logs-postgresql.log-default``.

The columns are those of PostgreSQL 13 to 17 (section "Using CSV-Format Log Output" of its
manual); the field names are those of Elastic's integration. A file may begin or end in the
middle of a record, as a rotated or cut log does: reading starts at the first line that
begins like a record, and what is no whole record is left out.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_COLUMNS = (
    *("timestamp", "user", "database", "pid", "client", "session", "line", "command"),
    *("started", "virtual", "transaction", "level", "state", "message", "detail", "hint"),
    *("internal", "internal_pos", "context", "query", "query_pos", "location"),
    *("application", "backend", "leader", "query_id"),
)
_LEAST = 23  # what came before PostgreSQL 13, up to the application's name
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d{1,6})? (?:UTC|GMT)")
_BEGIN = re.compile(rf"^{_STAMP.pattern},", re.MULTILINE)
_DURATION = re.compile(
    r"duration: (?P<ms>\d+\.\d+) ms"
    r"(?:  (?P<step>statement|parse|bind|execute|fetch)(?: (?P<name>[^:]*))?: (?P<query>.*))?",
    re.DOTALL,
)
_FINE = frozenset(("00", "01", "02"))  # classes of SQLSTATE: success, warning, no data
_MAX_FIELD = 2**20


def parse_log(text: str) -> Iterator[Mapping[str, Any]]:
    """The documents of a log, in its order."""
    begin = _BEGIN.search(text)
    if begin is None:
        return
    csv.field_size_limit(_MAX_FIELD)
    rows = csv.reader(text[begin.start() :].splitlines(keepends=True), strict=False)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:  # one field too long, a NUL: the next record may be fine
            continue
        document = _document(row)
        if document is not None:
            yield document


def _document(row: Sequence[str]) -> Mapping[str, Any] | None:
    if not _LEAST <= len(row) <= len(_COLUMNS):
        return None
    record = dict(zip(_COLUMNS, row, strict=False))
    time = _iso(record["timestamp"])
    if time is None or not record["level"]:
        return None
    address, _, port = record["client"].rpartition(":")
    state = record["state"]
    log: dict[str, Any] = {
        "timestamp": record["timestamp"],
        "database": record["database"],
        "client_addr": address or record["client"],  # a socket has no port: [local]
        "client_port": _whole(port) if address else None,
        "session_id": record["session"],
        "session_line_number": _whole(record["line"]),
        "session_start_time": _iso(record["started"]),
        "command_tag": record["command"],
        "virtual_transaction_id": record["virtual"],
        "transaction_id": _whole(record["transaction"]),
        "sql_state_code": state,
        "detail": record["detail"],
        "hint": record["hint"],
        "context": record["context"],
        "query": record["query"],
        "location": record["location"],
        "application_name": record["application"],
        "backend_type": record.get("backend", ""),
    }
    event: dict[str, Any] = {
        "module": "postgresql",
        "dataset": "postgresql.log",
        "kind": "event",
        "category": ["database"],
        "type": ["info" if state[:2] in _FINE else "error"],
        "code": state,
        "timezone": "UTC",
    }
    duration = _DURATION.fullmatch(record["message"])
    if duration is not None:
        event["duration"] = round(float(duration["ms"]) * 1e6)  # nanoseconds
        log["query"] = duration["query"] or log["query"]
        log["query_step"] = duration["step"]
        log["query_name"] = duration["name"]
    found: dict[str, Any] = {
        "@timestamp": time,
        "message": record["message"],
        "log": {"level": record["level"]},
        "event": event,
        "postgresql": {"log": {k: v for k, v in log.items() if v not in ("", None)}},
        "service": {"type": "postgresql"},
        "data_stream": {"type": "logs", "dataset": "postgresql.log", "namespace": "default"},
    }
    if record["user"]:
        found["user"] = {"name": record["user"]}
    if pid := _whole(record["pid"]):
        found["process"] = {"pid": pid}
    return found


def _iso(stamp: str) -> str | None:
    """``2026-11-24 06:38:42.626 UTC`` -> ISO 8601; None in another zone or no time at all."""
    match = _STAMP.fullmatch(stamp)
    if match is None:
        return None
    day, clock, fraction = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{fraction or ''}").replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
