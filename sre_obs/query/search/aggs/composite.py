"""composite: all combinations of its sources' values, in pages."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cmp_to_key
from itertools import product
from typing import Any

from sre_obs.model.errors import QueryError
from sre_obs.query import datemath
from sre_obs.query.search.aggs.buckets import no_number
from sre_obs.query.search.aggs.rounding import Rounding, rounding
from sre_obs.query.search.aggs.types import MAX_BUCKETS, Agg, Aggs, Documents, Result, Run
from sre_obs.query.search.mapping import Field, Kind
from sre_obs.query.search.refuse import flag, mapping, only, single, unsupported, whole, wrong
from sre_obs.query.search.values import (
    Malformed,
    address,
    address_text,
    boolean,
    number,
    text_form,
)
from sre_obs.query.search.view import ViewColumn


@dataclass(frozen=True, slots=True)
class _Source:
    name: str
    field: str
    where: str
    descending: bool
    missing_bucket: bool
    missing_first: bool
    rounding: Rounding | None  # None: terms
    interval: str  # what the rounding was made of
    format: str

    @property
    def identity(self) -> tuple[Hashable, ...]:
        """What decides which key a document has."""
        return (self.field, self.missing_bucket, self.interval)

    def keys(self, column: ViewColumn) -> list[Any]:
        """Cells of keys: of a date_histogram, the starts of the intervals."""
        if self.rounding is None:
            return column.cells
        down = self.rounding.down
        if column.multi:
            return [c if c is None else tuple(map(down, c)) for c in column.cells]
        return [c if c is None else down(c) for c in column.cells]

    def shown(self, value: Any, field: Field | None) -> Any:
        if value is None or field is None:
            return None
        if field.kind is Kind.IP:
            return address_text(value)
        if field.kind is Kind.BOOLEAN:
            return bool(value)
        if field.kind is Kind.DATE and self.format:
            zone = self.rounding.zone if self.rounding else datemath.zone_of("UTC")
            return datemath.render(value, zone=zone, formats=self.format)
        return value

    def parsed(self, value: Any, field: Field | None, where: str) -> Any:
        """A value of `after` in the form of the keys."""
        if value is None:
            if not self.missing_bucket:
                raise wrong(f"after: null for {self.name}", where)
            return None
        try:
            match field.kind if field is not None else None:
                case Kind.LONG:
                    return int(number(value))
                case Kind.DOUBLE:
                    return float(number(value))
                case Kind.BOOLEAN:
                    return boolean(value)
                case Kind.IP:
                    return address(value)
                case Kind.DATE:
                    if self.format and isinstance(value, str):
                        zone = self.rounding.zone if self.rounding else datemath.zone_of("UTC")
                        return datemath.parse(value, zone=zone, formats=self.format)
                    return int(number(value))
                case _:
                    return text_form(value)
        except (Malformed, QueryError) as problem:
            raise wrong(f"after: {problem}", where) from None

    def compare(self, a: Any, b: Any) -> int:
        if a == b:
            return 0
        if a is None or b is None:
            first = (a is None) == self.missing_first
            return -1 if first else 1
        return -1 if (a < b) != self.descending else 1


@dataclass(frozen=True, slots=True)
class _Composite:
    sources: tuple[_Source, ...]
    size: int
    after: dict[str, Any] | None
    where: str
    sub: Aggs

    def run(self, run: Run, documents: Documents) -> Result:
        columns = [run.view.column(s.field, s.where) for s in self.sources]
        for source, column in zip(self.sources, columns, strict=True):
            kind = column.kind(source.where)
            if source.rounding is not None and kind not in (None, Kind.DATE):
                raise wrong(f"{source.field} is no date", source.where)
        first = self.sources[0]
        if (
            columns[0].multi
            and columns[0].kind(first.where) in (Kind.LONG, Kind.DATE)
            and first.field in run.queried
        ):
            # Elasticsearch 9.4 may then leave out a document's values that do not match.
            raise unsupported(
                "composite by a number or date with several values that the query is about",
                first.where,
            )
        key = (run.matching, *(s.identity for s in self.sources))
        groups = run.view.groups(key, lambda: self._group(columns, documents))
        keys = self._sorted(list(groups))
        fields = [column.field for column in columns]
        if self.after is not None:
            after = tuple(
                s.parsed(self.after[s.name], f, f"{self.where}.after.{s.name}")
                for s, f in zip(self.sources, fields, strict=True)
            )
            keys = keys[bisect_right(keys, self._rank(after), key=self._rank) :]
        page = keys[: self.size]
        run.count(len(page), self.where)
        buckets: list[Result] = []
        for key in page:
            found = groups[key]
            shown = {
                s.name: s.shown(v, f) for s, v, f in zip(self.sources, key, fields, strict=True)
            }
            bucket: Result = {"key": shown, "doc_count": len(found)}
            if self.sub.parts:
                bucket.update(self.sub.run(run, found))
            buckets.append(bucket)
        result: Result = {}
        if buckets:
            # Of the page as it was found: a selector that drops the last bucket keeps its key.
            result["after_key"] = dict(buckets[-1]["key"])
        result["buckets"] = self.sub.finish(buckets)
        return result

    def _group(
        self, columns: list[ViewColumn], documents: Documents
    ) -> dict[tuple[Any, ...], Documents]:
        cells = [s.keys(c) for s, c in zip(self.sources, columns, strict=True)]
        groups: dict[tuple[Any, ...], Documents] = {}
        if not any(column.multi for column in columns):
            strict = [i for i, s in enumerate(self.sources) if not s.missing_bucket]
            rows: Iterable[tuple[Any, ...]] = zip(
                *(map(c.__getitem__, documents) for c in cells), strict=True
            )
            complete = all(columns[i].complete for i in strict)
            for key, document in zip(rows, documents, strict=True):
                if not complete and any(key[i] is None for i in strict):
                    continue
                if key in groups:
                    groups[key].append(document)
                else:
                    groups[key] = [document]
            return groups
        for document in documents:
            choices: list[Iterable[Any]] = []
            for source, column, keys in zip(self.sources, columns, cells, strict=True):
                cell = keys[document]
                if cell is None:
                    choices.append((None,) if source.missing_bucket else ())
                else:
                    choices.append(dict.fromkeys(cell) if column.multi else (cell,))
            for key in product(*choices):
                groups.setdefault(key, []).append(document)
        return groups

    def _rank(self, key: tuple[Any, ...]) -> Any:
        return cmp_to_key(self._compare)(key)

    def _compare(self, a: tuple[Any, ...], b: tuple[Any, ...]) -> int:
        for source, left, right in zip(self.sources, a, b, strict=True):
            order = source.compare(left, right)
            if order:
                return order
        return 0

    def _sorted(self, keys: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        plain = not any(s.descending or s.missing_bucket for s in self.sources)
        return sorted(keys) if plain else sorted(keys, key=self._rank)

    def number(self, result: Result, path: list[str], where: str) -> tuple[float, bool]:
        return no_number(result, path, where)


_TERMS = frozenset({"field", "order", "missing_bucket", "missing_order"})
_INTERVAL = ("fixed_interval", "calendar_interval", "offset", "time_zone")
_DATES = _TERMS | {*_INTERVAL, "format"}


def _source(name: str, spec: Any, where: str) -> _Source:
    kind, body = single(spec, where)
    at = f"{where}.{kind}"
    known: dict[str, frozenset[str]] = {"terms": _TERMS, "date_histogram": _DATES}
    if kind not in known:
        raise unsupported(f"composite source '{kind}'", at)
    only(mapping(body, at), known[kind], at)
    if not isinstance(body.get("field"), str):
        raise wrong("a field is missing", at)
    order = str(body.get("order", "asc")).lower()
    if order not in ("asc", "desc"):
        raise wrong(f"order '{order}'", f"{at}.order")
    missing = str(body.get("missing_order", "default")).lower()
    if missing not in ("default", "first", "last"):
        raise wrong(f"missing_order '{missing}'", f"{at}.missing_order")
    return _Source(
        name,
        body["field"],
        at,
        order == "desc",
        flag(body.get("missing_bucket", False), f"{at}.missing_bucket"),
        missing == "first" or (missing == "default" and order == "asc"),
        rounding(body, at) if kind == "date_histogram" else None,
        repr([body.get(name) for name in _INTERVAL]) if kind == "date_histogram" else "",
        body.get("format", ""),
    )


def build(body: Any, where: str, now: float, sub: Aggs) -> Agg:
    """Read a composite aggregation."""
    only(body, frozenset({"sources", "size", "after"}), where)
    specs = body.get("sources")
    if not isinstance(specs, list) or not specs:
        raise wrong("sources is a list of one or more", f"{where}.sources")
    sources = []
    for i, one in enumerate(specs):
        name, spec = single(one, f"{where}.sources[{i}]")
        sources.append(_source(name, spec, f"{where}.sources[{i}].{name}"))
    if len({s.name for s in sources}) != len(sources):
        raise wrong("two sources of one name", f"{where}.sources")
    after = body.get("after")
    if after is not None and set(mapping(after, f"{where}.after")) != {s.name for s in sources}:
        raise wrong("after needs a value for each source", f"{where}.after")
    size = whole(body.get("size", 10), f"{where}.size")
    if not 1 <= size <= MAX_BUCKETS:
        raise wrong(f"size is between 1 and {MAX_BUCKETS}", f"{where}.size")
    return _Composite(tuple(sources), size, dict(after) if after is not None else None, where, sub)
