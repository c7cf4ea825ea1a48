"""`POST /api/v2/alerts`: the body's bytes to alerts, as Alertmanager reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from sre_obs.model.alert import Alert, EndReason, fingerprint

# Alertmanager's zero time: "not set".
_ZERO = "0001-01-01T00:00:00"
# 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, seconds since the epoch.
FIRST, LAST = -62_135_596_800.0, 253_402_300_799.0


@dataclass(frozen=True, slots=True)
class Taken:
    """The alerts that are valid, and what is wrong with those that are not."""

    alerts: tuple[Alert, ...]
    problems: tuple[str, ...]


def read_alerts(body: bytes, now: float, resolve_timeout: float) -> Taken:
    """Alerts in a request body. Each problem names the alert by its place in the list."""
    try:
        items = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return Taken((), (f"not JSON: {error}",))
    if not isinstance(items, list):
        return Taken((), ("a list of alerts is expected",))
    alerts: list[Alert] = []
    problems: list[str] = []
    seen = _Seen()
    for place, item in enumerate(items):
        try:
            alerts.append(_alert(item, now, resolve_timeout, seen))
        except ValueError as error:
            problems.append(f"alert {place}: {error}")
    return Taken(tuple(alerts), tuple(problems))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What alerts of one body have in common, more often than not: read once, kept once."""

    times: dict[str, float | None] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


def _alert(item: Any, now: float, resolve_timeout: float, seen: _Seen) -> Alert:
    if not isinstance(item, dict):
        raise ValueError("an object is expected")
    labels = _texts(item.get("labels"), "labels", seen.texts)
    if not labels:
        raise ValueError("at least one label with a value is needed")
    annotations = _texts(item.get("annotations"), "annotations", seen.texts)
    starts_at = _time(item.get("startsAt"), "startsAt", seen.times)
    ends_at = _time(item.get("endsAt"), "endsAt", seen.times)
    if starts_at is None:
        starts_at = now if ends_at is None or ends_at > now else ends_at
    if ends_at is not None and ends_at < starts_at:
        raise ValueError("endsAt is before startsAt")
    url = item.get("generatorURL") or ""
    ended = ends_at is not None and ends_at <= now
    return Alert(
        fingerprint=fingerprint(labels),
        labels=labels,
        annotations=annotations,
        starts_at=starts_at,
        # The wait of a group is skipped for an alert that is old already, as after a
        # restart; so what counts is when the trouble began, not when we heard of it.
        fired_at=min(starts_at, now),
        updated_at=now,
        ends_at=now + resolve_timeout if ends_at is None else ends_at,
        ended=EndReason.SENDER if ended else None,
        generator_url=seen.texts.setdefault(url, url) if isinstance(url, str) else "",
        drill=labels.get("sre_obs_drill") == "true",
    )


def _texts(value: Any, what: str, known: dict[str, str]) -> Mapping[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be an object")
    for name, text in value.items():
        if not isinstance(text, str):
            raise ValueError(f"{what}: the value of {name[:100]!r} must be text")
        if not name:
            raise ValueError(f"{what}: a name is empty")
        value[name] = known.setdefault(text, text)
    if "" in value.values():
        return {name: text for name, text in value.items() if text}
    return value


def _time(value: Any, what: str, known: dict[str, float | None]) -> float | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError(f"{what} must be an RFC 3339 time")
    if value not in known:
        known[value] = _moment(value, what)
    return known[value]


def _moment(value: str, what: str) -> float | None:
    return None if value.startswith(_ZERO) else moment(value, what)


def moment(text: str, what: str) -> float:
    """A time of the API, in seconds; `what` names its key. Raises ValueError.

    Years beyond 1 to 9999 in UTC ("for ever", with a zone) are taken as the nearest that
    can be written back.
    """
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{what} is not an RFC 3339 time: {text[:40]!r}") from None
    if parsed.tzinfo is None:
        raise ValueError(f"{what} has no time zone: {text[:40]!r}")
    return within_years(parsed.timestamp())


def within_years(at: float) -> float:
    """`at`, or the first or last time that has a year of four digits."""
    return min(max(at, FIRST), LAST)
