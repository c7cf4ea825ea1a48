"""Documents by index name, and their fields as columns.

A column is made when a request first uses its field, and kept: so memory follows the
fields that rules use, not the size of the documents. Adding documents to an index drops
its columns; add all of them first where that is possible.
"""

from __future__ import annotations

import fnmatch
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, TypeAlias

from sre_obs.model.errors import Blame, QueryError, SourceError
from sre_obs.query import datemath
from sre_obs.query.search import bits
from sre_obs.query.search.mapping import (
    Dynamic,
    Field,
    IndexMapping,
    Kind,
    from_mappings,
    from_types,
)
from sre_obs.query.search.values import Malformed, reader

Document: TypeAlias = Mapping[str, Any]
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


class Segment:
    """The documents of one index, or the nested objects at one path of it."""

    def __init__(
        self,
        name: str,
        mapping: IndexMapping,
        sources: list[Document],
        *,
        ids: Sequence[str] = (),
        path: str = "",
        parents: list[int] | None = None,
    ) -> None:
        self.name = name
        self.mapping = mapping
        self.sources = sources
        self.ids = ids
        self.path = path
        self.parents = parents or []
        self.size = len(sources)
        # Documents with dots in their own names may have a value at two places.
        self.dotted = [any("." in name for name in source) for source in sources]
        self._columns: dict[str, Column | None] = {}
        self._children: dict[str, Segment] = {}
        self._dynamic: dict[str, Field | None] = {}
        self._before: list[int] | None = None
        self._found: list[Field] | None = None
        self._losing: list[Field] | None = None

    def field(self, name: str) -> Field | None:
        """The field of this name, mapped or found in the documents."""
        field = self.mapping.fields.get(name)
        if field is not None:
            return field
        if self.mapping.dynamic is Dynamic.OFF or name in self.mapping.objects:
            return None
        if name not in self._dynamic:
            self._dynamic[name] = self._discover(name)
        return self._dynamic[name]

    def fields(self) -> Iterator[Field]:
        """All fields, those found in the documents included."""
        if self._found is None:
            names = {n for source in self.sources for n in leaves(source, self.prefix)}
            self._found = list(self._unmapped(names))
        yield from self._found
        yield from list(self.mapping.fields.values())

    def _unmapped(self, names: Iterable[str]) -> Iterator[Field]:
        if self.mapping.dynamic is Dynamic.OFF:
            return
        for name in sorted(names):
            found = self.field(name) if name not in self.mapping.fields else None
            if found is not None:
                yield found
                sub = self.field(f"{name}.keyword") if found.kind is Kind.TEXT else None
                if sub is not None:
                    yield sub

    @property
    def prefix(self) -> str:
        return f"{self.path}." if self.path else ""

    def column(self, name: str) -> Column | None:
        """The values of a field; None where there is none of this name here.

        Raises UnsupportedError for a field of a type that searches can't use here, and
        SourceError for a document that Elasticsearch would have refused.
        """
        if name not in self._columns:
            self._columns[name] = self._load(name)
        return self._columns[name]

    def lucene(self, number: int) -> int:
        """The number that Lucene gives a document: nested objects before it count."""
        if not self.mapping.nested:
            return number
        if self._before is None:
            counts = [0] * self.size
            for path, above in self.mapping.nested.items():
                if above == "":
                    self._count(self.child(path), counts)
            self._before = list(accumulate(counts))
        return number + self._before[number]

    def _count(self, child: Segment, counts: list[int]) -> None:
        for parent in child.parents:
            counts[parent] += 1
        for path, above in self.mapping.nested.items():
            if above == child.path:
                inner = [0] * child.size
                self._count(child.child(path), inner)
                for parent, number in zip(child.parents, inner, strict=True):
                    counts[parent] += number

    def ignored(self, number: int) -> list[str]:
        """The fields of a document that were not indexed: too long, or malformed."""
        if self._losing is None:
            fields = self.mapping.fields.values()
            self._losing = [f for f in fields if f.ignore_above or f.ignore_malformed]
        source = self.sources[number]
        unmapped = self._unmapped(set(leaves(source, self.prefix)))
        losing = [*self._losing, *(f for f in unmapped if f.ignore_above)]
        return sorted(field.name for field in losing if _loses(source, field))

    def child(self, path: str) -> Segment:
        """The nested objects at `path`, each with the number of its document here."""
        if path not in self._children:
            parts = path[len(self.prefix) :].split(".")
            sources: list[Document] = []
            parents: list[int] = []
            for number, source in enumerate(self.sources):
                found: list[Any] = []
                collect(source, parts, 0, found)
                for value in found:
                    if isinstance(value, dict):
                        sources.append(value)
                        parents.append(number)
            self._children[path] = Segment(
                self.name, self.mapping, sources, path=path, parents=parents
            )
        return self._children[path]

    def _load(self, name: str) -> Column | None:
        if name == "_index":
            index = Field(name, "keyword", Kind.KEYWORD, ())
            return Column(index, [self.name] * self.size, False)
        found = self.field(name)
        if found is None or found.nested != self.path:
            return None
        field = found
        if field.constant is not None:
            return Column(field, [field.constant] * self.size, False)
        cells, multi = _cells(self, field, len(self.path.split(".")) if self.path else 0)
        return Column(field, cells, multi)

    def _discover(self, name: str) -> Field | None:
        """The field as dynamic mapping makes it from the first document that has it."""
        parts = name.split(".")
        skip = len(self.path.split(".")) if self.path else 0
        home = self.mapping.home(name)
        if home != self.path or (self.path and not name.startswith(self.prefix)):
            return None
        value = _first(self.sources, parts[skip:])
        if value is None:
            if parts[-1] != "keyword" or len(parts) < 2:
                return None
            parent = self.field(name[: -len(".keyword")])
            if parent is None or parent.kind is not Kind.TEXT or parent.name in self.mapping.fields:
                return None
            return Field(
                name, "keyword", Kind.KEYWORD, parent.source, nested=home, ignore_above=256
            )
        type_name = _guess(value, self.mapping.dynamic)
        kind = {"text": Kind.TEXT, "keyword": Kind.KEYWORD, "long": Kind.LONG, "float": Kind.DOUBLE,
                "date": Kind.DATE, "boolean": Kind.BOOLEAN}[type_name]  # fmt: skip
        return Field(
            name,
            type_name,
            kind,
            tuple(parts),
            nested=home,
            ignore_malformed=self.mapping.ignore_malformed,
        )


