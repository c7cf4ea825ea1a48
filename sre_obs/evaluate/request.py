"""Needs -> the bodies of searches: the only place that knows how a need is asked.

- Entities come from a `composite` aggregation in pages of 10,000 groups (on a server with
  fewer it costs no more than one of 1,000; small pages are eight times dearer), fewer where
  buckets nest in it, since a response may hold 65,536.
- Filters that all figures share narrow the search itself; where each figure has some of its
  own, their union does.
- What a row must meet to travel is pushed to the server (`bucket_selector`).
- Times are absolute and in milliseconds, never `now`: catching up asks what would have been
  asked. `size` is 0 except for one newest document and three samples.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sre_obs.evaluate.anchor import anchored
from sre_obs.evaluate.needs import (
    Entities,
    Figure,
    Need,
    Newest,
    Of,
    Samples,
    Span,
    figure,
    values_of,
)
from sre_obs.evaluate.ports import Request
from sre_obs.evaluate.selector import selector

PAGE = 10_000
BUCKETS = 60_000
# So many clauses more cost less than the documents that they keep out.
_UNION = 8
# Values of one field that an entity has within one part: more is no state.
STATES = 10

# What comes out the same for documents without the field as for a value of 0, or first.
_COUNTING = (Of.SUM, Of.CARDINALITY, Of.NEWEST, Of.SLOTS)

# An index without documents may not know the field yet.
_NEWEST_FIRST = {"@timestamp": {"order": "desc", "unmapped_type": "date"}}


def request_of(need: Need, after: Mapping[str, Any] | None = None) -> Request:
    """The request for a need; `after` is the last key of the page before."""
    body: dict[str, Any]
    index = need.span.index
    match need:
        case Newest():
            body = {
                "size": 1,
                "track_total_hits": False,
                "query": _query(need.span, ()),
                "sort": [_NEWEST_FIRST],
                "_source": False,
            }
        case Samples():
            filters = (*_plain(need.filters, need.span.end), *_of_entity(need.group_by, need.key))
            body = {
                "size": need.size,
                "track_total_hits": False,
                "query": _query(need.span, filters),
                "sort": [_NEWEST_FIRST],
                "_source": list(need.fields),
            }
        case _:
            layout = Layout(need)
            index = layout.span.index
            filters = (*layout.filters, *_among(need))
            body = {
                "size": 0,
                "track_total_hits": False,
                "query": _query(layout.span, filters),
                "aggs": _aggregations(need, layout, after),
            }
    return Request(index, body)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a figure is in a bucket: its aggregation's name, and the filter around it."""

    name: str
    group: str


class Layout:
    """How an Entities need is laid out as aggregations."""

    __slots__ = ("aggregations", "filters", "places", "span")

    def __init__(self, need: Entities) -> None:
        own = [_own(need, f) for f in need.figures]
        self.span = need.span
        shared = [f for f in (own[0] if own else []) if all(f in each for each in own)]
        fields = {one.field for one in need.figures}
        if len(fields) == 1 and "" not in fields:
            # Documents without the one field are not even looked at.
            shared = [f for f in shared if f != _exists(*fields)] + [_exists(*fields)]
        rest = [[f for f in each if f not in shared] for each in own]
        distinct: list[list[Mapping[str, Any]]] = []
        for each in rest:
            if each and each not in distinct:
                distinct.append(each)
        self.filters: list[Mapping[str, Any]] = [*_plain(need.filters, need.span.end), *shared]
        if all(rest) and 1 < len(distinct) <= _UNION:
            union = [each[0] if len(each) == 1 else _all(each) for each in distinct]
            self.filters.append({"bool": {"should": union, "minimum_should_match": 1}})
        self.aggregations: dict[str, Any] = {}
        self.places: list[Place] = []
        known: dict[tuple[str, str], Place] = {}
        for number, (one, extra) in enumerate(zip(need.figures, rest, strict=True)):
            group = f"g{distinct.index(extra)}" if extra else ""
            into = self.aggregations
            if group:
                clause = extra[0] if len(extra) == 1 else _all(extra)
                into = into.setdefault(group, {"filter": clause, "aggs": {}})["aggs"]
            if one.of is Of.COUNT:
                self.places.append(Place("_count", group))
                continue
            body = _figure(one, one.span or need.span)
            place = known.setdefault((group, repr(body)), Place(figure(number), group))
            into[place.name] = body
            self.places.append(place)
        for body in self.aggregations.values():
            if body.get("aggs") == {}:
                del body["aggs"]

    def path(self, number: int, of: Figure) -> str:
        """The `buckets_path` of a figure."""
        place = self.places[number]
        name = place.name
        if of.of is Of.PERCENTILE:
            name = f"{name}[{float(of.percent)}]"
        return f"{place.group}>{name}" if place.group else name


def shared_filters(need: Entities) -> list[Mapping[str, Any]]:
    """What narrows all that a need looks at, but for its span."""
    own = [[*need.filters, *one.filters] for one in need.figures]
    return [f for f in own[0] if all(f in each for each in own)] if own else []


