"""Buckets by query or value: filter, filters, missing, terms."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sre_obs.query.search import patterns
from sre_obs.query.search.aggs.types import Agg, Aggs, Documents, Result, Run, key_of, key_text
from sre_obs.query.search.mapping import Field, Kind
from sre_obs.query.search.queries import build as build_query
from sre_obs.query.search.queries.types import Query
from sre_obs.query.search.refuse import mapping, only, unsupported, whole, wrong
from sre_obs.query.search.values import Malformed, address, boolean, number, text_form


def bucket_number(sub: Aggs, result: Result, path: list[str], where: str) -> tuple[float, bool]:
    """A path into a single bucket: its count or a number of its sub-aggregations."""
    if not path:
        raise wrong("buckets_path ends at a bucket: add >metric or >_count", where)
    return sub.number(result, path, where)


def no_number(result: Result, path: list[str], where: str) -> tuple[float, bool]:
    raise unsupported("buckets_path into several buckets", where)


@dataclass(frozen=True, slots=True)
class _Filter:
    query: Query
    sub: Aggs

    def run(self, run: Run, documents: Documents) -> Result:
        flags = run.flags(self.query)
        found = [d for d in documents if flags[d]]
        return {"doc_count": len(found), **self.sub.run(run, found)}

    def number(self, result: Result, path: list[str], where: str) -> tuple[float, bool]:
        return bucket_number(self.sub, result, path, where)


@dataclass(frozen=True, slots=True)
class _Missing:
    field: str
    where: str
    sub: Aggs

    def run(self, run: Run, documents: Documents) -> Result:
        column = run.view.column(self.field, self.where)
        if column.kind(self.where) is None and self.sub.parts:
            # Elasticsearch 9.4 counts documents of other buckets in there.
            raise unsupported("aggregations in missing of an unmapped field", self.where)
        cells = column.cells
        found = [d for d in documents if cells[d] is None]
        return {"doc_count": len(found), **self.sub.run(run, found)}

    def number(self, result: Result, path: list[str], where: str) -> tuple[float, bool]:
        return bucket_number(self.sub, result, path, where)


@dataclass(frozen=True, slots=True)
class _Filters:
    queries: tuple[tuple[str, Query], ...]
    keyed: bool
    other: str | None
    sub: Aggs

    def run(self, run: Run, documents: Documents) -> Result:
        buckets: list[Result] = []
        rest = dict.fromkeys(documents) if self.other is not None else {}
        for _, query in self.queries:
            flags = run.flags(query)
            found = [d for d in documents if flags[d]]
            buckets.append({"doc_count": len(found), **self.sub.run(run, found)})
            if rest:
                for document in found:
                    rest.pop(document, None)
        names = [name for name, _ in self.queries]
        if self.other is not None:
            names.append(self.other)
            left = list(rest)
            buckets.append({"doc_count": len(left), **self.sub.run(run, left)})
        if not self.keyed:
            return {"buckets": self.sub.finish(buckets)}
        name_of = {id(bucket): name for name, bucket in zip(names, buckets, strict=True)}
        return {"buckets": {name_of[id(b)]: b for b in self.sub.finish(buckets)}}

    def number(self, result: Result, path: list[str], where: str) -> tuple[float, bool]:
        if not self.keyed or len(path) < 2:
            return no_number(result, path, where)
        bucket = result["buckets"].get(path[0])
        if bucket is None:
            raise wrong(f"buckets_path: no filter [{path[0]}]", where)
        return self.sub.number(bucket, path[1:], where)


@dataclass(frozen=True, slots=True)
class _Order:
    """One criterion: _count, _key, or a path into the sub-aggregations."""

    path: tuple[str, ...]
    descending: bool


_SURE = (_Order(("_count",), True), _Order(("_key",), True), _Order(("_key",), False))


@dataclass(frozen=True, slots=True)
class _Terms:
    field: str
    where: str
    sub: Aggs
    size: int
    shard_size: int
    order: tuple[_Order, ...]
    include: Callable[[Field], Callable[[Any], bool]] | None
    missing: Any

    def run(self, run: Run, documents: Documents) -> Result:
        column = run.view.column(self.field, self.where)
        kind = column.kind(self.where)
        empty: Result = {"doc_count_error_upper_bound": 0, "sum_other_doc_count": 0, "buckets": []}
        if column.field is None or kind is None:
            if self.missing is not None:
                raise unsupported("missing on an unmapped field", f"{self.where}.missing")
            return empty
        field = column.field
        missing = None if self.missing is None else _parsed(self.missing, field, self.where)
        by_sub = any(o.path[0] not in ("_count", "_key") for o in self.order)
        counts: dict[Any, int]
        groups: dict[Any, Documents] = {}
        if self.sub.parts:
            groups = group(column.cells, documents, multi=column.multi, missing=missing)
            counts = {value: len(found) for value, found in groups.items()}
        else:
            counts = _count(column.cells, documents, multi=column.multi, missing=missing)
        if self.include is not None:
            test = self.include(field)
            counts = {value: n for value, n in counts.items() if test(value)}
        values = list(counts)
        rows: dict[Any, Result] = {}
        if by_sub:
            rows = {v: self._bucket(run, field, v, counts[v], groups.get(v, [])) for v in values}
        values.sort()
        for criterion in reversed(self.order):
            name = criterion.path[0]
            if name == "_count":
                values.sort(key=counts.__getitem__, reverse=criterion.descending)
            elif name == "_key":
                values.sort(reverse=criterion.descending)
            else:
                values = self._by_metric(values, rows, criterion)
        kept = values[: self.size]
        run.count(len(kept), self.where)
        other = sum(counts[v] for v in values[self.size :])
        buckets = [
            rows[v] if by_sub else self._bucket(run, field, v, counts[v], groups.get(v, []))
            for v in kept
        ]
        # A shard that cut its list in this order can't say what it may have missed.
        unsure = self.order[0] not in _SURE and len(values) >= self.shard_size
        return {
            "doc_count_error_upper_bound": -1 if unsure else 0,
            "sum_other_doc_count": other,
            "buckets": self.sub.finish(buckets),
        }

    def _by_metric(
        self, values: list[Any], rows: dict[Any, Result], criterion: _Order
    ) -> list[Any]:
        numbers = {
            v: self.sub.number(rows[v], list(criterion.path), f"{self.where}.order")[0]
            for v in values
        }
        known = [v for v in values if not math.isnan(numbers[v])]
        known.sort(key=numbers.__getitem__, reverse=criterion.descending)
        unknown = [v for v in values if math.isnan(numbers[v])]
        return unknown + known if criterion.descending else known + unknown

    def _bucket(
        self, run: Run, field: Field, value: Any, count: int, documents: Documents
    ) -> Result:
        bucket: Result = {"key": key_of(value, field)}
        text = key_text(value, field)
        if text is not None:
            bucket["key_as_string"] = text
        bucket["doc_count"] = count
        if self.sub.parts:
            bucket.update(self.sub.run(run, documents))
        return bucket

    def number(self, result: Result, path: list[str], where: str) -> tuple[float, bool]:
        return no_number(result, path, where)


def group(
    cells: list[Any], documents: Iterable[int], *, multi: bool, missing: Any = None
) -> dict[Any, Documents]:
    """Value -> its documents. A document with a value twice is there once."""
    groups: dict[Any, Documents] = {}
    for document in documents:
        cell = cells[document]
        if cell is None:
            if missing is None:
                continue
            cell = (missing,) if multi else missing
        if multi:
            values = cell if len(cell) == 1 else dict.fromkeys(cell)
            for value in values:
                if value in groups:
                    groups[value].append(document)
                else:
                    groups[value] = [document]
        elif cell in groups:
            groups[cell].append(document)
        else:
            groups[cell] = [document]
    return groups


def _count(cells: list[Any], documents: Documents, *, multi: bool, missing: Any) -> dict[Any, int]:
    if multi:
        found = group(cells, documents, multi=True, missing=missing)
        return {value: len(numbers) for value, numbers in found.items()}
    counts: dict[Any, int] = Counter(map(cells.__getitem__, documents))
    absent = counts.pop(None, 0)
    if absent and missing is not None:
        counts[missing] = counts.get(missing, 0) + absent
    return counts


def _parsed(value: Any, field: Field, where: str) -> Any:
    """A value of the request in the form of the field's cells."""
    try:
        match field.kind:
            case Kind.KEYWORD:
                return text_form(value)
            case Kind.LONG:
                return int(number(value))
            case Kind.DOUBLE:
                return float(number(value))
            case Kind.BOOLEAN:
                return boolean(value)
            case Kind.IP:
                return address(value)
            case _:
                raise unsupported(f"a value of type {field.type} here", where)
    except Malformed as problem:
        raise wrong(f"{field.name} is {field.type}: {problem}", where) from None