def _loses(source: Document, field: Field) -> bool:
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


def _first(sources: list[Document], parts: list[str]) -> Any:
    for source in sources:
        found: list[Any] = []
        collect(source, parts, 0, found)
        for value in found:
            if value is not None and not isinstance(value, dict):
                return value
    return None


def _guess(value: Any, dynamic: Dynamic) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "long"
    if isinstance(value, float):
        return "float"
    if not value.lstrip("+-").isdigit():
        try:
            datemath.parse(value, formats="strict_date_optional_time")
        except QueryError:
            pass
        else:
            return "date"
    return "keyword" if dynamic is Dynamic.KEYWORD else "text"


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


def _cells(segment: Segment, field: Field, skip: int) -> tuple[Cells, bool]:
    """The cells of a field over documents, and whether any has more than one value."""
    parts = field.source[skip:]
    read = reader(field)
    keep_duplicates = field.kind in (Kind.LONG, Kind.DOUBLE, Kind.DATE, Kind.BOOLEAN)
    text = field.kind is Kind.TEXT
    cells: Cells = []
    several = False
    for number, (source, dotted) in enumerate(zip(segment.sources, segment.dotted, strict=True)):
        value: Any = source
        try:
            for part in parts:
                value = value[part]
            plain = type(value) is not list and not dotted
        except (KeyError, TypeError, IndexError):
            plain = False
        found: list[Any] = [value]
        if not plain:
            found = []
            collect(source, parts, 0, found)
        if len(found) == 1 and found[0] is not None:  # nearly all
            try:
                cell = read(found[0])
            except Malformed as problem:
                _malformed(field, segment.name, number, problem)
                cell = None
            cells.append((cell,) if text and cell is not None else cell)
            continue
        values = _read_all(found, field, read, segment.name, number)
        if text:
            cells.append(tuple(values) or None)
            continue
        ordered = sorted(values if keep_duplicates else set(values))
        if len(ordered) > 1:
            several = True
            cells.append(tuple(ordered))
        else:
            cells.append(ordered[0] if ordered else None)
    if several:
        cells = [c if c is None or type(c) is tuple else (c,) for c in cells]
    return cells, several


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
        raise SourceError(
            f"Elasticsearch refuses document {number} of {index}: "
            f"{field.name} is {field.type}, and {problem}",
            Blame.REQUEST,
            status=400,
            where=index,
        ) from None


