# ruff: noqa: E501  # tables: one row is one case
"""Aggregations by kind, and the scripts of pipelines."""

from __future__ import annotations

from typing import Any

from tests.query.parity.cases.documents import Json

CASES: dict[str, Json] = {}

_METRICS = ("avg", "sum", "min", "max", "value_count", "cardinality", "stats")
_FIELDS = (
    "k",
    "low",
    "m.keyword",
    "l",
    "i",
    "y",
    "f",
    "h",
    "x",
    "d",
    "e",
    "day",
    "b",
    "ip",
    "o.p.q",
    "n.v",
    "nope",
    "t",
)


def _aggregate(name: str, aggs: Json, query: Json | None = None) -> None:
    body: Json = {"size": 0, "aggs": aggs}
    if query is not None:
        body["query"] = query
    assert f"agg {name}" not in CASES, name
    CASES[f"agg {name}"] = body


NONE: Json = {"match_none": {}}
for _field in _FIELDS:
    for _metric in _METRICS:
        _aggregate(f"{_metric} of {_field}", {"a": {_metric: {"field": _field}}})
        _aggregate(f"{_metric} of no {_field}", {"a": {_metric: {"field": _field}}}, NONE)
    _aggregate(
        f"percentiles of {_field}",
        {"a": {"percentiles": {"field": _field, "percents": [0, 10, 50, 99.9, 100]}}},
    )
    _aggregate(f"missing {_field}", {"a": {"missing": {"field": _field}}})
    _aggregate(f"terms {_field}", {"a": {"terms": {"field": _field, "size": 50}}})
    _aggregate(
        f"terms {_field} two by key",
        {"a": {"terms": {"field": _field, "size": 2, "order": {"_key": "desc"}}}},
    )
    for _order in ("asc", "desc"):
        for _missing in (True, False):
            _aggregate(
                f"composite {_field} {_order} {_missing}",
                {"a": {"composite": {"size": 7, "sources": [
                    {"s": {"terms": {"field": _field, "order": _order, "missing_bucket": _missing}}}]}}},
            )  # fmt: skip
_aggregate("percentiles default", {"a": {"percentiles": {"field": "l"}}})
_aggregate(
    "percentiles as a list",
    {"a": {"percentiles": {"field": "l", "percents": [50], "keyed": False}}},
)
_aggregate(
    "percentiles of dates as a list",
    {"a": {"percentiles": {"field": "d", "percents": [50], "keyed": False}}},
)
_aggregate(
    "percentiles of none", {"a": {"percentiles": {"field": "l", "percents": [50, 95]}}}, NONE
)
_aggregate("percentile beyond 100", {"a": {"percentiles": {"field": "l", "percents": [101]}}})

_SUB: Json = {
    "m": {"max": {"field": "l"}},
    "s": {"sum": {"field": "f"}},
    "c": {"value_count": {"field": "d"}},
}
_aggregate("terms with metrics", {"a": {"terms": {"field": "k", "size": 20}, "aggs": _SUB}})
for _by in ("m", "s", "c", "c.value"):
    for _order in ("asc", "desc"):
        _aggregate(
            f"terms by {_by} {_order}",
            {"a": {"terms": {"field": "k", "size": 4, "order": {_by: _order}}, "aggs": _SUB}},
        )
_aggregate(
    "terms by two",
    {"a": {"terms": {"field": "k", "order": [{"_count": "asc"}, {"_key": "desc"}]}}},
)
_aggregate(
    "terms by a nested path",
    {"a": {"terms": {"field": "k", "order": {"f>m": "desc"}},
           "aggs": {"f": {"filter": {"term": {"b": True}}, "aggs": {"m": {"max": {"field": "l"}}}}}}},
)  # fmt: skip
_aggregate(
    "terms by average",
    {
        "a": {
            "terms": {"field": "k", "order": {"v": "desc"}},
            "aggs": {"v": {"avg": {"field": "x"}}},
        }
    },
)
_aggregate(
    "terms by average upwards",
    {"a": {"terms": {"field": "k", "order": {"v": "asc"}}, "aggs": {"v": {"avg": {"field": "x"}}}}},
)
for _by in ("min", "max", "sum", "value_count"):
    for _order in ("asc", "desc"):
        _aggregate(
            f"terms by {_by} of a field that some lack {_order}",
            {"a": {"terms": {"field": "k", "size": 30, "order": {"v": _order}}, "aggs": {"v": {_by: {"field": "x"}}}}},
        )  # fmt: skip
