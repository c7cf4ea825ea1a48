"""Elasticsearch's dates as text: formats, date math (``now-5m/d``), rounding, time zones.

Instants are whole milliseconds since the epoch, as in a `date` field. Rounding goes down,
or up to the last millisecond of the unit: gte and lt round down, lte and gt round up; with
rounding up a text without a time (``2026-01-31``) means the end of that day, and one
without a month or a day means its *first* month or day, as Elasticsearch has it.

Facts: read off a 9.4 server by tests/query/parity.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from sre_obs.model.errors import QueryError, UnsupportedError

DEFAULT_FORMAT = "strict_date_optional_time||epoch_millis"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_OFFSET = re.compile(r"([+-])(\d{2})(?::?(\d{2}))?\Z", re.ASCII)
_MATH = re.compile(r"([+\-/])(\d*)([a-zA-Z]?)", re.ASCII)
_ISO = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(?:(\d{2})(?::(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?"
    r"(Z|[+-]\d{2}(?::?\d{2})?)?)?)?)?)?\Z",
    re.ASCII,
)
_ISO_LENIENT = re.compile(
    r"(\d{1,9})(?:-(\d{1,2})(?:-(\d{1,2})(?:T(?:(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})"
    r"(?:[.,](\d{1,9}))?)?)?(Z|[+-]\d{2}(?::?\d{2})?)?)?)?)?)?\Z",
    re.ASCII,
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?\Z", re.ASCII)
_MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Format:
    """One date format: `parse(text, zone, round_up)` gives milliseconds or None where the
    text is not of this format; `render(ms, zone)` gives text."""

    name: str
    parse: Callable[[str, tzinfo, bool], int | None]
    render: Callable[[int, tzinfo], str]


def zone_of(name: str) -> tzinfo:
    """``UTC``, ``Z``, ``+02:00`` or a name of the IANA database. Raises QueryError."""
    if not isinstance(name, str):
        raise QueryError("a time zone is a text", 0, 1, remedy="Europe/Berlin, UTC or +02:00")
    if name in ("Z", "UTC", "GMT"):
        return UTC
    match = _OFFSET.match(name)
    if match:
        sign, hours, minutes = match.groups()
        if int(hours) > 18 or int(minutes or 0) > 59:
            raise QueryError(f"'{name}' is not a time zone", 0, len(name), remedy="+02:00")
        delta = timedelta(hours=int(hours), minutes=int(minutes or 0))
        return timezone(delta if sign == "+" else -delta)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise QueryError(
            f"'{name}' is not a time zone", 0, len(name), remedy="Europe/Berlin, UTC or +02:00"
        ) from None


def formats_of(names: str) -> tuple[Format, ...]:
    """``strict_date_optional_time||epoch_millis`` -> formats, tried from the left.

    Raises UnsupportedError for a format that isn't here.
    """
    if not isinstance(names, str):
        raise QueryError("a date format is a text", 0, 1)
    return _formats_of(names)


@lru_cache(maxsize=64)
def _formats_of(names: str) -> tuple[Format, ...]:
    return tuple(_format(name.strip()) for name in names.split("||"))


def resolve(
    text: str, now: float, *, round_up: bool = False, zone: tzinfo = UTC, formats: str = ""
) -> int:
    """Date math -> milliseconds since the epoch.

    ``now`` or a date, then ``+1M``, ``-5m``, ``/d``; a date is parted from its math by ``||``.
    `now` is in seconds since the epoch. A date without an offset is in `zone`, and rounding
    is to the units of `zone`. Raises QueryError.
    """
    if len(text) > _MAX_TEXT:
        raise QueryError("not a date: too long", 0, len(text))
    if text.startswith("now"):
        return _math(text, 3, int(now * 1000 // 1), round_up, zone)
    date, bar, _ = text.partition("||")
    if bar:
        start = parse(date, zone=zone, formats=formats)
        return _math(text, len(date) + 2, start, round_up, zone)
    return parse(date, round_up=round_up, zone=zone, formats=formats)


def parse(text: str, *, round_up: bool = False, zone: tzinfo = UTC, formats: str = "") -> int:
    """A date in one of `formats` -> milliseconds since the epoch. Raises QueryError."""
    names = formats or DEFAULT_FORMAT
    for form in formats_of(names):
        found = form.parse(text, zone, round_up)
        if found is not None:
            return found
    raise QueryError(
        f"'{text[:_MAX_TEXT]}' is not a date",
        0,
        len(text),
        remedy=f"write now-5m, 2026-01-31T10:00:00Z or another of {names}",
    )


def render(ms: int, *, zone: tzinfo = UTC, formats: str = "") -> str:
    """Milliseconds -> text in the first of `formats`."""
    return formats_of(formats or DEFAULT_FORMAT)[0].render(ms, zone)


def to_datetime(ms: int, zone: tzinfo = UTC) -> datetime:
    """Raises QueryError outside the years 1 to 9999."""
    try:
        return (_EPOCH + ms * _MS).astimezone(zone)
    except OverflowError:
        raise QueryError(f"{ms} ms is outside the years 1 to 9999", 0) from None


def to_ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MS


# -- math


def _math(text: str, pos: int, ms: int, round_up: bool, zone: tzinfo) -> int:
    moment = to_datetime(ms, zone)
    while pos < len(text):
        match = _MATH.match(text, pos)
        if match is None:
            raise QueryError(f"'{text[pos]}' in date math", pos, remedy="now, then +1h, -5m or /d")
        operator, digits, unit = match.groups()
        if not unit:
            raise QueryError("date math without a unit", pos, match.end() - pos, remedy=_UNITS)
        if unit not in "yMwdhHms":
            raise QueryError(f"unit '{unit}' in date math", match.start(3), remedy=_UNITS)
        try:
            if operator == "/":
                if digits not in ("", "1"):
                    raise QueryError("rounding takes one unit", pos, match.end() - pos, remedy="/d")
                moment = floor(moment, unit)
                if round_up:
                    moment = to_datetime(to_ms(shift(moment, 1, unit)) - 1, zone)
            else:
                amount = int(digits or "1")
                moment = shift(moment, amount if operator == "+" else -amount, unit)
        except (OverflowError, ValueError):
            raise QueryError("the date leaves the years 1 to 9999", pos) from None
        pos = match.end()
    return to_ms(moment)


_UNITS = "y, M, w, d, h, m or s"


def floor(moment: datetime, unit: str) -> datetime:
    """The start of the unit (y, M, w from Monday, d, h, m, s) in the moment's own zone."""
    moment = moment.replace(microsecond=0)
    if unit == "s":
        return moment
    if unit == "m":
        return moment.replace(second=0)
    if unit in "hH":
        return moment.replace(second=0, minute=0)
    moment = moment.replace(second=0, minute=0, hour=0, fold=0)
    if unit == "w":
        moment -= timedelta(days=moment.weekday())
    elif unit == "M":
        moment = moment.replace(day=1)
    elif unit == "y":
        moment = moment.replace(day=1, month=1)
    return _settle(moment)