class Corpus:
    """Documents by index (or data stream) name.

    ::

        corpus = Corpus()
        corpus.create("logs-app-default", {"properties": {"@timestamp": {"type": "date"}}})
        corpus.add("logs-app-default", {"@timestamp": "2026-01-01T00:00:00Z"})
    """

    def __init__(self, *, types: Mapping[str, str] | None = None) -> None:
        """`types` map each index that `add` makes; without them fields are found in the
        documents as Elasticsearch's dynamic mapping would."""
        self._types = types
        self._mappings: dict[str, IndexMapping] = {}
        self._sources: dict[str, list[Document]] = {}
        self._ids: dict[str, list[str]] = {}
        self._segments: dict[str, Segment] = {}
        self.views: dict[tuple[str, ...], Any] = {}  # of `search`, per set of indices

    def create(self, index: str, mapping: Mapping[str, Any]) -> None:
        """An index with Elasticsearch's mappings (a ``properties`` or ``mappings`` object) or
        with FieldTypes (name -> type). Raises UnsupportedError."""
        body = mapping.get("mappings", mapping)
        flat = mapping and all(isinstance(value, str) for value in mapping.values())
        self._mappings[index] = from_types(mapping) if flat else from_mappings(body)
        self._sources.setdefault(index, [])
        self._ids.setdefault(index, [])
        self._forget(index)

    def add(self, index: str, *documents: Document, ids: Iterable[str] | None = None) -> None:
        """Documents (their `_source`) of an index, which is made where it does not exist.
        `ids` default to the numbers of the documents."""
        if index not in self._mappings:
            types = self._types
            self._mappings[index] = from_types(types) if types is not None else IndexMapping()
        sources = self._sources.setdefault(index, [])
        known = self._ids.setdefault(index, [])
        first = len(sources)
        sources.extend(documents)
        known.extend(ids if ids is not None else map(str, range(first, len(sources))))
        self._forget(index)

    def _forget(self, index: str) -> None:
        self._segments.pop(index, None)
        for names in [names for names in self.views if index in names]:
            del self.views[names]

    @property
    def indices(self) -> tuple[str, ...]:
        """The names of all indices, sorted."""
        return tuple(sorted(self._mappings))

    def __len__(self) -> int:
        return sum(map(len, self._sources.values()))

    def segment(self, index: str) -> Segment:
        """The documents of one index."""
        found = self._segments.get(index)
        if found is None:
            ids = self._ids[index]
            found = Segment(index, self._mappings[index], self._sources[index], ids=ids)
            self._segments[index] = found
        return found

    def resolve(
        self, expression: str | Sequence[str], *, ignore_unavailable: bool = False
    ) -> tuple[str, ...]:
        """Index names of ``logs-*,-logs-old*``, in order. A concrete name that is not there
        is an error, as on a server, unless `ignore_unavailable`."""
        parts = expression.split(",") if isinstance(expression, str) else list(expression)
        chosen: dict[str, None] = {}
        for raw in parts or ["*"]:
            part = raw.strip()
            if part in ("", "_all"):
                part = "*"
            if part.startswith("-") and (chosen or len(parts) > 1):
                for name in [n for n in chosen if fnmatch.fnmatchcase(n, part[1:])]:
                    del chosen[name]
            elif "*" in part:
                hidden = part.startswith(".")
                for name in self.indices:
                    if fnmatch.fnmatchcase(name, part) and (hidden or not name.startswith(".")):
                        chosen[name] = None
            elif part in self._mappings:
                chosen[part] = None
            elif not ignore_unavailable:
                raise SourceError(f"no such index [{part}]", Blame.REQUEST, status=404, where=part)
        return tuple(sorted(chosen))

    def verify(self) -> None:
        """Read every mapped field of every document, as indexing them would.

        Raises SourceError for the first document that Elasticsearch would refuse.
        """
        for index in self.indices:
            segment = self.segment(index)
            for field in segment.mapping.fields.values():
                if field.kind is not None and not field.nested:
                    segment.column(field.name)
