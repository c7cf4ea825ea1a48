"""Columns: the values of one field over the documents of a segment."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

from sre_obs.query.search import bits
from sre_obs.query.search.mapping import Field, Kind
from sre_obs.query.search.parents import Parents
from sre_obs.query.search.quick import quick
from sre_obs.query.search.refuse import DocumentError
from sre_obs.query.search.values import Malformed, reader

# None: no value. One value as it is, or a tuple where `multi`.
Cells: TypeAlias = list[Any]


class Column:
    """The values of one field in one segment, as doc values: keywords and IPs sorted without
    duplicates, numbers, dates and booleans sorted with them, texts in their order."""

    __slots__ = (
        "_postings",
        "_present",
        "_sorted",
        "cells",
        "complete",
        "field",
        "multi",
        "rising",
    )

    def __init__(self, field: Field, cells: Cells, multi: bool) -> None:
        self.field = field
        self.cells = cells
        self.multi = multi
        self.complete = None not in cells
        # Documents in time order: a range of @timestamp is then one span of documents.
        self.rising = False
        if self.complete and not multi and field.kind is Kind.DATE:
            self.rising = all(a <= b for a, b in pairwise(cells))
        self._postings: dict[Any, list[int]] | None = None
        self._sorted: tuple[list[Any], list[int]] | None = None
        self._present: int | None = None

    @property
    def postings(self) -> dict[Any, list[int]]:
        """Value (of text: word) -> ascending documents."""
        if self._postings is None:
            found: dict[Any, list[int]] = {}
            text = self.field.kind is Kind.TEXT
            for number, cell in enumerate(self.cells):
                if cell is None:
                    continue
                if text:
                    values: Any = {w for value in cell for w in value}
                else:
                    values = cell if self.multi else (cell,)
                for value in values:
                    if value in found:
                        if found[value][-1] != number:
                            found[value].append(number)
                    else:
                        found[value] = [number]
            self._postings = found
        return self._postings

    @property
    def present(self) -> int:
        """The documents that have a value."""
        if self._present is None:
            if self.complete:
                self._present = bits.full(len(self.cells))
            else:
                have = [i for i, cell in enumerate(self.cells) if cell is not None]
                self._present = bits.of(have, len(self.cells))
        return self._present

    def equal(self, value: Any) -> int:
        """The documents that have this value."""
        found = self.postings.get(value)
        return bits.of(found, len(self.cells)) if found else 0

    def between(self, low: Any, high: Any, *, with_low: bool = True, with_high: bool = True) -> int:
        """The documents with a value in the interval; None is no bound."""
        if self.rising:
            return bits.span(*_ends(self.cells, low, high, with_low, with_high))
        if self._sorted is None:
            pairs = sorted(
                (value, number)
                for number, cell in enumerate(self.cells)
                if cell is not None
                for value in (cell if self.multi else (cell,))
            )
            self._sorted = [p[0] for p in pairs], [p[1] for p in pairs]
        values, numbers = self._sorted
        first, last = _ends(values, low, high, with_low, with_high)
        return bits.of(numbers[first:last], len(self.cells)) if first < last else 0


def _ends(
    values: list[Any], low: Any, high: Any, with_low: bool, with_high: bool
) -> tuple[int, int]:
    first, last = 0, len(values)
    if low is not None:
        first = bisect_left(values, low) if with_low else bisect_right(values, low)
    if high is not None:
        last = bisect_right(values, high) if with_high else bisect_left(values, high)
    return first, max(first, last)


def loses(source: Any, field: Field) -> bool:
    """Whether a value of the field is not indexed in this document."""
    found: list[Any] = []
    collect(source, field.source, 0, found)
    read = reader(field)
    for value in found:
        try:
            if value is not None and value != "" and read(value) is None:
                return True
        except Malformed:
            return True
    return False


def collect(value: Any, parts: Sequence[str], at: int, out: list[Any]) -> None:
    """All values at a path: through lists, and through names that hold dots themselves."""
    if isinstance(value, list):
        for item in value:
            collect(item, parts, at, out)
        return
    if at == len(parts):
        out.append(value)
        return
    if not isinstance(value, dict):
        return
    if parts[at] in value:
        collect(value[parts[at]], parts, at + 1, out)
    for end in range(at + 2, len(parts) + 1):
        name = ".".join(parts[at:end])
        if name in value:
            collect(value[name], parts, end, out)


def leaves(source: Any, prefix: str) -> Iterator[str]:
    """The paths of all values of a document."""
    for name, value in source.items():
        full = prefix + name
        items = value if isinstance(value, list) else [value]
        for item in items:
            if isinstance(item, dict):
                yield from leaves(item, f"{full}.")
            elif item is not None:
                yield full


def column_of(
    sources: Sequence[Any], parents: Parents, field: Field, skip: int, index: str
) -> Column:
    """Read a field out of documents.

    `parents` are those of `sources`; `skip` is how many steps of the path lead to the
    documents (they are nested objects then). Raises SourceError for a document of `index`
    that Elasticsearch would have refused.
    """
    parts = field.source[skip:]
    above, strange = parents.at(parts[:-1])
    last = parts[-1]
    raw = [parent.get(last) for parent in above]
    cells, left = quick(raw, field)
    read = reader(field)
    several = False
    text = field.kind is Kind.TEXT
    for number in sorted({*left, *strange}):
        found: list[Any] = []
        collect(sources[number], parts, 0, found)
        values = _read_all(found, field, read, index, number)
        if text:
            cells[number] = tuple(values) or None
            continue
        keep_duplicates = field.kind in _DUPLICATES
        ordered = sorted(values if keep_duplicates else set(values))
        if len(ordered) > 1:
            several = True
            cells[number] = tuple(ordered)
        else:
            cells[number] = ordered[0] if ordered else None
    if several:
        cells = [c if c is None or type(c) is tuple else (c,) for c in cells]
    return Column(field, cells, several)


_DUPLICATES = (Kind.LONG, Kind.DOUBLE, Kind.DATE, Kind.BOOLEAN)


def _read_all(found: list[Any], field: Field, read: Any, index: str, number: int) -> list[Any]:
    values = []
    for one in found:
        raw = field.null_value if one is None else one
        if raw is None:
            continue
        try:
            value = read(raw)
        except Malformed as problem:
            _malformed(field, index, number, problem)
            continue
        if value is not None:
            values.append(value)
    return values


def _malformed(field: Field, index: str, number: int, problem: Malformed) -> None:
    if not field.ignore_malformed:
        raise DocumentError(index, number, f"{field.name} is {field.type}, and {problem}") from None