def shift(moment: datetime, amount: int, unit: str) -> datetime:
    """Days and more go by the calendar of the zone, hours and less by elapsed time."""
    if unit in "hHms":
        seconds = {"h": 3600, "H": 3600, "m": 60, "s": 1}[unit] * amount
        return (moment.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(moment.tzinfo)
    if unit in "wd":
        return _settle(moment + timedelta(days=amount * (7 if unit == "w" else 1)))
    months = moment.year * 12 + moment.month - 1 + amount * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    first = moment.replace(day=1, year=year, month=month + 1)
    last = 31 if month == 11 else (first.replace(month=month + 2) - timedelta(days=1)).day
    return _settle(first.replace(day=min(moment.day, last)))


def _settle(moment: datetime) -> datetime:
    """A wall time that a clock change skips becomes the one that many minutes later."""
    return moment.astimezone(UTC).astimezone(moment.tzinfo)


# -- formats


def _format(name: str) -> Format:
    if name in ("strict_date_optional_time", "strict_date_optional_time_nanos"):
        return Format(name, _iso_parser(_ISO), _render_iso)
    if name == "date_optional_time":
        return Format(name, _iso_parser(_ISO_LENIENT), _render_iso)
    if name == "epoch_millis":
        return Format(name, _epoch_parser(1), lambda ms, _: str(ms))
    if name == "epoch_second":
        return Format(name, _epoch_parser(1000), _render_epoch_second)
    if name in _NAMED:
        return _pattern(name, _NAMED[name])
    return _pattern(name, name)


_NAMED = {
    "strict_date": "yyyy-MM-dd",
    "strict_date_time": "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "strict_date_time_no_millis": "yyyy-MM-dd'T'HH:mm:ssXXX",
    "strict_date_hour_minute_second": "yyyy-MM-dd'T'HH:mm:ss",
    "strict_date_hour_minute": "yyyy-MM-dd'T'HH:mm",
    "strict_year_month": "yyyy-MM",
    "strict_year": "yyyy",
    "basic_date": "yyyyMMdd",
}


def _iso_parser(pattern: re.Pattern[str]) -> Callable[[str, tzinfo, bool], int | None]:
    def parse_iso(text: str, zone: tzinfo, round_up: bool) -> int | None:
        # Nearly all dates of documents: 2026-01-15T10:00:00.000Z. Nothing of it is rounded.
        if len(text) == 24 and text[23] == "Z" and text[19] == "." and text[5] != "W":
            try:
                return (datetime.fromisoformat(text) - _EPOCH) // _MS
            except ValueError:
                pass
        match = pattern.match(text)
        if match is None:
            return None
        *parts, offset = match.groups()
        return _assemble(parts, zone_of(offset) if offset else zone, round_up)

    return parse_iso


def _assemble(parts: list[str | None], zone: tzinfo, round_up: bool) -> int | None:
    year, month, day, hour, minute, second, fraction = parts
    fill = 59 if round_up else 0
    if fraction is not None:
        micro = int(fraction.ljust(3, "0")[:3]) * 1000
        if round_up and len(fraction) < 3:
            micro = int(fraction.ljust(3, "0")) * 1000
    else:
        micro = 999_000 if round_up else 0
    try:
        moment = datetime(
            int(year or 1970),
            int(month or 1),
            int(day or 1),
            int(hour) if hour is not None else (23 if round_up else 0),
            int(minute) if minute is not None else fill,
            int(second) if second is not None else fill,
            micro,
            tzinfo=zone,
        )
        return to_ms(moment.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=4_096)
def _render_iso(ms: int, zone: tzinfo) -> str:
    moment = to_datetime(ms, zone)
    text = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}"
    return text.rjust(23, "0") + _offset_text(moment)


