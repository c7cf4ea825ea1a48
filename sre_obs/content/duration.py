"""Durations as people write them: ``30s``, ``1h30m``, ``now-5m``.

The units are Prometheus' (y is 365 days), each at most once, from the largest down, whole
numbers. A bare number is refused, since nobody remembers whether it meant seconds.
"""

from __future__ import annotations

import re

_UNITS = {
    "y": 365 * 86_400.0,
    "w": 7 * 86_400.0,
    "d": 86_400.0,
    "h": 3_600.0,
    "m": 60.0,
    "s": 1.0,
    "ms": 0.001,
}
_DURATION = re.compile("".join(rf"(?:(\d{{1,9}}){unit})?" for unit in _UNITS), re.ASCII)
_SHOWN = {unit: size for unit, size in _UNITS.items() if unit not in ("y", "w", "ms")}
_EXAMPLE = "write 30s, 5m or 1h30m"


def parse_duration(text: str) -> float:
    """``1h30m`` -> seconds; ``0`` is zero. Raises ValueError whose text is for people."""
    match = _DURATION.fullmatch(text)
    if text == "0":
        return 0.0
    if not text or match is None:
        raise ValueError(f'"{text[:40]}" is no duration: {_why(text)}')
    parts = zip(match.groups(), _UNITS.values(), strict=True)
    return sum(int(number) * size for number, size in parts if number)


def parse_window(text: str) -> float:
    """``now-5m`` -> seconds that a window reaches back. Raises ValueError."""
    rest = text.removeprefix("now-")
    if rest == text:
        raise ValueError(f'"{text[:40]}" is no start of a window: write now-5m')
    return parse_duration(rest)


def format_duration(seconds: float) -> str:
    """The shortest text that `parse_duration` reads back, to the millisecond: ``1h30m``."""
    whole, rest = divmod(round(abs(seconds) * 1000), 1000)
    text = ""
    for unit, size in _SHOWN.items():
        number, whole = divmod(whole, int(size))
        if number:
            text += f"{number}{unit}"
    if rest:
        text += f"{rest}ms"
    return ("-" if seconds < 0 and text else "") + (text or "0s")


def _why(text: str) -> str:
    if not text:
        return _EXAMPLE
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        return f"it lacks a unit, write {text}s or {text}m"
    if "." in text:
        return "whole numbers only, write 1m30s"
    if text.startswith("-"):
        return "it can't be negative"
    if re.fullmatch(r"(\d+(y|w|d|h|ms|m|s))+", text, re.ASCII):
        return "units go from the largest down, each once, write 1h30m"
    return _EXAMPLE
