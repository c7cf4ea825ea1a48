"""Hits: their order, their `_source`, their `fields`."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sre_obs.query import datemath
from sre_obs.query.search.mapping import KINDS, Field, Kind
from sre_obs.query.search.refuse import mapping, only, unsupported, wrong
from sre_obs.query.search.source import source_filter
from sre_obs.query.search.values import address_text, shortest32
from sre_obs.query.search.view import View, ViewColumn

_SORT = frozenset({"order", "missing", "mode", "unmapped_type", "format"})
# Sorting a few of many: heapq beats a full sort well beyond this.
_FEW = 100


@dataclass(frozen=True, slots=True)
class SortKey:
    """One criterion of a sort; `field` is ``_doc`` for the order of the documents."""

    field: str
    descending: bool
    missing_first: bool
    highest: bool  # of several values the highest counts, otherwise the lowest
    unmapped: str  # unmapped_type, or ""
    format: str
    where: str


def sort_keys(spec: Any, where: str) -> tuple[SortKey, ...]:
    """Read the `sort` of a request or of top_hits."""
    found = []
    for i, one in enumerate(spec if isinstance(spec, list) else [spec]):
        at = f"{where}[{i}]" if isinstance(spec, list) else where
        items = {one: {}} if isinstance(one, str) else mapping(one, at)
        for field, options in items.items():
            found.append(_key(field, options, f"{at}.{field}"))
    return tuple(found)


def _key(field: str, options: Any, where: str) -> SortKey:
    if field == "_score" or (field.startswith("_") and field not in ("_doc", "_index")):
        raise unsupported(f"sorting by {field}", where)
    if isinstance(options, str):
        options = {"order": options}
    options = mapping(options, where)
    only(options, _SORT, where)
    order = str(options.get("order", "asc")).lower()
    if order not in ("asc", "desc"):
        raise wrong(f"order '{order}'", where)
    missing = options.get("missing", "_last")
    if missing not in ("_first", "_last"):
        raise unsupported("a value for missing", f"{where}.missing")
    mode = options.get("mode", "max" if order == "desc" else "min")
    if mode not in ("min", "max"):
        raise unsupported(f"mode '{mode}'", f"{where}.mode")
    return SortKey(
        field,
        order == "desc",
        missing == "_first",
        mode == "max",
        str(options.get("unmapped_type", "")),
        options.get("format", ""),
        where,
    )


_FAR = (2**63 - 1, -(2**63))


def _absent(field: Field | None, key: SortKey) -> Any:
    """What a document without a value sorts as: the far end of a number's type, where it
    ties with documents that have that value; None for what has no far end."""
    type_name = field.type if field is not None else key.unmapped
    kind = KINDS.get(type_name)
    if kind in (Kind.KEYWORD, Kind.IP, Kind.TEXT, None):
        return None
    highest = key.descending == key.missing_first
    if kind is Kind.DOUBLE:
        return math.inf if highest else -math.inf
    if type_name in ("integer", "short", "byte"):
        return 2**31 - 1 if highest else -(2**31)
    return _FAR[0] if highest else _FAR[1]


class Sorter:
    """A sort on the documents of a view."""

    def __init__(self, view: View, keys: tuple[SortKey, ...]) -> None:
        self._view = view
        self._keys = keys
        self._columns: list[ViewColumn | None] = []
        for key in keys:
            if key.field == "_doc":
                self._columns.append(None)
                continue
            column = view.column(key.field, key.where)
            if column.kind(key.where) is None and not key.unmapped:
                raise wrong(f"no mapping found for [{key.field}] to sort on", key.where)
            self._columns.append(column)

    def first(self, documents: list[int], count: int) -> list[int]:
        """The first `count` documents in order."""
        if count <= 0:
            return []
        if len(self._keys) == 1 and count <= _FEW and len(documents) > 4 * count:
            key, column = self._keys[0], self._columns[0]
            if column is not None and column.complete:
                pick = heapq.nlargest if key.descending else heapq.nsmallest
                return pick(count, documents, key=self._value(0))
        ordered = list(documents)
        for i in range(len(self._keys) - 1, -1, -1):
            key = self._keys[i]
            value = self._value(i)
            have = [d for d in ordered if value(d) is not None]
            lack = [d for d in ordered if value(d) is None] if len(have) < len(ordered) else []
            have.sort(key=value, reverse=key.descending)
            ordered = lack + have if key.missing_first else have + lack
        return ordered[:count]

    def shown(self, document: int) -> list[Any]:
        """The `sort` values of a hit."""
        out: list[Any] = []
        for i, (key, column) in enumerate(zip(self._keys, self._columns, strict=True)):
            value = self._value(i)(document)
            if column is None:
                segment, number = self._view.place(document)
                out.append(segment.lucene(number))
            elif value in (math.inf, -math.inf):
                out.append("Infinity" if value > 0 else "-Infinity")
            elif value is None or column.field is None:
                out.append(value)
            elif key.format and value in _FAR:
                out.append(None)
            elif column.field.type in ("float", "half_float"):
                out.append(shortest32(value))
            elif column.field.kind is Kind.IP:
                out.append(address_text(value))
            elif column.field.kind is Kind.DATE and key.format:
                out.append(datemath.render(value, formats=key.format))
            else:
                out.append(value)
        return out

    def _value(self, i: int) -> Callable[[int], Any]:
        key, column = self._keys[i], self._columns[i]
        if column is None:
            return lambda document: self._view.place(document)[1]
        cells = column.cells
        if column.complete and not column.multi:
            return cells.__getitem__
        absent = _absent(column.field, key)
        if not column.multi:
            return lambda document: absent if cells[document] is None else cells[document]
        pick = max if key.highest else min
        return lambda document: absent if cells[document] is None else pick(cells[document])


@dataclass(frozen=True, slots=True)
class Presenter:
    """How a hit looks: what of its source, which doc values."""

    source: Callable[[Any], Any] | None  # None: no _source
    fields: tuple[tuple[str, str, str], ...]  # name, format, where

    def hit(self, view: View, document: int, score: float | None) -> dict[str, Any]:
        segment, number = view.place(document)
        found: dict[str, Any] = {
            "_index": segment.name,
            "_id": segment.ids[number],
            "_score": score,
        }
        ignored = segment.ignored(number)
        if ignored:
            found["_ignored"] = ignored
        if self.source is not None:
            found["_source"] = self.source(segment.sources[number])
        fields = {}
        for name, form, where in self.fields:
            values = self._values(view, name, form, where, document)
            if values:
                fields[name] = values
        if fields:
            found["fields"] = fields
        return found

    def _values(self, view: View, name: str, form: str, where: str, document: int) -> list[Any]:
        column = view.column(name, where)
        kind = column.kind(where)
        cell = column.cells[document]
        if kind is None or cell is None or column.field is None:
            return []
        values = list(cell) if column.multi else [cell]
        if kind is Kind.DATE:
            return [datemath.render(v, formats=form or column.field.format) for v in values]
        if form:
            raise unsupported(f"a format on {column.field.type}", f"{where}.format")
        if kind is Kind.BOOLEAN:
            return [bool(v) for v in values]
        if kind is Kind.IP:
            return [address_text(v) for v in values]
        return values


def presenter(body: Mapping[str, Any], where: str) -> Presenter:
    """Read `_source` and `docvalue_fields`."""
    fields = []
    specs = body.get("docvalue_fields", [])
    if not isinstance(specs, list):
        raise wrong("docvalue_fields is a list", f"{where}.docvalue_fields")
    for i, spec in enumerate(specs):
        at = f"{where}.docvalue_fields[{i}]"
        if isinstance(spec, str):
            spec = {"field": spec}
        only(mapping(spec, at), frozenset({"field", "format"}), at)
        name = spec.get("field")
        if not isinstance(name, str):
            raise wrong("a field is missing", at)
        if "*" in name:
            raise unsupported("a pattern in docvalue_fields", at)
        form = spec.get("format", "")
        if not isinstance(form, str):
            raise wrong("a format is a text", f"{at}.format")
        fields.append((name, "" if form == "use_field_mapping" else form, at))
    return Presenter(source_filter(body.get("_source", True), f"{where}._source"), tuple(fields))
