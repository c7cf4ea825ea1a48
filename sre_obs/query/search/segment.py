"""The documents of one index, or the nested objects at one path of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any, TypeAlias

from sre_obs.model.errors import QueryError
from sre_obs.query import datemath
from sre_obs.query.search.columns import Column, collect, column_of, leaves, loses
from sre_obs.query.search.mapping import Dynamic, Field, IndexMapping, Kind
from sre_obs.query.search.parents import Parents

Document: TypeAlias = Mapping[str, Any]


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
        self._parents: Parents | None = None
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
        return sorted(field.name for field in losing if loses(source, field))

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
        skip = len(self.path.split(".")) if self.path else 0
        if self._parents is None:
            self._parents = Parents(self.sources)
        return column_of(self.sources, self._parents, field, skip, self.name)

    def _discover(self, name: str) -> Field | None:
        """The field as dynamic mapping makes it from the first document that has it."""
        parts = name.split(".")
        for end in range(1, len(parts)):
            above = self.mapping.fields.get(".".join(parts[:end]))
            if above is not None and above.kind is None:
                # flattened, for one, has rules of its own for what lies in it.
                return replace(above, name=name, source=tuple(parts))
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