def _include(body: Any, where: str) -> Callable[[Field], Callable[[Any], bool]] | None:
    tests: list[tuple[bool, Any, str]] = []
    for name, wanted in (("include", True), ("exclude", False)):
        if name in body:
            if not isinstance(body[name], (list, str)):
                raise unsupported(f"{name} by partition", f"{where}.{name}")
            tests.append((wanted, body[name], f"{where}.{name}"))
    if not tests:
        return None

    def build(field: Field) -> Callable[[Any], bool]:
        found: list[tuple[bool, Callable[[Any], bool]]] = []
        for wanted, spec, at in tests:
            if isinstance(spec, list):
                found.append((wanted, {_parsed(v, field, at) for v in spec}.__contains__))
            elif field.kind is Kind.KEYWORD:
                found.append((wanted, patterns.regexp(spec, at)))
            else:
                raise wrong(f"{field.name} is {field.type}: no pattern on it", at)
        return lambda value: all(test(value) is wanted for wanted, test in found)

    return build


def _order(body: Any, where: str) -> tuple[_Order, ...]:
    spec = body.get("order")
    if spec is None:
        return (_Order(("_count",), True),)
    found: list[_Order] = []
    for one in spec if isinstance(spec, list) else [spec]:
        for path, direction in mapping(one, f"{where}.order").items():
            if str(direction).lower() not in ("asc", "desc"):
                raise wrong(f"order '{direction}'", f"{where}.order")
            found.append(_Order(tuple(path.split(">")), str(direction).lower() == "desc"))
    if not found:
        raise wrong("an order without a name", f"{where}.order")
    return tuple(found)


