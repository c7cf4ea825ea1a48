"""Series: one short text -> one value a document.

::

    series = item { white-space item }
    item   = number [ [ ("+" | "-") number ] "x" count ]     0+10x100   5x3   7
           | word [ "x" count ]                              truex10   Runningx5   "a b"x2
           | "_" [ "x" count ]                               the field is missing

A step needs a count. As in promtool's tests a count says how often more: ``5x3`` is four
samples, ``0+10x100`` the 101 samples 0, 10, ... 1000; ``_x5`` alone is five. A word is a
letter and what follows up to white space, but no count alone (``x89``); one that must not be
read otherwise stands in double quotes, with ``\\"`` and ``\\\\`` inside. ``true`` and ``false``
without quotes are booleans.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

# Of one series; what is longer is a mistake, or somebody's joke.
MOST = 100_000


class _Missing:
    """The one value that is none: the document lacks the field."""

    def __repr__(self) -> str:
        return "_"


MISSING: Final = _Missing()

_NUMBER = r"[-+]?(?:\d{1,30}(?:\.\d{1,30})?|\.\d{1,30})(?:[eE][-+]?\d{1,3})?"
_ITEM = re.compile(
    rf"(?P<start>{_NUMBER})(?:(?P<sign>[+-])(?P<step>(?![-+]){_NUMBER}))?(?:x(?P<times>\d{{1,9}}))?"
    r"(?=\s|$)",
    re.ASCII,
)
_GAP = re.compile(r"_(?:x(?P<times>\d{1,9}))?(?=\s|$)", re.ASCII)
_QUOTED = re.compile(r'"(?P<text>(?:[^"\\]|\\["\\])*)"(?:x(?P<times>\d{1,9}))?(?=\s|$)', re.ASCII)
_WORD = re.compile(r"(?P<text>[^\W\d_][^\s\"]*?)(?:x(?P<times>[0-9]{1,9}))?(?=\s|$)")
# A count that a blank took from its sample: "0+5 x89".
_LOST = re.compile(r"\s*(?P<count>x\d{1,9})(?=\s|$)", re.ASCII)
_BOOLEANS = {"true": True, "false": False}


class SeriesError(ValueError):
    """Not a series: `offset` is the character, `remedy` what to write."""

    def __init__(self, message: str, offset: int, length: int = 1, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.length = length
        self.remedy = remedy


def parse_series(text: str) -> tuple[Any, ...]:
    """The samples, `MISSING` where there is none. Raises SeriesError."""
    samples: list[Any] = []
    at, end = 0, len(text)
    while True:
        while at < end and text[at].isspace():
            at += 1
        if at >= end:
            break
        found, at = _item(text, at, MOST - len(samples))
        samples += found
    if not samples:
        raise SeriesError("a series without a sample", 0, 1, "write 0+10x100, 5x3 or 1 2 _ 7")
    return tuple(samples)


def _item(text: str, at: int, room: int) -> tuple[list[Any], int]:
    if match := _ITEM.match(text, at):
        if match["step"] is not None and match["times"] is None:
            raise _uncounted(text, match, at)
        more = _times(match, 0, room, at)
        start, step = _number(match["start"]), _number(match["step"] or "0")
        if not math.isfinite(start + step * more):
            length = match.end() - at
            message = f"{match[0][:40]} is too large a number"
            raise SeriesError(message, at, length, "write a smaller one")
        if match["step"] is None:
            return [start] * (1 + more), match.end()
        if match["sign"] == "-":
            step = -step
        # Multiplied, not added up: 0.1 a hundred times is 10, not 9.99999999999998.
        return [_tidy(start + step * k) for k in range(1 + more)], match.end()
    if match := _GAP.match(text, at):
        return [MISSING] * (_times(match, 1, room, at) or 1), match.end()
    if match := _QUOTED.match(text, at):
        word = re.sub(r"\\(.)", r"\1", match["text"])
        return [word] * (1 + _times(match, 0, room, at)), match.end()
    if match := _LOST.match(text, at):
        count = match["count"]
        remedy = f'write 5{count} without a blank, or "{count}" for the word'
        raise SeriesError(f"{count} is a count without a sample", at, len(count), remedy)
    if match := _WORD.match(text, at):
        plain: Any = _BOOLEANS.get(match["text"], match["text"])
        return [plain] * (1 + _times(match, 0, room, at)), match.end()
    raise _explain(text, at)


def _times(match: re.Match[str], absent: int, room: int, at: int) -> int:
    times = absent if match["times"] is None else int(match["times"])
    if times + 1 > room:
        raise SeriesError(
            f"more than {MOST:,} samples", at, match.end() - at, "write a shorter series"
        )
    return times


def _uncounted(text: str, match: re.Match[str], at: int) -> SeriesError:
    """A step that is taken no time: one sample is all it gives."""
    item = match[0][:40]
    if lost := _LOST.match(text, match.end()):
        message, remedy = "a blank in front of the count", f"write {item}{lost['count']}"
        return SeriesError(message, lost.start("count"), len(lost["count"]), remedy)
    remedy = f"write {item}x10, or the numbers one by one"
    return SeriesError(f"{item} does not say how often", at, match.end() - at, remedy)


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _tidy(number: int | float) -> int | float:
    return number if isinstance(number, int) else round(number, 12)


def _explain(text: str, at: int) -> SeriesError:
    stop = at
    while stop < len(text) and not text[stop].isspace():
        stop += 1
    item = text[at:stop]
    if item.startswith('"'):
        closed = re.match(r'"(?:[^"\\]|\\["\\])*"', text[at:])
        if closed is None:
            return SeriesError("the quote is never closed", at, 1, 'close it with "')
        return SeriesError(
            "text behind the closing quote", at + closed.end(), 1, 'write "..."x5, then a blank'
        )
    # The first character at which it stops being a series of numbers.
    good = re.match(rf"{_NUMBER}(?:[+-](?![-+]){_NUMBER})?(?:x\d{{1,9}})?|_", item, re.ASCII)
    if good is None:
        return SeriesError(
            f"{item[:40]} is no sample", at, len(item), 'write a number, _, or a word in "quotes"'
        )
    place = at + good.end()
    rest = text[place:stop]
    if rest.startswith("x"):
        return SeriesError("no count behind x", place, len(rest), "write x and a whole number")
    if rest[:1] in ("+", "-"):
        return SeriesError("no step behind it", place, len(rest), "write start+step x count")
    return SeriesError(
        f"unexpected {rest[:20]}", place, len(rest), "write start+stepxcount: 0+10x100"
    )