_aggregate(
    "terms by stats",
    {
        "a": {
            "terms": {"field": "k", "order": {"v.avg": "asc"}},
            "aggs": {"v": {"stats": {"field": "l"}}},
        }
    },
)
_aggregate("terms by nothing known", {"a": {"terms": {"field": "k", "order": {"zz": "desc"}}}})
_aggregate("terms of size 0", {"a": {"terms": {"field": "k", "size": 0}}})
_aggregate("terms missing", {"a": {"terms": {"field": "k", "missing": "N/A", "size": 30}}})
_aggregate(
    "terms missing of one value each",
    {"a": {"terms": {"field": "low", "missing": "n/a", "size": 30}}},
)
_aggregate(
    "terms missing a key that is there",
    {"a": {"terms": {"field": "low", "missing": "beta", "size": 30}}},
)
_aggregate("terms missing number", {"a": {"terms": {"field": "l", "missing": 1, "size": 30}}})
_aggregate("terms include list", {"a": {"terms": {"field": "k", "include": ["alpha", "beta"]}}})
_aggregate("terms include pattern", {"a": {"terms": {"field": "k", "include": "al.*"}}})
_aggregate("terms exclude pattern", {"a": {"terms": {"field": "k", "exclude": "al.*", "size": 30}}})
_aggregate(
    "terms include and exclude",
    {"a": {"terms": {"field": "k", "include": ".*a", "exclude": ["beta"]}}},
)
_aggregate("terms include numbers", {"a": {"terms": {"field": "l", "include": [1, 3]}}})
_aggregate(
    "terms in terms", {"a": {"terms": {"field": "k"}, "aggs": {"b": {"terms": {"field": "b"}}}}}
)

_aggregate("filter", {"a": {"filter": {"term": {"k": "alpha"}}, "aggs": _SUB}})
_aggregate("filter of none", {"a": {"filter": NONE, "aggs": _SUB}})
_FILTERS: Json = {
    "z": {"term": {"b": True}},
    "a": {"range": {"l": {"gte": 2}}},
    "all": {"match_all": {}},
}
_aggregate("filters by name", {"a": {"filters": {"filters": _FILTERS}, "aggs": _SUB}})
_aggregate("filters in a list", {"a": {"filters": {"filters": list(_FILTERS.values())}}})
_aggregate(
    "filters and the others",
    {
        "a": {
            "filters": {"filters": {"z": {"term": {"b": True}}}, "other_bucket": True},
            "aggs": _SUB,
        }
    },
)
_aggregate(
    "filters and others by name",
    {"a": {"filters": {"filters": {"z": {"term": {"b": True}}}, "other_bucket_key": "rest"}}},
)
_aggregate(
    "filters list and the others",
    {"a": {"filters": {"filters": [{"term": {"b": True}}], "other_bucket": True}}},
)

for _interval in ({"fixed_interval": "1h"}, {"fixed_interval": "30d"}, {"calendar_interval": "month"},
                  {"calendar_interval": "1w"}, {"calendar_interval": "quarter"}, {"calendar_interval": "year"}):  # fmt: skip
    for _extra in (
        {"min_doc_count": 1}, {"min_doc_count": 1, "time_zone": "+05:30"},
        {"min_doc_count": 2, "offset": "+1h"}, {"min_doc_count": 1, "offset": "-15m", "format": "yyyy-MM-dd HH:mm"},
    ):  # fmt: skip
        _aggregate(
            f"date_histogram {_interval} {_extra}",
            {"a": {"date_histogram": {"field": "d", **_interval, **_extra}}},
        )
