"""Date math of a rule's query, tied to the end of a window.

``now-35s`` in a query means 35 seconds before the end of the window that is looked at, never
before the moment at which a server happens to answer: catching up, and tests, ask what would
have been asked. The math itself (rounding, zones, months) stays the server's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

_MATH = re.compile(r"now((?:[+-]\d+[yMwdhHms]|/[yMwdhHms])+)")
_BOUNDS = ("gte", "gt", "lte", "lt", "from", "to")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = "strict_date_optional_time"
# Whether a query speaks of now: the same few thousand are asked at every evaluation.
_seen: dict[int, tuple[Any, bool]] = {}
_MOST_SEEN = 10_000


def anchored(query: Any, end: float) -> Any:
    """The query with `end` (seconds since the epoch) in the place of ``now``; the very same
    object where there is none."""
    known = _seen.get(id(query))
    if known is None or known[0] is not query:
        if len(_seen) >= _MOST_SEEN:
            _seen.clear()
        known = _seen[id(query)] = (query, "now" in repr(query))
    return _walk(query, end) if known[1] else query


def _walk(query: Any, end: float) -> Any:
    if isinstance(query, list | tuple):
        return [_walk(one, end) for one in query]
    if not isinstance(query, Mapping):
        return query
    found: dict[str, Any] = {}
    for name, inner in query.items():
        if name == "range" and isinstance(inner, Mapping):
            found[name] = {field: _range(body, end) for field, body in inner.items()}
        elif name in ("term", "match", "match_phrase") and isinstance(inner, Mapping):
            found[name] = {field: _term(body, end) for field, body in inner.items()}
        else:
            found[name] = _walk(inner, end)
    return found


def _range(body: Any, end: float) -> Any:
    if not isinstance(body, Mapping):
        return body
    changed = {
        bound: _iso(end) + ("||" + body[bound][3:] if body[bound] != "now" else "")
        for bound in _BOUNDS
        if isinstance(body.get(bound), str)
        and (body[bound] == "now" or _MATH.fullmatch(body[bound]))
    }
    if not changed:
        return body
    formats = body.get("format")
    extra = {"format": f"{_ISO}||{formats}"} if isinstance(formats, str) else {}
    return {**body, **changed, **extra}


def _term(body: Any, end: float) -> Any:
    # The word "now" alone may be a text; with math behind it, it is a time.
    if isinstance(body, str):
        return _iso(end) + "||" + body[3:] if _MATH.fullmatch(body) else body
    if isinstance(body, Mapping):
        return {
            name: _term(inner, end) if name in ("value", "query") else inner
            for name, inner in body.items()
        }
    return body


def _iso(end: float) -> str:
    moment = _EPOCH + timedelta(milliseconds=round(end * 1000))
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
