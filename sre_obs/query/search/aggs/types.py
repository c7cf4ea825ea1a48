"""What all aggregations share: their shape, and the running of several over documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any, Protocol, TypeAlias

from sre_obs.query import datemath
from sre_obs.query.search.mapping import Field, Kind
from sre_obs.query.search.queries.types import Query
from sre_obs.query.search.refuse import wrong
from sre_obs.query.search.values import address_text
from sre_obs.query.search.view import View, ViewColumn

Result: TypeAlias = dict[str, Any]
# Ascending numbers of documents of the view.
Documents: TypeAlias = list[int]

# search.max_buckets
MAX_BUCKETS = 65_536


@dataclass(slots=True)
class Run:
    """One execution: the view, the filters evaluated so far, the buckets made so far."""

    view: View
    now: float
    queried: frozenset[str] = frozenset()  # fields whose values the query is about
    matching: int = 0  # the documents that the request finds, as a set of bits
    columns: dict[int, ViewColumn] = field(default_factory=dict)  # by aggregation
    filters: dict[int, bytes] = field(default_factory=dict)
    buckets: int = 0

    def flags(self, query: Query) -> bytes:
        """One byte a document; evaluated once for each query object of the request."""
        found = self.filters.get(id(query))
        if found is None:
            found = self.filters[id(query)] = self.view.flags(query)
        return found

    def count(self, buckets: int, where: str) -> None:
        self.buckets += buckets
        if self.buckets > MAX_BUCKETS:
            raise wrong(f"more than {MAX_BUCKETS} buckets", where)


class Agg(Protocol):
    """One aggregation, read from the request."""

    def run(self, run: Run, documents: Documents) -> Result: ...

    def number(self, result: Result, path: list[str], where: str) -> tuple[float, bool]:
        """What a buckets_path finds in a result, and whether it is a document count."""


Pipeline: TypeAlias = Callable[[list[Result]], list[Result]]


@dataclass(slots=True)
class Aggs:
    """The aggregations of one level, and the pipeline ones that run over their parent's
    buckets."""

    parts: dict[str, Agg] = field(default_factory=dict)
    pipelines: list[Pipeline] = field(default_factory=list)

    def run(self, run: Run, documents: Documents) -> Result:
        return {name: agg.run(run, documents) for name, agg in self.parts.items()}

    def finish(self, buckets: list[Result]) -> list[Result]:
        """Apply the pipelines to the buckets that hold these results."""
        for pipeline in self.pipelines:
            buckets = pipeline(buckets)
        return buckets

    def number(self, bucket: Result, path: list[str], where: str) -> tuple[float, bool]:
        """The number at a path of names (``b>t`` split) within a bucket."""
        head = path[0]
        if head == "_count" and len(path) == 1:
            return float(bucket["doc_count"]), True
        name, key, prop = head, "", ""
        if head not in self.parts:
            if "[" in head:
                name, _, key = head.partition("[")
                key = key.rstrip("]").strip("'\"")
            else:
                name, _, prop = head.rpartition(".")
        if name not in self.parts:
            raise wrong(f"buckets_path: no aggregation [{name}] here", where)
        rest = [part for part in (key, prop) if part] + path[1:]
        return self.parts[name].number(bucket[name], rest, where)


def key_of(value: Any, of: Field, *, formats: str = "", zone: tzinfo = UTC) -> Any:
    """A bucket's key as terms and histograms print it."""
    if of.kind is Kind.IP:
        return address_text(value)
    return value


def key_text(value: Any, of: Field, *, formats: str = "", zone: tzinfo = UTC) -> str | None:
    """`key_as_string`, for the kinds that have one."""
    if of.kind is Kind.DATE:
        return datemath.render(value, zone=zone, formats=formats or of.format)
    if of.kind is Kind.BOOLEAN:
        return "true" if value else "false"
    return None