_JANUARY = {"range": {"d": {"gte": "2026-01-15", "lt": "2026-01-17"}}}
_HOURLY: Json = {"field": "d", "fixed_interval": "6h"}
_aggregate("date_histogram gaps", {"a": {"date_histogram": _HOURLY, "aggs": _SUB}}, _JANUARY)
_aggregate("date_histogram keyed", {"a": {"date_histogram": {**_HOURLY, "keyed": True}}}, _JANUARY)
_aggregate(
    "date_histogram backwards",
    {"a": {"date_histogram": {**_HOURLY, "order": {"_key": "desc"}}}},
    _JANUARY,
)
_aggregate(
    "date_histogram by count",
    {"a": {"date_histogram": {**_HOURLY, "min_doc_count": 1, "order": {"_count": "desc"}}}},
    _JANUARY,
)
for _bounds in (
    {"min": "2026-01-14", "max": "2026-01-18"},
    {"min": 1768348800000},
    {"max": "2026-01-15||+3d/d"},
    {"min": "x"},
):
    _aggregate(
        f"date_histogram bounds {_bounds}",
        {"a": {"date_histogram": {**_HOURLY, "extended_bounds": _bounds}}},
        _JANUARY,
    )
    _aggregate(
        f"date_histogram only bounds {_bounds}",
        {"a": {"date_histogram": {**_HOURLY, "extended_bounds": _bounds}}},
        NONE,
    )
_aggregate(
    "date_histogram bounds without gaps",
    {
        "a": {
            "date_histogram": {
                **_HOURLY,
                "min_doc_count": 1,
                "extended_bounds": {"min": "2026-01-10"},
            }
        }
    },
    _JANUARY,
)
_aggregate(
    "date_histogram in a zone",
    {
        "a": {
            "date_histogram": {
                "field": "d",
                "calendar_interval": "day",
                "time_zone": "Europe/Berlin",
                "min_doc_count": 1,
            }
        }
    },
)
_aggregate(
    "date_histogram day across the clock change",
    {
        "a": {
            "date_histogram": {
                "field": "d",
                "calendar_interval": "day",
                "time_zone": "Europe/Berlin",
            }
        }
    },
    {"range": {"d": {"gte": "2026-03-25"}}},
)
_aggregate(
    "date_histogram unmapped", {"a": {"date_histogram": {"field": "nope", "fixed_interval": "1h"}}}
)
_aggregate(
    "date_histogram in a terms",
    {"a": {"terms": {"field": "b"}, "aggs": {"h": {"date_histogram": _HOURLY}}}},
    _JANUARY,
)
_aggregate(
    "date_histogram wrong interval",
    {"a": {"date_histogram": {"field": "d", "fixed_interval": "1M"}}},
)
_aggregate(
    "date_histogram two intervals",
    {"a": {"date_histogram": {"field": "d", "fixed_interval": "1h", "calendar_interval": "1h"}}},
)
_aggregate(
    "date_histogram too many buckets",
    {"a": {"date_histogram": {"field": "d", "fixed_interval": "1s"}}},
)


def _composite(
    name: str, *sources: Json, query: Json | None = None, aggs: Json | None = None, **more: Any
) -> None:
    spec: Json = {"composite": {"sources": [{f"s{i}": s} for i, s in enumerate(sources)], **more}}
    if aggs is not None:
        spec["aggs"] = aggs
    _aggregate(f"composite {name}", {"a": spec}, query)