def page_size(need: Entities) -> int:
    """Groups a page."""
    nested = sum(_nested(one, one.span or need.span) for one in need.figures)
    return max(1, min(PAGE, BUCKETS // (1 + nested)))


def _nested(one: Figure, span: Span) -> int:
    match one.of:
        case Of.SLOTS:
            return one.parts + 1
        case Of.STEPS | Of.MEANS:
            return _parts(one, span)
        case Of.STATES:
            return _parts(one, span) * (1 + STATES)
        case _:
            return 1 if one.filters else 0


def _parts(one: Figure, span: Span) -> int:
    return math.ceil((span.end - span.start) / one.width) + 1


def _query(span: Span, filters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    wanted = [f for f in filters if f != {"match_all": {}}]
    return {"bool": {"filter": [_between(span), *wanted]}}


def _between(span: Span) -> dict[str, Any]:
    between = {
        "gte": str(millis(span.start)),
        "lt": str(millis(span.end)),
        "format": "epoch_millis",  # whatever format the field's mapping has
    }
    return {"range": {"@timestamp": between}}


def _plain(filters: Sequence[Mapping[str, Any]], end: float) -> list[Mapping[str, Any]]:
    return [anchored(f, end) for f in filters if f != {"match_all": {}}]


def _own(need: Entities, one: Figure) -> list[Mapping[str, Any]]:
    """The filters of a figure beyond the need's."""
    span = one.span or need.span
    own: list[Mapping[str, Any]] = []
    if span.index != need.span.index:
        own.append(_within(span.index))
    if (span.start, span.end) != (need.span.start, need.span.end):
        own.append(_between(span))
    own += _plain(one.filters, span.end)
    if one.field and one.of in _COUNTING:
        own.append(_exists(one.field))
    return own


def _within(index: Sequence[str]) -> dict[str, Any]:
    """Documents of these indices, aliases or data streams alone, where several are searched."""
    each: list[dict[str, Any]] = [
        {"wildcard" if "*" in name else "term": {"_index": {"value": name}}} for name in index
    ]
    if len(each) == 1:
        return each[0]
    return {"bool": {"should": each, "minimum_should_match": 1}}


def _exists(name: str) -> dict[str, Any]:
    return {"exists": {"field": name}}


def _all(clauses: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"bool": {"filter": list(clauses)}}


def _figure(one: Figure, span: Span) -> dict[str, Any]:
    field = {"field": one.field}
    match one.of:
        case Of.PERCENTILE:
            percents = [float(one.percent)]
            return {"percentiles": {**field, "percents": percents, "keyed": False}}
        case Of.SAMPLES:
            return {"value_count": field}
        case Of.NEWEST:
            order = {one.order: {"order": "desc", "unmapped_type": "date"}}
            found = {"size": 1, "sort": [order], "_source": False, "docvalue_fields": [one.field]}
            return {"top_hits": found}
        case Of.SLOTS:
            length = millis(span.end) - millis(span.start)
            return _histogram(span, max(1, math.ceil(length / one.parts)))
        case Of.STEPS:
            inner = {"low": {"min": field}, "high": {"max": field}}
            return {**_histogram(span, millis(one.width)), "aggs": inner}
        case Of.MEANS:
            inner = {"at": {"avg": {"field": "@timestamp"}}, "mean": {"avg": field}}
            return {**_histogram(span, millis(one.width)), "aggs": inner}
        case Of.STATES:
            last = {"max": {"field": "@timestamp"}}
            states = {"terms": {**field, "size": STATES}, "aggs": {"last": last}}
            return {**_histogram(span, millis(one.width)), "aggs": {"states": states}}
        case _:
            return {one.of.value: field}


def _histogram(span: Span, width: int) -> dict[str, Any]:
    return {
        "date_histogram": {
            "field": "@timestamp",
            "fixed_interval": f"{width}ms",
            "offset": f"{millis(span.start) % width}ms",
            "min_doc_count": 1,
        }
    }


def _aggregations(
    need: Entities, layout: Layout, after: Mapping[str, Any] | None
) -> dict[str, Any]:
    inner = layout.aggregations
    if need.keep is not None and need.group_by:
        paths = {figure(n): layout.path(n, one) for n, one in enumerate(need.figures)}
        inner = {**inner, "keep": {"bucket_selector": selector(need.keep, paths)}}
    if not need.group_by:
        return {"all": {"filter": {"match_all": {}}, **({"aggs": inner} if inner else {})}}
    composite: dict[str, Any] = {"size": page_size(need), "sources": _sources(need)}
    if after is not None:
        composite["after"] = dict(after)
    return {"entities": {"composite": composite, **({"aggs": inner} if inner else {})}}


def _sources(need: Entities) -> list[dict[str, Any]]:
    missing = {"missing_bucket": True} if len(need.group_by) > 1 or need.nameless else {}
    return [{name: {"terms": {"field": name, **missing}}} for name in need.group_by]


def _among(need: Entities) -> list[dict[str, Any]]:
    if need.among is None or not need.group_by:
        return []
    keys = [values_of(key) for key in need.among]
    if keys and all(len(values) == 1 and values[0] is not None for values in keys):
        return [{"terms": {need.group_by[0]: [values[0] for values in keys]}}]
    each = [_all(_of_entity(need.group_by, key)) for key in need.among]
    return [{"bool": {"should": each, "minimum_should_match": 1}}]


def _of_entity(group_by: Sequence[str], key: str) -> list[dict[str, Any]]:
    clauses: list[dict[str, Any]] = []
    for name, value in zip(group_by, values_of(key), strict=False):
        if value is None:
            clauses.append({"bool": {"must_not": [{"exists": {"field": name}}]}})
        else:
            clauses.append({"term": {name: {"value": value}}})
    return clauses


def millis(seconds: float) -> int:
    """As Elasticsearch counts."""
    return round(seconds * 1000)