_TERMS = frozenset(
    {
        "field", "size", "min_doc_count", "order", "include", "exclude", "missing",
        "shard_size", "execution_hint", "collect_mode",
    }
)  # fmt: skip


def _terms(body: Any, where: str, now: float, sub: Aggs) -> Agg:
    only(body, _TERMS, where)
    if not isinstance(body.get("field"), str):
        raise wrong("a field is missing", where)
    size = whole(body.get("size", 10), f"{where}.size")
    if size < 1:
        raise wrong("size must be 1 or more", f"{where}.size")
    if body.get("min_doc_count", 1) != 1:
        # What shards cut before the minimum is applied would have to be copied, too.
        raise unsupported("min_doc_count (use a bucket_selector)", f"{where}.min_doc_count")
    return _Terms(
        body["field"],
        where,
        sub,
        size,
        whole(body.get("shard_size", size * 1.5 + 10), f"{where}.shard_size"),
        _order(body, where),
        _include(body, where),
        body.get("missing"),
    )


def _filter(body: Any, where: str, now: float, sub: Aggs) -> Agg:
    if sub.pipelines:
        raise unsupported("a pipeline aggregation in a single bucket", where)
    return _Filter(build_query(body, where, now), sub)


def _missing(body: Any, where: str, now: float, sub: Aggs) -> Agg:
    if sub.pipelines:
        raise unsupported("a pipeline aggregation in a single bucket", where)
    only(body, frozenset({"field"}), where)
    if not isinstance(body.get("field"), str):
        raise wrong("a field is missing", where)
    return _Missing(body["field"], where, sub)


def _filters(body: Any, where: str, now: float, sub: Aggs) -> Agg:
    only(body, frozenset({"filters", "other_bucket", "other_bucket_key"}), where)
    spec = body.get("filters")
    other = body.get("other_bucket_key")
    if other is None and body.get("other_bucket") is True:
        other = "_other_"
    at = f"{where}.filters"
    if isinstance(spec, list):
        queries = tuple((str(i), build_query(q, f"{at}[{i}]", now)) for i, q in enumerate(spec))
        return _Filters(queries, False, other, sub)
    # Elasticsearch sorts the filters by name.
    named = sorted(mapping(spec, at).items())
    queries = tuple((name, build_query(q, f"{at}.{name}", now)) for name, q in named)
    return _Filters(queries, True, other, sub)


BUILDERS: dict[str, Callable[[Any, str, float, Aggs], Agg]] = {
    "terms": _terms,
    "filter": _filter,
    "filters": _filters,
    "missing": _missing,
}