_K: Json = {"terms": {"field": "k"}}
_B: Json = {"terms": {"field": "b", "missing_bucket": True}}
_composite("two", _K, _B, size=100)
_composite("two, first page", _K, _B, size=3)
_composite("two, next page", _K, _B, size=3, after={"s0": "al?pha", "s1": None})
_composite("after a value that is not there", _K, size=3, after={"s0": "am"})
_composite("after the last", _K, size=3, after={"s0": "zzz"})
_composite(
    "descending after", {"terms": {"field": "k", "order": "desc"}}, size=4, after={"s0": "beta"}
)
_composite(
    "missing last",
    {"terms": {"field": "k", "missing_bucket": True, "missing_order": "last"}},
    size=100,
)
_composite(
    "missing last after null",
    {"terms": {"field": "k", "missing_bucket": True, "missing_order": "last"}},
    size=100,
    after={"s0": None},
)
_composite(
    "missing first descending",
    {"terms": {"field": "l", "missing_bucket": True, "missing_order": "first", "order": "desc"}},
    size=100,
)
_composite(
    "missing after null",
    {"terms": {"field": "k", "missing_bucket": True}},
    size=3,
    after={"s0": None},
)
_composite("dates", {"date_histogram": {"field": "d", "fixed_interval": "1d"}}, size=100)
_composite(
    "dates of one value each",
    {"date_histogram": {"field": "day", "calendar_interval": "month"}},
    size=9,
)
_composite(
    "dates formatted",
    {"date_histogram": {"field": "d", "calendar_interval": "month", "format": "yyyy-MM"}},
    size=3,
)
_composite(
    "dates formatted, after",
    {"date_histogram": {"field": "d", "calendar_interval": "month", "format": "yyyy-MM"}},
    size=3,
    after={"s0": "2026-01"},
)
_composite(
    "dates after",
    {"date_histogram": {"field": "d", "fixed_interval": "1d"}},
    size=2,
    after={"s0": 1768435200000},
)
_composite(
    "dates in a zone",
    {
        "date_histogram": {
            "field": "d",
            "fixed_interval": "1d",
            "time_zone": "+02:00",
            "offset": "+1h",
        }
    },
    size=100,
)
_composite(
    "dates missing descending",
    {
        "date_histogram": {
            "field": "d",
            "fixed_interval": "1d",
            "missing_bucket": True,
            "order": "desc",
        }
    },
    _K,
    size=100,
)
_composite("dates in terms", {"terms": {"field": "d"}}, size=5)
_composite(
    "several values on two sides", {"terms": {"field": "k"}}, {"terms": {"field": "l"}}, size=100
)
_composite("after of one source missing", _K, _B, size=3, after={"s0": "al?pha"})
_composite("after null where nothing is missing", _K, size=3, after={"s0": None})
_composite("after of a wrong type", {"terms": {"field": "l"}}, size=3, after={"s0": "abc"})
_composite("ip after", {"terms": {"field": "ip"}}, size=2, after={"s0": "10.0.0.1"})
_composite("boolean after", {"terms": {"field": "b"}}, size=2, after={"s0": False})
_composite("double after", {"terms": {"field": "x"}}, size=2, after={"s0": 0.1})
_composite("none", _K, query=NONE)
_composite("with metrics", _K, size=100, aggs=_SUB)
_composite("dates on a keyword", {"date_histogram": {"field": "k", "fixed_interval": "1d"}})
_aggregate(
    "composite below terms",
    {"a": {"terms": {"field": "b"}, "aggs": {"c": {"composite": {"sources": [{"s": _K}]}}}}},
)


def _select(
    name: str,
    script: Any,
    paths: Any,
    *,
    sub: Json | None = None,
    kind: str = "bucket_selector",
    **more: Any,
) -> None:
    aggs = {**(sub or {"m": {"max": {"field": "l"}}, "f": {"min": {"field": "x"}}}),
            "s": {kind: {"buckets_path": paths, "script": script, **more}}}  # fmt: skip
    _aggregate(
        f"{kind} {name}",
        {"a": {"terms": {"field": "k", "size": 30, "order": {"_key": "asc"}}, "aggs": aggs}},
    )
    _composite(f"{kind} {name}", _K, size=5, aggs=aggs)


