"""Documents by index name, and their fields as columns.

A column is made when a request first uses its field, and kept: so memory follows the
fields that rules use, not the size of the documents. Adding documents to an index drops
its columns; add all of them first where that is possible.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sre_obs.model.errors import Blame, SourceError
from sre_obs.query.search.mapping import IndexMapping, from_mappings, from_types
from sre_obs.query.search.segment import Document, Segment


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
