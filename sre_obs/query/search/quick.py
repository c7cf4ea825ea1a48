"""A column of plain values at once, for the types that values of a field usually have.

What is here is what `values.reader` does to one value, without a call for each of them.
Whatever is not plain is left to it.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from typing import Any

from sre_obs.query.search.mapping import Field, Kind
from sre_obs.query.search.values import RANGES, Malformed, reader

_NONE = type(None)
_PLAIN: dict[Kind, frozenset[type]] = {
    Kind.KEYWORD: frozenset({str, _NONE}),
    Kind.TEXT: frozenset({str, _NONE}),
    Kind.LONG: frozenset({int, _NONE}),
    Kind.DOUBLE: frozenset({float, int, _NONE}),
    Kind.BOOLEAN: frozenset({bool, _NONE}),
    Kind.DATE: frozenset({str, int, _NONE}),
    Kind.IP: frozenset({str, _NONE}),
}
# A whole number of four digits or less is a year to the default format of dates.
_NO_YEAR = 10_000


def quick(raw: list[Any], field: Field) -> tuple[list[Any], list[int]]:
    """The cells of a column, and the numbers of the values that are left to the reader.

    `raw` is changed. None is no value, or null.
    """
    plain = _PLAIN.get(field.kind) if field.kind is not None else None
    if plain is None or field.null_value is not None:
        return [None] * len(raw), list(range(len(raw)))
    left: list[int] = []
    if not plain.issuperset(set(map(type, raw))):
        left = [number for number, value in enumerate(raw) if type(value) not in plain]
        for number in left:
            raw[number] = None
    cells = _EACH[field.kind](raw, field) if field.kind in _EACH else None
    if cells is None:
        cells = _one_by_one(raw, field, left)
    return cells, left


def _one_by_one(raw: list[Any], field: Field, left: list[int]) -> list[Any]:
    """Each distinct value is read once."""
    read = reader(field)
    text = field.kind is Kind.TEXT
    known: dict[Any, Any] = {None: None}
    for value in set(raw):
        if value is not None:
            try:
                found = read(value)
            except Malformed:
                continue
            known[value] = (found,) if text and found is not None else found
    try:
        return [known[value] for value in raw]
    except KeyError:
        left += [number for number, value in enumerate(raw) if value not in known]
        return [known.get(value) for value in raw]


def _keywords(raw: list[Any], field: Field) -> list[Any] | None:
    if field.lowercase:
        return None
    if field.ignore_above:
        most = field.ignore_above
        return [None if value is None or len(value) > most else value for value in raw]
    return raw


def _longs(raw: list[Any], field: Field) -> list[Any] | None:
    low, high = RANGES[field.type]
    present = [value for value in raw if value is not None]
    return raw if not present or (low <= min(present) and max(present) <= high) else None


def _doubles(raw: list[Any], field: Field) -> list[Any] | None:
    try:
        if field.type == "double":
            cells = [None if value is None else float(value) for value in raw]
        elif field.type == "float":
            rounded = array("f", [0.0 if value is None else value for value in raw]).tolist()
            cells = [
                None if value is None else one for value, one in zip(raw, rounded, strict=True)
            ]
        else:
            return None
    except OverflowError:
        return None
    whole = all(math.isfinite(one) for one in cells if one is not None)
    return cells if whole else None


def _booleans(raw: list[Any], field: Field) -> list[Any] | None:
    return [None if value is None else int(value) for value in raw]


def _dates(raw: list[Any], field: Field) -> list[Any] | None:
    if field.format or str in set(map(type, raw)):
        return None
    present = [value for value in raw if value is not None]
    return raw if not present or min(present) >= _NO_YEAR else None


_EACH: dict[Kind, Callable[[list[Any], Field], list[Any] | None]] = {
    Kind.KEYWORD: _keywords,
    Kind.LONG: _longs,
    Kind.DOUBLE: _doubles,
    Kind.BOOLEAN: _booleans,
    Kind.DATE: _dates,
}
