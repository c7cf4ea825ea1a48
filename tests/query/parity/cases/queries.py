# ruff: noqa: E501  # tables: one row is one case
"""Queries by operator, each as a filter: the hits in document order show which match."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.query.parity.cases.documents import Json

CASES: dict[str, Json] = {}


def _query(name: str, query: Json) -> None:
    assert name not in CASES, name
    CASES[name] = {"query": {"bool": {"filter": query}}, "size": 50, "_source": False}


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
        "ip": ["10.0.0.1", "10.0.0.1%eth0", "10.0.0.1%", "10.0.0.0/24", "10.0.0.0/0", "10.0.0.1/32", "10.0.0.77/24", "::/0", "10.0.0.0/33", "::1", "2001:db8::/32", "::ffff:10.0.0.1", "10.0.0", 5],
        "o.a": ["x", "dotted"], "o.p.q": [1, 4, 9], "o": ["x"], "n.name": ["a"], "nope": ["x"],
    }  # fmt: skip
    for field, several in values.items():
        for value in several:
            yield f"term {field} {value!r}", {"term": {field: {"value": value}}}
            yield f"match {field} {value!r}", {"match": {field: value}}
            yield f"phrase {field} {value!r}", {"match_phrase": {field: {"query": value}}}
    for field in (*values, "m.nope", "n", "n.deep", "n.deep.z", "o.*", "m*"):
        yield f"exists {field}", {"exists": {"field": field}}
    body: Json
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
            "2026-07-31||-1M", "2026-05-31||-1M+1M",
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
    for anchor in ("2026-01-15T11:00:37Z||-30m/m", "2026-01-15T11:00:37.5Z||-1h/h", "2026-02-01T00:00:00Z||-1d/d",
                   "2026-01-15T10:59:59.999Z||", "2026-01-15T11:00:37Z||-37s", "2026-01-16T00:00:00.000Z||/d"):  # fmt: skip
        for bound in ("gt", "gte", "lt", "lte"):
            yield {"d": {bound: anchor}}
    yield {"d": {"gte": "2026-01-15T10:30:00.2Z", "lt": "2026-01-15T10:31"}}
    yield {"d": {"gte": "2026-01-15T10:30:00.1Z", "lt": "2026-01-15T10:31"}}
    for bound in ("2026", 2026, "2026-01-31", 1769860800000):
        yield {"e": {"gte": bound}}
    yield {"d": {"gte": "2026-01-15T10:00:00.1234", "lt": "2026-01-15T10:59:59.9999"}}
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
        for text in ("al", "AL", "", "qu", "1", "pha"):
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
