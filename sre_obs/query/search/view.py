"""The documents that one request runs over: one or more segments, numbered through."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from itertools import chain
from typing import Any, TypeVar

from sre_obs.query.search import bits
from sre_obs.query.search.columns import Cells
from sre_obs.query.search.mapping import Field, Kind
from sre_obs.query.search.queries.types import Query
from sre_obs.query.search.refuse import unsupported, wrong
from sre_obs.query.search.segment import Segment

T = TypeVar("T")
_NUMBERS = (Kind.LONG, Kind.DOUBLE)


class ViewColumn:
    """A field over all documents of the view. `field` is None where no segment has it."""

    __slots__ = ("cells", "complete", "field", "multi", "rising")

    def __init__(self, field: Field | None, cells: Cells, multi: bool, rising: bool) -> None:
        self.field = field
        self.cells = cells
        self.multi = multi
        self.rising = rising
        self.complete = field is not None and None not in cells

    def kind(self, where: str) -> Kind | None:
        """None: the field is unmapped. Raises for types without doc values here."""
        if self.field is None:
            return None
        if self.field.kind is None:
            raise unsupported(f"field type '{self.field.type}' ({self.field.name})", where)
        if self.field.kind is Kind.TEXT:
            raise wrong(f"{self.field.name} is text: no sorting or aggregating on it", where)
        return self.field.kind

    def values(self, documents: Iterable[int]) -> list[Any]:
        """All values of these documents."""
        found = map(self.cells.__getitem__, documents)
        if self.complete and not self.multi:
            return list(found)
        if self.multi:
            return list(chain.from_iterable(cell for cell in found if cell is not None))
        return [cell for cell in found if cell is not None]


# So many windows and groupings are kept: the rules that are due at one time share few.
_KEPT = 4


def _kept(cache: dict[Any, Any], key: Any, make: Callable[[], Any]) -> Any:
    found = cache.pop(key, None)
    if found is None:
        found = make()
        while len(cache) >= _KEPT:
            del cache[next(iter(cache))]
    cache[key] = found
    return found


class View:
    """Documents are numbered through the segments in their order."""

    def __init__(self, segments: list[Segment]) -> None:
        self.segments = segments
        self.offsets: list[int] = []
        self.size = 0
        for segment in segments:
            self.offsets.append(self.size)
            self.size += segment.size
        self._columns: dict[str, ViewColumn] = {}
        self._members: dict[int, list[int]] = {}
        self._groups: dict[Any, Any] = {}

    def matching(self, query: Query) -> int:
        """The documents that match, as a set of bits."""
        found = 0
        for segment, offset in zip(self.segments, self.offsets, strict=True):
            found |= query(segment) << offset
        return found

    def flags(self, query: Query) -> bytes:
        """One byte a document: 1 where it matches."""
        return bits.flags(self.matching(query), self.size)

    def members(self, matching: int) -> list[int]:
        """The documents of a set in a list, which nobody may change: rules that look at one
        window share it."""
        found: list[int] = _kept(self._members, matching, lambda: bits.members(matching))
        return found

    def groups(self, key: tuple[Hashable, ...], make: Callable[[], T]) -> T:
        """What `make` gives, kept for the next request that groups the same documents by the
        same keys; nobody may change it."""
        found: T = _kept(self._groups, key, make)
        return found

    def column(self, name: str, where: str) -> ViewColumn:
        """The values of a field. Raises UnsupportedError where two indices disagree on what
        it is: how Elasticsearch mixes them is not here."""
        if name not in self._columns:
            self._columns[name] = self._combine(name, where)
        return self._columns[name]

    def place(self, document: int) -> tuple[Segment, int]:
        """The segment of a document and its number there."""
        for segment, offset in zip(reversed(self.segments), reversed(self.offsets), strict=True):
            if document >= offset:
                return segment, document - offset
        raise IndexError(document)

    def _combine(self, name: str, where: str) -> ViewColumn:
        columns = [segment.column(name) for segment in self.segments]
        found = [column for column in columns if column is not None]
        if not found:
            return ViewColumn(None, [None] * self.size, False, False)
        if len(columns) == 1:
            one = found[0]
            return ViewColumn(one.field, one.cells, one.multi, one.rising)
        field = found[0].field
        for column in found:
            if column.field.kind is not field.kind:
                if {column.field.kind, field.kind} <= set(_NUMBERS):
                    field = column.field if column.field.kind is Kind.DOUBLE else field
                else:
                    raise unsupported(
                        f"field {name}, which is {field.type} and {column.field.type}", where
                    )
        multi = any(column.multi for column in found)
        cells: Cells = []
        for segment, column_ in zip(self.segments, columns, strict=True):
            if column_ is None:
                cells.extend([None] * segment.size)
            elif multi and not column_.multi:
                cells.extend(None if cell is None else (cell,) for cell in column_.cells)
            else:
                cells.extend(column_.cells)
        return ViewColumn(field, cells, multi, False)