_MF = {"m": "m", "f": "f"}
for _script in (
    "params.m > 1", "params.m >= params.f", "params.m != params.f", "params.m == 1", "params.f < 1 || params.m > 90",
    "params.m > 1 && params.f > 1", "!(params.m > 1)", "params.m / 0 > 1", "5 / 2 == 2", "-7 / 2 == -3", "-7 % 3 == -1",
    "params.m % 2 == 1", "params.m * 2 + 1 > 4 - 1", "Math.abs(params.m) > 5", "Math.max(params.m, 2) == 2",
    "Math.min(params.m, params.f) < 1", "params.m > 1 ? params.f > 1 : params.m < 0", "params['m'] > 1", "true",
    "return params.m > 1;", "params.m > 1e2", "params.m > .5", "params.m", "1", "params.m + 1", "params.zz > 1",
    "params.m && true", "1 > 0 ? 1 : 0", "7 % 0 == 1", "params.m == null", "2147483647 + 1 < 0", "params.m > (1",
    "1.0 / 0 > 1", "0 / 5 == 0", "params.m - -1 > 3", "!true", "params.m >= 1 == true", "3 > 2 > 1",
    "params.m <= 1", "params.m < 1", "params.f != null", "params.m > 1 and true", "10 / 4 * 1.0 == 2", "params.m % 1 > 0",
):  # fmt: skip
    _select(f"{_script}", _script, _MF)
for _script in (
    "params.m + params.f", "params.m / params.f", "params.m", "1", "5 / 2", "params.m > 1", "null", "params.m % 3",
    "params.m * 0 / 0", "Math.abs(params.m - params.f)", "-params.m", "params.m > 1 ? 1 : 0", "params.m > 1 ? 1 : null",
):  # fmt: skip
    _select(f"{_script}", _script, _MF, kind="bucket_script")
for _policy in ("skip", "insert_zeros"):
    _select(f"gap {_policy}", "params.f < 1", _MF, gap_policy=_policy)
    _select(f"gap {_policy} kept", "params.f >= 0 || params.f < 0", _MF, gap_policy=_policy)
    _select(f"gap {_policy}", "params.f + 1", _MF, kind="bucket_script", gap_policy=_policy)
