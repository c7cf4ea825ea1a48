"""date_histogram: buckets by time, gaps filled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sre_obs.model.errors import QueryError
from sre_obs.query import datemath
from sre_obs.query.search.aggs.buckets import no_number
from sre_obs.query.search.aggs.rounding import Rounding, rounding
from sre_obs.query.search.aggs.types import MAX_BUCKETS, Agg, Aggs, Documents, Result, Run
from sre_obs.query.search.mapping import Kind
from sre_obs.query.search.refuse import mapping, only, unsupported, whole, wrong
from sre_obs.query.search.values import text_form


@dataclass(frozen=True, slots=True)
class _DateHistogram:
    field: str
    where: str
    sub: Aggs
    rounding: Rounding
    min_doc_count: int
    bounds: dict[str, Any]
    keyed: bool
    format: str
    order: tuple[str, bool]  # _key or _count, descending

    def run(self, run: Run, documents: Documents) -> Result:
        column = run.view.column(self.field, self.where)
        kind = column.kind(self.where)
        if kind not in (None, Kind.DATE):
            assert column.field is not None
            raise unsupported(f"date_histogram on a {column.field.type}", f"{self.where}.field")
        own = column.field.format if column.field is not None else ""
        down = self.rounding.down
        groups: dict[int, Documents] = {}
        cells = column.cells
        start: int | None
        for document in documents:
            cell = cells[document]
            if cell is None:
                continue
            for start in {down(v) for v in cell} if column.multi else (down(cell),):
                if start in groups:
                    groups[start].append(document)
                else:
                    groups[start] = [document]
        if self.min_doc_count == 0:
            self._fill(run, groups, own)
        buckets: list[Result] = []
        run.count(len(groups), self.where)
        for start in sorted(groups):
            found = groups[start]
            if len(found) >= self.min_doc_count:
                text = datemath.render(start, zone=self.rounding.zone, formats=self.format or own)
                bucket: Result = {"key_as_string": text, "key": start, "doc_count": len(found)}
                if self.sub.parts:
                    bucket.update(self.sub.run(run, found))
                buckets.append(bucket)
        name, descending = self.order
        if name == "_count":
            buckets.sort(key=lambda b: b["doc_count"], reverse=descending)
        elif descending:
            buckets.reverse()
        buckets = self.sub.finish(buckets)
        if self.keyed:
            return {"buckets": {b["key_as_string"]: b for b in buckets}}
        return {"buckets": buckets}

    def _fill(self, run: Run, groups: dict[int, Documents], own: str) -> None:
        low, high = min(groups, default=None), max(groups, default=None)
        bound_low, bound_high = (self._bound(run, name, own) for name in ("min", "max"))
        if bound_low is not None:
            low = bound_low if low is None else min(low, bound_low)
        if bound_high is not None:
            high = bound_high if high is None else max(high, bound_high)
        if low is None or high is None:
            return
        start, made = low, 0
        while start <= high:
            groups.setdefault(start, [])
            start = self.rounding.after(start)
            made += 1
            if made > MAX_BUCKETS:
                raise wrong(f"more than {MAX_BUCKETS} buckets", self.where)

    def _bound(self, run: Run, name: str, own: str) -> int | None:
        value = self.bounds.get(name)
        if value is None:
            return None
        try:
            ms = (
                value
                if isinstance(value, int)
                else datemath.resolve(
                    text_form(value), run.now, zone=self.rounding.zone, formats=self.format or own
                )
            )
        except QueryError as problem:
            raise wrong(problem.message, f"{self.where}.extended_bounds.{name}") from None
        return self.rounding.down(ms)

    def number(self, result: Result, path: list[str], where: str) -> tuple[float, bool]:
        return no_number(result, path, where)


_KNOWN = frozenset(
    {
        "field", "fixed_interval", "calendar_interval", "offset", "time_zone", "format",
        "min_doc_count", "extended_bounds", "keyed", "order",
    }
)  # fmt: skip


def build(body: Any, where: str, now: float, sub: Aggs) -> Agg:
    """Read a date_histogram."""
    only(body, _KNOWN, where)
    if not isinstance(body.get("field"), str):
        raise wrong("a field is missing", where)
    bounds = dict(mapping(body.get("extended_bounds", {}), f"{where}.extended_bounds"))
    only(bounds, frozenset({"min", "max"}), f"{where}.extended_bounds")
    order = ("_key", False)
    if "order" in body:
        found = mapping(body["order"], f"{where}.order")
        name, direction = next(iter(found.items()), ("", ""))
        if len(found) != 1 or name not in ("_key", "_count"):
            raise unsupported(f"order by '{name}'", f"{where}.order")
        order = (name, str(direction).lower() == "desc")
    if not isinstance(body.get("format", ""), str):
        raise wrong("a format is a text", f"{where}.format")
    if body.get("format"):
        datemath.formats_of(body["format"])
    return _DateHistogram(
        body["field"],
        where,
        sub,
        rounding(body, where),
        whole(body.get("min_doc_count", 0), f"{where}.min_doc_count"),
        bounds,
        body.get("keyed") is True,
        body.get("format", ""),
        order,
    )
