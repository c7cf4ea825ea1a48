"""Dates -> the start of their interval, fixed or by the calendar, in a time zone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from sre_obs.model.errors import QueryError
from sre_obs.query import datemath
from sre_obs.query.search.refuse import unsupported, wrong

_FIXED = re.compile(r"(\d+)(ms|s|m|h|d)\Z", re.ASCII)
_OFFSET = re.compile(r"([+-]?)(\d+)(ms|s|m|h|d)\Z", re.ASCII)
_UNIT = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_CALENDAR = {
    "minute": "m", "1m": "m", "hour": "h", "1h": "h", "day": "d", "1d": "d", "week": "w",
    "1w": "w", "month": "M", "1M": "M", "quarter": "q", "1q": "q", "year": "y", "1y": "y",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rounding:
    """`down(ms)` is the start of the interval, `after(start)` the start of the next one."""

    down: Callable[[int], int]
    after: Callable[[int], int]
    zone: tzinfo


def rounding(body: Mapping[str, Any], where: str) -> Rounding:
    """Of fixed_interval or calendar_interval, offset and time_zone."""
    try:
        zone = datemath.zone_of(body.get("time_zone", "UTC"))
    except QueryError as problem:
        raise wrong(problem.message, f"{where}.time_zone") from None
    offset = _offset(body.get("offset", 0), where)
    if ("fixed_interval" in body) == ("calendar_interval" in body):
        raise wrong("one of fixed_interval and calendar_interval", where)
    if "fixed_interval" in body:
        match = _FIXED.match(str(body["fixed_interval"]))
        if not match or int(match.group(1)) < 1:
            raise wrong(f"fixed_interval '{body['fixed_interval']}'", f"{where}.fixed_interval")
        return _fixed(int(match.group(1)) * _UNIT[match.group(2)], offset, zone, where)
    unit = _CALENDAR.get(str(body["calendar_interval"]))
    if unit is None:
        raise wrong(
            f"calendar_interval '{body['calendar_interval']}'", f"{where}.calendar_interval"
        )
    return _calendar(unit, offset, zone)


def _offset(value: Any, where: str) -> int:
    if isinstance(value, int):
        return value
    match = _OFFSET.match(str(value))
    if not match:
        raise wrong(f"offset '{value}'", f"{where}.offset")
    sign, number, unit = match.groups()
    return int(number) * _UNIT[unit] * (-1 if sign == "-" else 1)


def _fixed(interval: int, offset: int, zone: tzinfo, where: str) -> Rounding:
    shift = 0
    if zone is not UTC:
        summer, winter = (
            datetime(2026, month, 1, tzinfo=zone).utcoffset() or timedelta() for month in (7, 1)
        )
        if summer != winter:
            raise unsupported("fixed_interval in a zone whose clocks change", f"{where}.time_zone")
        shift = summer // timedelta(milliseconds=1)
    base = offset - shift

    def down(ms: int) -> int:
        return (ms - base) // interval * interval + base

    return Rounding(down, lambda start: start + interval, zone)


def _calendar(unit: str, offset: int, zone: tzinfo) -> Rounding:
    def floor(ms: int) -> int:
        moment = datemath.to_datetime(ms, zone)
        if unit == "q":
            moment = datemath.floor(moment, "M")
            return datemath.to_ms(datemath.shift(moment, -((moment.month - 1) % 3), "M"))
        return datemath.to_ms(datemath.floor(moment, unit))

    def down(ms: int) -> int:
        return floor(ms - offset) + offset

    def after(start: int) -> int:
        moment = datemath.to_datetime(start - offset, zone)
        count, step = (3, "M") if unit == "q" else (1, unit)
        return datemath.to_ms(datemath.shift(moment, count, step)) + offset

    return Rounding(down, after, zone)
