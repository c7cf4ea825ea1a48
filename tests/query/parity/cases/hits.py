# ruff: noqa: E501  # tables: one row is one case
"""Hits: their order, pages, sources, doc values, totals."""

from __future__ import annotations

from tests.query.parity.cases.documents import Json

CASES: dict[str, Json] = {}


def _add(name: str, body: Json) -> None:
    assert name not in CASES, name
    CASES[name] = body


for _field in ("k", "l", "f", "x", "d", "b", "ip", "i", "o.p.q", "m.keyword"):
    for _options in ({"order": "asc"}, {"order": "desc"}, {"order": "asc", "missing": "_first"},
                     {"order": "desc", "missing": "_first"}, {"order": "asc", "mode": "max"}):  # fmt: skip
        _add(
            f"sort {_field} {_options}",
            {"size": 50, "_source": False, "sort": [{_field: _options}, "_doc"]},
        )
_add("sort by two", {"size": 50, "_source": False, "sort": [{"b": "desc"}, {"k": "asc"}, "_doc"]})
_add("sort by a name", {"size": 50, "_source": False, "sort": "l"})
_add(
    "sort by a date formatted",
    {
        "size": 50,
        "_source": False,
        "sort": [{"d": {"order": "desc", "format": "strict_date_optional_time"}}],
    },
)
_add("sort by text", {"sort": ["t"]})
_add("sort by nothing", {"sort": ["nope"]})
_add(
    "sort by nothing, unmapped_type",
    {"sort": [{"nope": {"unmapped_type": "long"}}, "_doc"], "_source": False},
)
for _page in (
    {"from": 3, "size": 4},
    {"size": 0},
    {"from": 100},
    {"size": 10001},
    {"from": 9999, "size": 2},
    {"size": -1},
):
    _add(f"page {_page}", {**_page, "sort": ["_doc"], "_source": False})
for _source in (
    True, False, "k", ["k", "l"], ["o.*"], ["o"], ["o.p.q"], ["*.a"], ["n.name"], [], {"includes": ["o*"], "excludes": ["o.p"]},
    {"excludes": ["*.name", "t"]}, {"excludes": ["n", "o"]}, ["n"], "nope", {"excludes": ["o.*"]}, {"includes": ["*"], "excludes": ["o.a", "o.p"]}, {"excludes": ["n.name", "n.v", "n.deep"]},
    ["o.p*"], "*", "n*", ["o.p.*"], {"includes": ["n.*"], "excludes": ["n.v"]},
):  # fmt: skip
    _add(f"source {_source}", {"size": 50, "sort": ["_doc"], "_source": _source})
_add(
    "docvalue_fields",
    {
        "size": 50,
        "sort": ["_doc"],
        "_source": False,
        "docvalue_fields": [
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
            "day",
            "b",
            "ip",
            "o.a",
            "o.p.q",
            "nope",
        ],
    },
)
_add(
    "docvalue_fields formatted",
    {
        "size": 50,
        "sort": ["_doc"],
        "_source": False,
        "docvalue_fields": [
            {"field": "d", "format": "epoch_millis"},
            {"field": "day", "format": "yyyy/MM/dd"},
        ],
    },
)
_add("docvalue_fields of text", {"docvalue_fields": ["t"]})
for _track in (True, False, 0, 3, 16, 17):
    _add(f"track_total_hits {_track}", {"size": 0, "track_total_hits": _track})
    _add(
        f"track_total_hits {_track} with a query",
        {"size": 0, "track_total_hits": _track, "query": {"range": {"l": {"gte": 1}}}},
    )
_add(
    "track all with hits", {"size": 3, "sort": ["_doc"], "_source": False, "track_total_hits": True}
)
_add(
    "track all with aggregations",
    {"size": 0, "track_total_hits": True, "aggs": {"m": {"max": {"field": "l"}}}},
)
_add(
    "sort by nothing, unmapped_type keyword",
    {"sort": [{"nope": {"unmapped_type": "keyword"}}, "_doc"], "_source": False},
)
_add(
    "sort by nothing, unmapped_type double",
    {"sort": [{"nope": {"unmapped_type": "double", "order": "desc"}}, "_doc"], "_source": False},
)
_add(
    "sort by nothing, unmapped_type date",
    {"sort": [{"nope": {"unmapped_type": "date"}}, "_doc"], "_source": False},
)
for _after in (1, 2, 3, 100):
    for _more in ({}, {"track_total_hits": True}, {"track_total_hits": False}, {"query": {"range": {"l": {"gte": 1}}}}, {"query": {"term": {"k": "alpha"}}},
                  {"aggs": {"m": {"value_count": {"field": "k"}}}}, {"query": {"range": {"l": {"gte": 1}}}, "aggs": {"m": {"max": {"field": "l"}}}},
                  {"query": {"bool": {"filter": [{"range": {"d": {"gte": "2026-01-01"}}}, {"term": {"b": True}}]}}},
                  {"query": {"bool": {"filter": [{"range": {"d": {"gte": "2026-01-01"}}}, {"term": {"b": True}}]}}, "track_total_hits": False}):  # fmt: skip
        _add(f"terminate_after {_after} {_more}", {"size": 0, "terminate_after": _after, **_more})
_add(
    "collapse",
    {"size": 50, "sort": [{"d": "desc"}], "collapse": {"field": "low"}, "_source": False},
)
_add(
    "collapse a few",
    {
        "size": 3,
        "sort": [{"d": "desc"}],
        "collapse": {"field": "low"},
        "_source": False,
        "docvalue_fields": ["d"],
    },
)
_add(
    "no sort, all alike",
    {"size": 5, "query": {"bool": {"filter": [{"range": {"l": {"gte": 1}}}]}}, "_source": False},
)
_add("no sort, match_all", {"size": 5})
