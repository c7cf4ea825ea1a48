"""Hand-picked documents and requests, by operator. Every name is one test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

MAPPINGS: Json = {
    "properties": {
        "k": {"type": "keyword"},
        "low": {"type": "keyword", "normalizer": "lowercase"},
        "short": {"type": "keyword", "ignore_above": 5},
        "null": {"type": "keyword", "null_value": "NULL"},
        "t": {"type": "text"},
        "m": {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 20}}},
        "l": {"type": "long"},
        "i": {"type": "integer"},
        "y": {"type": "byte"},
        "f": {"type": "float"},
        "h": {"type": "half_float"},
        "x": {"type": "double"},
        "d": {"type": "date"},
        "day": {"type": "date", "format": "yyyy-MM-dd||epoch_second"},
        "b": {"type": "boolean"},
        "ip": {"type": "ip"},
        "o": {
            "properties": {"a": {"type": "keyword"}, "p": {"properties": {"q": {"type": "long"}}}}
        },
        "n": {
            "type": "nested",
            "properties": {
                "name": {"type": "keyword"},
                "v": {"type": "long"},
                "deep": {"type": "nested", "properties": {"z": {"type": "keyword"}}},
            },
        },
        "aka": {"type": "alias", "path": "k"},
    }
}

DOCUMENTS: list[Json] = [
    {"k": "alpha", "low": "Alpha", "t": "The quick brown fox", "m": "Quick brown", "l": 1, "i": 10,
     "f": 0.1, "h": 0.1, "x": 0.1, "d": "2026-01-15T10:00:00Z", "b": True, "ip": "10.0.0.1",
     "o": {"a": "x", "p": {"q": 1}}, "n": [{"name": "a", "v": 1}, {"name": "b", "v": 2}]},
    {"k": "beta", "low": "BETA", "t": "quick, quick! Brown", "m": "a text longer than twenty characters",
     "l": 2, "i": -5, "f": 2.5, "h": 2.5, "x": 2.5, "d": "2026-01-15T10:59:59.999Z", "b": False,
     "ip": "10.0.1.2", "o": {"a": ["x", "y"]}, "n": [{"name": "a", "v": 2}, {"name": "b", "v": 1}]},
    {"k": ["alpha", "gamma"], "t": ["brown fox", "lazy dog"], "l": [3, 1, 3], "i": [7], "f": [1.5, -1.5],
     "d": ["2026-01-16T00:00:00Z", "2026-02-01T00:00:00Z"], "b": [True, False], "ip": ["10.0.0.3", "::1"],
     "n": {"name": "c", "v": [5, 6], "deep": [{"z": "p"}, {"z": "q"}]}},
    {"k": None, "t": None, "l": None, "f": None, "d": None, "b": None, "ip": None, "null": None, "n": None},
    {"k": [], "t": [], "l": [], "d": [], "b": [], "n": []},
    {"k": "", "low": "", "t": "", "m": "", "short": "", "b": ""},
    {},
    {"k": "Alpha", "low": "alphabet", "short": "longer than five", "t": "state_of disk-full: /var/log 95.5%",
     "m": "state", "l": -7, "x": 1e15, "d": "2026-01-31T23:59:59.999Z", "day": "2026-01-31"},
    {"k": "al*pha", "t": "Ünïcode Straße ÉCOLE 日本語 it's", "m": "Éa", "l": "42", "i": "43", "y": 5.9,
     "f": "4.25", "d": 1769860800000, "day": 1769860800, "b": "true"},
    {"k": "al?pha", "short": "five5", "l": 9007199254740993, "x": -0.5, "d": "2026-02-28", "ip": "2001:db8::1"},
    {"k": "path\\to", "t": "foo.bar foo:bar v1.2.3 10:30 a,b 1,000", "l": 0, "i": 0, "f": 0, "x": 0,
     "d": "2025-12-31T23:00:00-05:00", "b": "false"},
    {"k": "zulu with space", "t": "with space", "l": 100, "i": 2147483647, "y": -128, "f": 3.4e38,
     "d": "2026-03-29T01:30:00Z", "o": {"a": None, "p": [{"q": 2}, {"q": [3, 4]}]}},
    {"k": ["b", "a", "b"], "null": ["n", None], "l": [2, 2], "o.a": "dotted", "o": {"p.q": 9},
     "d": "2026-10-25T00:30:00Z", "n": [{"name": "a", "v": 1, "deep": {"z": "q"}}]},
    {"k": 5, "low": True, "t": 77, "m": 1.5, "l": 5, "x": 5, "d": "1970-01-01"},
    {"k": "émile", "low": "ÉMILE", "l": 1, "d": "2026-01-15T10:30:00.123456789Z", "ip": "255.255.255.255"},
    {"k": "line\nbreak", "t": "line\nbreak\tTab", "l": 3, "d": "2026-01-15T11:00:00+01:00", "b": True},
]  # fmt: skip

# Name -> request body.
CASES: dict[str, Json] = {}


def _add(name: str, body: Json) -> None:
    assert name not in CASES, name
    CASES[name] = body


def _query(name: str, query: Json) -> None:
    # Only what matches counts here; hits in document order show which.
    _add(name, {"query": {"bool": {"filter": query}}, "size": 50, "_source": False})


def _queries() -> Iterator[tuple[str, Json]]:
    values: dict[str, list[Any]] = {
        "k": ["alpha", "ALPHA", "", "5", 5, "al*pha", "émile", True, "zulu with space"],
        "aka": ["alpha"],
        "low": ["ALPHA", "alpha", "Éa", "ÉMILE", "émile", True],
        "short": ["five5", "longer than five", ""],
        "null": ["NULL", "n"],
        "t": ["quick", "Quick", "quick brown", "77", "日", "foo.bar"],
        "m": ["quick"],
        "m.keyword": ["Quick brown", "1.5", "a text longer than twenty characters"],
        "l": [1, "1", 1.0, 1.5, "1.0", "abc", "", 9007199254740993, 1e19, "1e2"],
        "i": [10, 3000000000, -5],
        "y": [5, 5.9],
        "f": [0.1, "0.1", 2.5, 1, "NaN", 1e39],
        "h": [0.1, 2.5],
        "x": [0.1, 5, "5", 1e15],
        "d": ["2026-01-15", "2026-01-15T10:00:00Z", "2026-01-15T10", "2026-01", "2026", 2026,
              1769860800000, "1769860800000", "15.01.2026", "2026-02-28||+1d", ""],
        "day": ["2026-01-31", 1769860800, "31.01.2026"],
        "b": [True, False, "true", "false", "", "yes", 1],
        "ip": ["10.0.0.1", "10.0.0.0/24", "::1", "2001:db8::/32", "::ffff:10.0.0.1", "10.0.0", 5],
        "o.a": ["x", "dotted"], "o.p.q": [1, 4, 9], "o": ["x"], "n.name": ["a"], "nope": ["x"],
    }  # fmt: skip
    for field, several in values.items():
        for value in several:
            yield f"term {field} {value!r}", {"term": {field: {"value": value}}}
            yield f"match {field} {value!r}", {"match": {field: value}}
            yield f"phrase {field} {value!r}", {"match_phrase": {field: {"query": value}}}
    for field in (*values, "m.nope", "n", "n.deep", "n.deep.z", "o.*", "m*"):
        yield f"exists {field}", {"exists": {"field": field}}
    for body in (
        {"k": ["alpha", "beta"]}, {"k": []}, {"l": [1, "2", 3.0]}, {"d": ["2026-01-15", "2026-02-28"]},
        {"t": ["quick", "dog"]}, {"ip": ["10.0.0.0/24", "::1"]}, {"b": [True]}, {"nope": ["x"]},
        {"l": ["abc"]}, {"k": [None]}, {"low": ["ALPHA"]}, {"x": [0.1, 5]},
    ):  # fmt: skip
        yield f"terms {body}", {"terms": body}
    for value in ("alpha", "ALPHA", "ÉMILE", "émile", "al*PHA"):
        yield (
            f"term ignoring case {value}",
            {"term": {"k": {"value": value, "case_insensitive": True}}},
        )
    yield "term ignoring case on a number", {"term": {"l": {"value": 1, "case_insensitive": True}}}


def _ranges() -> Iterator[Json]:
    yield from (
        {"l": {"gte": 2}}, {"l": {"gt": 2}}, {"l": {"lt": 2}}, {"l": {"lte": 2}},
        {"l": {"gt": 1, "lt": 3}}, {"l": {"gte": 1.5}}, {"l": {"gt": 1.5}}, {"l": {"lt": 1.5}},
        {"l": {"lte": 1.5}}, {"l": {"gte": "2"}}, {"l": {"gte": "x"}}, {"l": {"gte": None}}, {"l": {}},
        {"l": {"gte": -7.5, "lte": -6.5}}, {"l": {"gte": 1e19}}, {"l": {"gte": 9007199254740993}},
        {"l": {"lte": "-0.5"}}, {"i": {"gt": 3000000000}}, {"i": {"gte": -5, "lt": 10}},
        {"f": {"gt": 0.1}}, {"f": {"gte": 0.1}}, {"f": {"lte": 0.1}}, {"f": {"lt": 0.1}},
        {"h": {"gte": 0.1}}, {"h": {"lte": 0.1}}, {"h": {"lt": 2.5}},
        {"x": {"gte": 0.1, "lte": 5}}, {"x": {"lt": "0.1"}},
        {"k": {"gte": "b"}}, {"k": {"gt": "beta"}}, {"k": {"lt": "a"}}, {"k": {"lte": "alpha"}},
        {"k": {"gte": "é"}}, {"low": {"gte": "B"}}, {"t": {"gte": "quick"}}, {"t": {"gt": "quick", "lt": "t"}},
        {"b": {"gte": True}}, {"b": {"lt": True}}, {"b": {"gte": "false"}},
        {"ip": {"gte": "10.0.0.2"}}, {"ip": {"lt": "10.0.1.0"}}, {"ip": {"gte": "::1", "lte": "::2"}},
        {"ip": {"gt": "10.0.0.1", "lte": "10.0.1.2"}}, {"ip": {"gte": "nope"}}, {"ip": {"gte": "10.0.0.0/24"}},
        {"nope": {"gte": 1}}, {"n.v": {"gte": 1}}, {"o.p.q": {"gte": 3}},
    )  # fmt: skip
    for bound in ("gt", "gte", "lt", "lte"):
        for date in (
            "2026-01-15", "2026-01", "2026", "2026-01-15T10", "2026-01-15T10:59", "2026-01-15T10:59:59",
            "2026-01-15T10:00:00.5Z", "2026-01-15T11:00:00+01:00", 1769860800000, "1769860800000",
            "2026-01-31||/M", "2026-01-15||+1M/d", "2026-01-15||-1d", "2026-01-15T10:20:00||/h",
            "2026-01-31T23:59:59.999Z", "2026-01-15T10:30:00||/w", "2026-03-31||-1M",
            "2026-01-15||+1y/y", "2026-01-15T10:00:00||+90m", "2026-01-15||/D", "2026-01-15||+1", "x", "",
        ):  # fmt: skip
            yield {"d": {bound: date}}
        yield {"d": {bound: "2026-01-15", "time_zone": "+02:00"}}
        yield {"d": {bound: "2026-01-15||/d", "time_zone": "Europe/Berlin"}}
        yield {"d": {bound: "2026-03-29T03:00:00", "time_zone": "Europe/Berlin"}}
        yield {"d": {bound: "2026-03-29T12:00:00||/d", "time_zone": "Europe/Berlin"}}
        yield {"d": {bound: "2026-10-25T12:00:00||-1d", "time_zone": "America/New_York"}}
        yield {"d": {bound: "2026-01-15T10:00:00Z", "time_zone": "+02:00"}}
        yield {"d": {bound: "15/01/2026", "format": "dd/MM/yyyy"}}
        yield {"d": {bound: "2026-01", "format": "yyyy-MM"}}
        yield {"day": {bound: "2026-01-31"}}
        yield {"day": {bound: 1769860800}}
    yield {"d": {"gte": "2026-01-15", "lte": "2026-01-15"}}
    yield {"d": {"gte": "2026-01-15T10:00:00Z", "lt": "2026-01-15T10:59:59.999Z"}}
    yield {"l": {"gte": 1, "time_zone": "+01:00"}}
    yield {"d": {"gte": 2026, "format": "yyyy"}}
    yield {"d": {"gte": 1768435200000, "lt": "1769860800000"}}
    yield {"d": {"gte": 1768435200000, "lt": "2026-01-31"}}
    yield {"d": {"gte": 1768435200000.5}}
    yield {"d": {"gte": "now-1d", "lt": 1769860800000}}
    yield {"day": {"gte": 1769860800, "format": "epoch_second"}}
    yield {"t": {}}
    yield {"k": {}}
    yield {"f": {}}
    yield {"d": {}}
    yield {"k": {"gte": "b", "time_zone": "+01:00"}}
    yield {"k": {"gte": "b", "format": "yyyy"}}
    yield {"ip": {"gte": "::1", "time_zone": "+01:00"}}
    yield {"b": {"gte": True, "format": "yyyy"}}
    yield {"t": {"gte": "b", "format": "yyyy"}}
    yield {"l": {"gte": 1, "format": "yyyy"}}
    yield {"d": {"gte": "2026-01-15", "time_zone": "Mars/Olympus"}}


def _patterns() -> Iterator[tuple[str, Json]]:
    for field in (
        "k",
        "low",
        "t",
        "m",
        "m.keyword",
        "short",
        "l",
        "d",
        "b",
        "ip",
        "nope",
        "n.name",
    ):
        for pattern in ("al*", "AL*", "*", "?????", "*ph?", "a*a", "", "qui*", "*1*"):
            yield f"wildcard {field} {pattern}", {"wildcard": {field: {"value": pattern}}}
        for text in ("al", "AL", "", "qu", "1"):
            yield f"prefix {field} {text!r}", {"prefix": {field: {"value": text}}}
    for pattern in (
        "al\\*pha",
        "al\\?pha",
        "path\\\\to",
        "*with s*",
        "é*",
        "É*",
        "line?break",
        "al\\pha",
        "a*\\",
        "\\",
    ):
        yield f"wildcard k {pattern}", {"wildcard": {"k": {"value": pattern}}}
    for pattern in ("AL*", "É*", "*PHA", "?LPHA"):
        yield (
            f"wildcard ignoring case {pattern}",
            {"wildcard": {"k": {"value": pattern, "case_insensitive": True}}},
        )
    yield "wildcard short form", {"wildcard": {"k": "al*"}}
    yield "wildcard old name", {"wildcard": {"k": {"wildcard": "al*"}}}
    yield "prefix ignoring case", {"prefix": {"k": {"value": "AL", "case_insensitive": True}}}
    yield "prefix with wildcard characters", {"prefix": {"k": "al*"}}
    for pattern in (
        "al.*", "a[lb]pha", "[a-c].*", "alpha|beta", "(al|be).*a", "[^a].*", "al\\*pha", "al.pha", "a+",
        "a{1,2}lpha", "^alpha", "alpha$", "line.break", "\\d", ".*\\d.*", ".*\\s.*", "", ".", "é.*", "[",
        "a{2", "(", "path\\\\to", "[a\\-z]+", "al\\?pha", "(a|b)?lpha", "al[*]pha", ".{5}", "al..?ha", "alph[^b]",
    ):  # fmt: skip
        yield f"regexp {pattern}", {"regexp": {"k": {"value": pattern}}}
    yield "regexp ignoring case", {"regexp": {"k": {"value": "AL.*", "case_insensitive": True}}}
    yield "regexp on text", {"regexp": {"t": "qui.*"}}
    yield "regexp on a number", {"regexp": {"l": "1.*"}}


def _text() -> Iterator[tuple[str, Json]]:
    for text in (
        "quick brown", "brown quick", "QUICK fox", "fox dog", "brown fox lazy", "fox lazy", "nope", "", "...",
        "straße", "école", "日本", "it's", "state_of", "disk full", "disk-full", "95.5", "/var/log", "foo bar",
        "foo:bar", "v1.2.3", "10:30", "1,000", "a,b", "tab", "with space",
    ):  # fmt: skip
        for name in ("match", "match_phrase"):
            yield f"{name} {text!r}", {name: {"t": text}}
        yield f"match all of {text!r}", {"match": {"t": {"query": text, "operator": "and"}}}
        yield f"any field {text!r}", {"multi_match": {"query": text, "lenient": True}}
        yield (
            f"any field, phrase {text!r}",
            {"multi_match": {"query": text, "type": "phrase", "lenient": True}},
        )
    for value in ("alpha", 5, True, "2026-01-15", "10.0.0.1", "x"):
        yield f"any field {value!r}", {"multi_match": {"query": value, "lenient": True}}
        yield (
            f"fields k*, l {value!r}",
            {"multi_match": {"query": value, "fields": ["k*", "l"], "lenient": True}},
        )
    yield "multi_match not lenient", {"multi_match": {"query": "alpha", "fields": ["k", "l"]}}
    yield "multi_match boosted", {"multi_match": {"query": "alpha", "fields": ["k^3", "t"]}}
    yield "match lenient on a number", {"match": {"l": {"query": "abc", "lenient": True}}}
    for text in ("al*", "*", "qui*", "Qui*", "al\\*pha", "quick", "quick brown", "zulu with space", "wi* space",
                 "*pha beta", "\\:", "a?pha", "12*", "path\\\\to", "**"):  # fmt: skip
        for field in ("k", "t", "low", "m.keyword", "l", "nope", "d"):
            yield (
                f"query_string {field}: {text}",
                {"query_string": {"fields": [field], "query": text}},
            )
        yield f"query_string any: {text}", {"query_string": {"query": text}}
        yield f"query_string k* t: {text}", {"query_string": {"fields": ["k*", "t"], "query": text}}


def _compound() -> Iterator[tuple[str, Json]]:
    a, b, c = {"term": {"k": "alpha"}}, {"range": {"l": {"gte": 2}}}, {"term": {"b": True}}
    yield "match_all", {"match_all": {}}
    yield "match_none", {"match_none": {}}
    yield "bool empty", {"bool": {}}
    yield "bool must", {"bool": {"must": [a, b]}}
    yield "bool filter object", {"bool": {"filter": a}}
    yield "bool should", {"bool": {"should": [a, b]}}
    yield "bool should beside filter", {"bool": {"should": [a], "filter": [b]}}
    yield (
        "bool should beside must, at least 1",
        {"bool": {"should": [a], "must": [b], "minimum_should_match": 1}},
    )
    yield "bool must_not", {"bool": {"must_not": [a, b]}}
    yield "bool should and must_not", {"bool": {"should": [a, b], "must_not": c}}
    for least in (0, 1, 2, 3, 4, -1, -2, "2", "50%", "67%", "-34%", "100%", "0%"):
        yield (
            f"bool at least {least!r}",
            {"bool": {"should": [a, b, c], "minimum_should_match": least}},
        )
        yield (
            f"bool at least {least!r} with filter",
            {
                "bool": {
                    "should": [a, b, c],
                    "filter": [{"exists": {"field": "l"}}],
                    "minimum_should_match": least,
                }
            },
        )
    yield (
        "bool at least 1 of none beside a filter",
        {"bool": {"filter": [a], "minimum_should_match": 1}},
    )
    yield "bool at least 1 of none", {"bool": {"minimum_should_match": 1}}
    yield "constant_score", {"constant_score": {"filter": a}}
    yield "ids", {"ids": {"values": ["1", "3", "99"]}}
    for name, query in (
        ("term", {"term": {"n.name": "a"}}),
        ("both in one", {"bool": {"must": [{"term": {"n.name": "a"}}, {"term": {"n.v": 2}}]}}),
        ("range", {"range": {"n.v": {"gt": 4}}}),
        ("not", {"bool": {"must_not": {"term": {"n.name": "a"}}}}),
        ("all", {"match_all": {}}),
        ("root field", {"term": {"k": "alpha"}}),
        ("exists", {"exists": {"field": "n.v"}}),
        ("deep inside", {"nested": {"path": "n.deep", "query": {"term": {"n.deep.z": "q"}}}}),
        ("deep field without its nested", {"term": {"n.deep.z": "q"}}),
    ):
        yield f"nested {name}", {"nested": {"path": "n", "query": query}}
    yield (
        "nested straight to deep",
        {"nested": {"path": "n.deep", "query": {"term": {"n.deep.z": "q"}}}},
    )
    yield (
        "nested with score_mode",
        {"nested": {"path": "n", "query": {"match_all": {}}, "score_mode": "none"}},
    )
    yield "nested on no path", {"nested": {"path": "nope", "query": {"match_all": {}}}}
    yield "nested on an object", {"nested": {"path": "o", "query": {"match_all": {}}}}
    yield (
        "nested on no path, ignored",
        {"nested": {"path": "nope", "query": {"match_all": {}}, "ignore_unmapped": True}},
    )
    yield (
        "not nested",
        {"bool": {"must_not": {"nested": {"path": "n", "query": {"term": {"n.name": "a"}}}}}},
    )


for _name, _body in (*_queries(), *_patterns(), *_text(), *_compound()):
    _query(_name, _body)
for _range in _ranges():
    _query(f"range {_range}", {"range": _range})


# -- aggregations

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
    _add(f"agg {name}", body)


NONE = {"match_none": {}}
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
    "params.m > 1 and true", "10 / 4 * 1.0 == 2", "params.m % 1 > 0",
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

# -- hits

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
