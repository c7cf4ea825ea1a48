"""Metrics: avg, sum, min, max, value_count, cardinality, stats, percentiles.

cardinality counts exactly and percentiles interpolates over all values; Elasticsearch
does so for few values and estimates for many (beyond 3,000 and some thousand).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sre_obs.query import datemath
from sre_obs.query.search.aggs.types import Agg, Documents, Result, Run
from sre_obs.query.search.mapping import Kind
from sre_obs.query.search.refuse import only, scalar, unsupported, wrong
from sre_obs.query.search.view import ViewColumn

_NAN = math.nan


def _as_string(value: float, column: ViewColumn) -> str | None:
    field = column.field
    if field is None:
        return None
    if field.kind is Kind.DATE:
        return datemath.render(int(value), formats=field.format)
    if field.kind is Kind.BOOLEAN:
        return "true" if value else "false"
    return None


def _column(run: Run, field: str, name: str, where: str, *, numeric: bool) -> ViewColumn:
    column = run.view.column(field, where)
    kind = column.kind(where)
    if numeric and kind in (Kind.KEYWORD, Kind.IP):
        assert column.field is not None
        raise wrong(f"{field} is {column.field.type}: no {name} of it", where)
    return column


@dataclass(frozen=True, slots=True)
class _Single:
    """One number: `{"value": x}`."""

    name: str
    field: str
    where: str
    compute: Callable[[list[Any]], float | None]
    empty: float  # what a pipeline or an order sees without values
    numeric: bool = True

    def run(self, run: Run, documents: Documents) -> Result:
        column = run.columns.get(id(self))
        if column is None:
            column = _column(run, self.field, self.name, self.where, numeric=self.numeric)
            run.columns[id(self)] = column
        ends = column.rising and self.name in ("max", "min")
        if ends and documents:
            # In the order of this very field, the first and the last say it.
            values = [column.cells[documents[-1 if self.name == "max" else 0]]]
        else:
            values = column.values(documents)
        value = self.compute(values)
        result: Result = {"value": value}
        if (values or self.name == "sum") and value is not None and self.numeric:
            text = _as_string(value, column)
            if text is not None:
                result["value_as_string"] = text
        return result

    def number(self, result: Result, path: list[str], where: str) -> tuple[float, bool]:
        if path not in ([], ["value"]):
            raise wrong(f"buckets_path: {self.name} has no [{'.'.join(path)}]", where)
        value = result["value"]
        return (self.empty if value is None else float(value)), False


def _avg(values: list[Any]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _min(values: list[Any]) -> float | None:
    return float(min(values)) if values else None


def _max(values: list[Any]) -> float | None:
    return float(max(values)) if values else None


_SINGLE: dict[str, tuple[Callable[[list[Any]], float | None], float, bool]] = {
    "avg": (_avg, _NAN, True),
    "sum": (math.fsum, 0.0, True),
    "min": (_min, math.inf, True),
    "max": (_max, -math.inf, True),
    "value_count": (len, 0.0, False),
    "cardinality": (lambda values: len(set(values)), 0.0, False),
}


@dataclass(frozen=True, slots=True)
class _Stats:
    field: str
    where: str

    def run(self, run: Run, documents: Documents) -> Result:
        column = _column(run, self.field, "stats", self.where, numeric=True)
        values = column.values(documents)
        result: Result = {
            "count": len(values),
            "min": _min(values),
            "max": _max(values),
            "avg": _avg(values),
            "sum": math.fsum(values),
        }
        if values and column.field is not None and column.field.kind in (Kind.DATE, Kind.BOOLEAN):
            for name in ("min", "max", "avg", "sum"):
                text = _as_string(result[name], column)
                # Of booleans the server prints true here, not "true".
                boolean = column.field.kind is Kind.BOOLEAN
                result[f"{name}_as_string"] = text == "true" if boolean else text
        return result

    def number(self, result: Result, path: list[str], where: str) -> tuple[float, bool]:
        if len(path) != 1 or path[0] not in ("count", "min", "max", "avg", "sum"):
            raise wrong("buckets_path: stats needs .count, .min, .max, .avg or .sum", where)
        value = result[path[0]]
        if value is None:
            return {"min": math.inf, "max": -math.inf}.get(path[0], _NAN), False
        return float(value), False


_DEFAULT_PERCENTS = (1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0)


@dataclass(frozen=True, slots=True)
class _Percentiles:
    field: str
    where: str
    percents: tuple[float, ...]
    keyed: bool

    def run(self, run: Run, documents: Documents) -> Result:
        column = _column(run, self.field, "percentiles", self.where, numeric=True)
        values = sorted(map(float, column.values(documents)))
        found: list[tuple[float, float | None, str | None]] = []
        for percent in self.percents:
            value = quantile(values, percent / 100) if values else None
            text = _as_string(value, column) if value is not None else None
            found.append((percent, value, text))
        if self.keyed:
            keyed: Result = {}
            for percent, value, text in found:
                keyed[str(percent)] = value
                if text is not None:
                    keyed[f"{percent}_as_string"] = text
            return {"values": keyed}
        rows: list[Result] = []
        for percent, value, text in found:
            row: Result = {"key": percent, "value": value}
            if text is not None:
                row["value_as_string"] = text
            rows.append(row)
        return {"values": rows}

    def number(self, result: Result, path: list[str], where: str) -> tuple[float, bool]:
        try:
            wanted = float(".".join(path))
        except ValueError:
            wanted = _NAN
        if wanted not in self.percents:
            raise wrong(f"buckets_path: percentiles has no [{'.'.join(path)}]", where)
        values = result["values"]
        if self.keyed:
            value = values[str(wanted)]
        else:
            value = next(row["value"] for row in values if row["key"] == wanted)
        return (_NAN if value is None else float(value)), False


def quantile(ordered: list[float], q: float) -> float:
    """Linear interpolation between the two nearest ranks."""
    index = q * (len(ordered) - 1)
    low = math.floor(index)
    if low + 1 >= len(ordered):
        return ordered[-1]
    return ordered[low] + (ordered[low + 1] - ordered[low]) * (index - low)


def _field(body: Any, known: frozenset[str], where: str) -> str:
    only(body, known | {"field"}, where)
    if not isinstance(body.get("field"), str):
        raise wrong("a field is missing", where)
    name: str = body["field"]
    return name


def build(name: str, body: Any, where: str) -> Agg | None:
    """The metric of this name, or None where it is no metric."""
    if name in _SINGLE:
        compute, empty, numeric = _SINGLE[name]
        known = {"precision_threshold"} if name == "cardinality" else set()
        field = _field(body, frozenset(known), where)
        return _Single(name, field, where, compute, empty, numeric)
    if name == "stats":
        return _Stats(_field(body, frozenset(), where), where)
    if name == "percentiles":
        field = _field(body, frozenset({"percents", "keyed", "tdigest"}), where)
        percents = body.get("percents", _DEFAULT_PERCENTS)
        if not isinstance(percents, (list, tuple)) or not percents:
            raise wrong("percents is a list of numbers", f"{where}.percents")
        try:
            ordered = tuple(sorted(float(scalar(p, where)) for p in percents))
            if any(isinstance(p, bool) for p in percents):
                raise TypeError
        except (TypeError, ValueError, OverflowError):
            raise wrong("percents is a list of numbers", f"{where}.percents") from None
        if not (ordered[0] >= 0 and ordered[-1] <= 100):
            raise wrong("a percent is between 0 and 100", f"{where}.percents")
        if len(set(ordered)) != len(ordered):
            raise unsupported("the same percent twice", f"{where}.percents")
        return _Percentiles(field, where, ordered, body.get("keyed", True) is not False)
    return None