def _offset_text(moment: datetime) -> str:
    delta = moment.utcoffset()
    if not delta:
        return "Z"
    minutes = int(delta.total_seconds() // 60)
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _epoch_parser(scale: int) -> Callable[[str, tzinfo, bool], int | None]:
    def parse_epoch(text: str, zone: tzinfo, round_up: bool) -> int | None:
        if not _NUMBER.match(text):
            return None
        whole, _, fraction = text.partition(".")
        value = int(whole) * scale
        if fraction and scale > 1:
            part = int(fraction.ljust(3, "0")[:3])
            value += -part if text.startswith("-") else part
        elif not fraction and scale > 1 and round_up:
            value += scale - 1
        return value

    return parse_epoch


def _render_epoch_second(ms: int, zone: tzinfo) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{seconds}.{rest:03d}".rstrip("0") if rest else str(seconds)


_LETTERS = re.compile(r"'((?:[^']|'')*)'|([a-zA-Z])\2*|([^a-zA-Z'])")
_FIELDS = {"y": 0, "u": 0, "M": 1, "d": 2, "H": 3, "m": 4, "s": 5, "S": 6}


def _pattern(name: str, pattern: str) -> Format:
    """A java.time pattern of numbers: yyyy MM dd HH mm ss SSS XXX and literals."""
    regex: list[str] = []
    order: list[int] = []
    pieces: list[tuple[str, str]] = []
    for match in _LETTERS.finditer(pattern):
        if match.group(1) is not None:
            literal = match.group(1).replace("''", "'") or "'"
            regex.append(re.escape(literal))
            pieces.append(("", literal))
        elif match.group(3):
            regex.append(re.escape(match.group(3)))
            pieces.append(("", match.group(3)))
        else:
            letters = match.group()
            letter, width = letters[0], len(letters)
            if letter in "XZ" and width <= 5:
                regex.append(r"(Z|[+-]\d{2}(?::?\d{2})?)")
                order.append(7)
            elif letter in _FIELDS and width <= (
                4 if letter in "yu" else 9 if letter == "S" else 2
            ):
                if letter in "yu" and width != 4:
                    raise UnsupportedError(f"date format '{name}'")
                regex.append(rf"(\d{{{width}}})" if width > 1 else r"(\d{1,2})")
                order.append(_FIELDS[letter])
            else:
                raise UnsupportedError(f"date format '{name}'")
            pieces.append((letter, letters))
    if not order:
        raise UnsupportedError(f"date format '{name}'")
    compiled = re.compile("".join(regex) + r"\Z", re.ASCII)

    def parse_pattern(text: str, zone: tzinfo, round_up: bool) -> int | None:
        match = compiled.match(text)
        if match is None:
            return None
        parts: list[str | None] = [None] * 8
        for index, value in zip(order, match.groups(), strict=True):
            parts[index] = value
        offset = parts.pop()
        return _assemble(parts, zone_of(offset) if offset else zone, round_up)

    def render_pattern(ms: int, zone: tzinfo) -> str:
        moment = to_datetime(ms, zone)
        numbers = {
            "y": moment.year,
            "u": moment.year,
            "M": moment.month,
            "d": moment.day,
            "H": moment.hour,
            "m": moment.minute,
            "s": moment.second,
        }
        out = []
        for letter, text in pieces:
            if not letter:
                out.append(text)
            elif letter == "S":
                out.append(f"{moment.microsecond:06d}000"[: len(text)])
            elif letter in "XZ":
                found = _offset_text(moment)
                if letter == "Z" and found == "Z":
                    found = "+00:00"
                out.append(found if len(text) in (3, 5) else found.replace(":", ""))
            else:
                out.append(str(numbers[letter]).rjust(len(text), "0"))
        return "".join(out)

    return Format(name, parse_pattern, render_pattern)