_LATEST: Json = {
    "t": {"max": {"field": "d"}},
    "b": {"filter": {"range": {"l": {"gte": 2}}}, "aggs": {"t": {"max": {"field": "d"}}}},
}
_select("newest is the newest match", "params.b >= params.t", {"t": "t", "b": "b>t"}, sub=_LATEST)
_select("of counts", "params.n > 1 && params.b == 0", {"n": "_count", "b": "b>_count"}, sub=_LATEST)
_select(
    "with parameters",
    {"source": "params.t > params.least", "params": {"least": 2}},
    {"t": "b>_count"},
    sub=_LATEST,
)
_select(
    "whole parameters divide whole",
    {"source": "params.a / 2 == 2", "params": {"a": 5}},
    {"t": "_count"},
    sub=_LATEST,
)
_select("of stats", "params.a > 1", {"a": "v.max"}, sub={"v": {"stats": {"field": "l"}}})
_select(
    "of percentiles",
    "params.a > 1",
    {"a": "v.50"},
    sub={"v": {"percentiles": {"field": "l", "percents": [50]}}},
)
_select(
    "of percentiles with a point",
    "params.a > 1",
    {"a": "v.99.5"},
    sub={"v": {"percentiles": {"field": "l", "percents": [99.5]}}},
)
_select(
    "of percentiles in brackets",
    "params.a > 1",
    {"a": "v[99.5]"},
    sub={"v": {"percentiles": {"field": "l", "percents": [99.5]}}},
)
_select("of a value", "params.a > 1", {"a": "v.value"}, sub={"v": {"cardinality": {"field": "l"}}})
_select(
    "of named filters",
    "params.a > 0",
    {"a": "v['x']>_count"},
    sub={"v": {"filters": {"filters": {"x": {"term": {"b": True}}}}}},
)
_select("of an aggregation that is not there", "params.a > 0", {"a": "zz"})
_select("of a bucket", "params.a > 0", {"a": "b"}, sub=_LATEST)
_aggregate(
    "bucket_selector on a bucket_script that is always there",
    {"a": {"terms": {"field": "k", "size": 30}, "aggs": {
        "x": {"bucket_selector": {"buckets_path": {"r": "r"}, "script": "params.r > 3"}},
        "m": {"value_count": {"field": "l"}}, "r": {"bucket_script": {"buckets_path": {"m": "m"}, "script": "params.m * 2"}}}}},
)  # fmt: skip
_aggregate(
    "bucket_selector on a bucket_script",
    {"a": {"terms": {"field": "k"}, "aggs": {
        "x": {"bucket_selector": {"buckets_path": {"r": "r"}, "script": "params.r > 3"}},
        "m": {"max": {"field": "l"}}, "r": {"bucket_script": {"buckets_path": {"m": "m"}, "script": "params.m * 2"}}}}},
)  # fmt: skip
_aggregate(
    "bucket_selector in a date_histogram with gaps",
    {"a": {"date_histogram": _HOURLY, "aggs": {"m": {"sum": {"field": "l"}}, "x": {"bucket_selector": {"buckets_path": {"m": "m", "n": "_count"}, "script": "params.m < 2 || params.n == 0"}}}}},
    _JANUARY,
)  # fmt: skip
_aggregate(
    "bucket_script in a date_histogram with gaps",
    {"a": {"date_histogram": _HOURLY, "aggs": {"m": {"sum": {"field": "l"}}, "x": {"bucket_script": {"buckets_path": {"m": "m"}, "script": "params.m + 1"}}}}},
    _JANUARY,
)  # fmt: skip
_aggregate(
    "bucket_selector at the top",
    {"a": {"bucket_selector": {"buckets_path": {"m": "m"}, "script": "true"}}},
)
_aggregate(
    "bucket_selector in named filters",
    {"a": {"filters": {"filters": _FILTERS}, "aggs": {"m": {"max": {"field": "l"}}, "x": {"bucket_selector": {"buckets_path": {"m": "m"}, "script": "params.m > 50"}}}}},
)  # fmt: skip
_TOP: Json = {
    "size": 2,
    "sort": [{"l": "desc"}, "_doc"],
    "_source": ["k", "l"],
    "docvalue_fields": ["d", "ip", "b"],
}
_aggregate("top_hits", {"a": {"top_hits": _TOP}})
_aggregate(
    "top_hits in terms",
    {
        "a": {
            "terms": {"field": "k", "order": {"_key": "asc"}, "size": 20},
            "aggs": {"t": {"top_hits": _TOP}},
        }
    },
)
_aggregate("top_hits of none", {"a": {"top_hits": _TOP}}, NONE)

# What rules ask for: several measures of one entity in one composite, and which entities are
# worth an answer decided by the server.
_MEASURES: Json = {
    "n": {"value_count": {"field": "l"}},
    "avg": {"avg": {"field": "l"}},
    "least": {"min": {"field": "l"}},
    "most": {"max": {"field": "l"}},
    "kinds": {"cardinality": {"field": "o.a"}},
    "t": {"max": {"field": "d"}},
    "on": {"filter": {"term": {"b": True}}, "aggs": {"t": {"max": {"field": "d"}}, "avg": {"avg": {"field": "l"}},
           "kinds": {"cardinality": {"field": "k"}}, "least": {"min": {"field": "f"}}}},
    "off": {"filter": {"bool": {"must_not": {"term": {"b": True}}}}, "aggs": {"n": {"value_count": {"field": "l"}}}},
}  # fmt: skip
_PATHS = {
    "n": "_count",
    "a": "avg",
    "lo": "least",
    "hi": "most",
    "c": "kinds",
    "t": "t",
    "bt": "on>t",
    "ba": "on>avg",
    "bn": "on>_count",
    "on": "off>n",
}
for _script in (
    "params.hi > params.lo", "params.hi - params.lo >= 2", "params.a / params.n > 1", "params.bt >= params.t",
    "params.n > 1 && params.a > 1 || params.bn == 0", "params.n > 1 && (params.a > 1 || params.bn == 0)",
    "!(params.bn > 0) || params.ba >= 1.5", "params.bn > 0 ? params.ba > 1 : params.a > 1",
    "(params.n > 0 ? params.bn / params.n : 0) >= 0.5", "params.ba * 100 / Math.max(params.a, 1) > 50",
    "Math.abs(params.hi - params.a) < 2.5", "Math.min(params.lo, params.ba) <= 1", "params.c >= 1 && params.on < 2",
    "params.t - params.bt > 60000", "1.8E9 - params.t / 1000 > 3600.0", "params.hi > -1e3 && params.lo < 1e6",
    "(params.hi > params.lo) == (params.n > 1)", "params.on == 0 && params.bn == params.n",
    "params.ba > 0 || !(params.ba > 0)", "params.ba != params.ba", "params.ba == params.ba", "!(params.ba == params.ba)",
):  # fmt: skip
    _composite(
        f"of measures, {_script}",
        _K,
        _B,
        size=100,
        aggs={
            **_MEASURES,
            "keep": {"bucket_selector": {"buckets_path": _PATHS, "script": _script}},
        },
    )
    _composite(
        f"of measures by insert_zeros, {_script}",
        _K,
        size=100,
        aggs={
            **_MEASURES,
            "keep": {
                "bucket_selector": {
                    "buckets_path": _PATHS,
                    "script": _script,
                    "gap_policy": "insert_zeros",
                }
            },
        },
    )
_composite("of measures", _K, _B, size=100, aggs=_MEASURES)
_composite("of measures, pages", _K, _B, size=3, after={"s0": "al?pha", "s1": None}, aggs=_MEASURES)
_composite(
    "over a histogram of each", _K, size=100,
    aggs={"h": {"date_histogram": {"field": "d", "fixed_interval": "1h", "min_doc_count": 1}, "aggs": {"hi": {"max": {"field": "l"}}, "lo": {"min": {"field": "l"}}}}},
)  # fmt: skip
_composite(
    "over a histogram of each with bounds", _B, size=100, query=_JANUARY,
    aggs={"h": {"date_histogram": {"field": "d", "fixed_interval": "6h", "min_doc_count": 0, "extended_bounds": {"min": "2026-01-15T00:00:00Z", "max": "2026-01-16T23:59:59Z"}},
                "aggs": {"hi": {"max": {"field": "l"}}}}},
)  # fmt: skip
_composite(
    "over the newest of each",
    _K,
    size=100,
    aggs={
        "newest": {
            "top_hits": {
                "size": 1,
                "sort": [{"d": "desc"}, "_doc"],
                "_source": False,
                "docvalue_fields": [
                    "l",
                    "b",
                    {"field": "d", "format": "epoch_millis"},
                    "ip",
                    "o.a",
                ],
            }
        }
    },
)
_composite(
    "over the oldest of each",
    _B,
    size=100,
    aggs={
        "oldest": {
            "top_hits": {
                "size": 2,
                "sort": [{"d": {"order": "asc", "missing": "_last"}}, "_doc"],
                "_source": ["k"],
            }
        }
    },
)
_composite(
    "over percentiles of each",
    _K,
    size=100,
    aggs={
        "p": {"percentiles": {"field": "l", "percents": [95]}},
        "keep": {"bucket_selector": {"buckets_path": {"p": "p.95"}, "script": "params.p > 2"}},
    },
)
_composite(
    "over states of each",
    _K,
    {"terms": {"field": "o.a"}},
    size=100,
    aggs={"t": {"max": {"field": "d"}}},
)
