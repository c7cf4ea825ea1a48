# ruff: noqa: E501  # tables: one row is one case
"""Documents and requests from a seed: what nobody would have picked by hand."""

from __future__ import annotations

from random import Random
from typing import Any

Json = dict[str, Any]

MAPPINGS: Json = {
    "properties": {
        "@timestamp": {"type": "date"},
        "k": {"type": "keyword"},
        "j": {"type": "keyword"},
        "t": {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 12}}},
        "l": {"type": "long"},
        "i": {"type": "integer"},
        "f": {"type": "float"},
        "x": {"type": "double"},
        "d": {"type": "date"},
        "b": {"type": "boolean"},
        "ip": {"type": "ip"},
        "o": {"properties": {"a": {"type": "keyword"}, "v": {"type": "long"}}},
        "n": {
            "type": "nested",
            "properties": {"name": {"type": "keyword"}, "v": {"type": "long"}},
        },
    }
}

_START = 1_768_435_200_000  # 2026-01-15T00:00:00Z
_NAMES = ["a", "b", "B", "ab", "abc", "a b", "", "é", "É", "z*", "a-b", "a.b", "10", "true", "日本"]
_WORDS = [
    "disk",
    "full",
    "Disk",
    "pod",
    "OOMKilled",
    "10.0.0.1",
    "a.b",
    "x_y",
    "über",
    "on",
    "off-line",
    "it's",
]
_ADDRESSES = [
    "10.0.0.1",
    "10.0.0.2",
    "10.1.0.1",
    "192.168.1.1",
    "::1",
    "2001:db8::1",
    "::ffff:10.0.0.1",
]
_KEYWORDS = ("k", "j", "t.keyword", "o.a")
_NUMBERS = ("l", "i", "f", "x", "o.v")
_METRIC = (*_NUMBERS, "d", "@timestamp", "b")
_GROUPS = (*_KEYWORDS, "l", "i", "b", "ip", "x", "d", "nope")


class Generator:
    """All choices of one seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def documents(self, count: int) -> list[Json]:
        return [self._document(i) for i in range(count)]

    def requests(self, count: int) -> list[Json]:
        return [self._request() for _ in range(count)]

    # -- documents

    def _document(self, number: int) -> Json:
        document: Json = {"@timestamp": _START + number * self._random.choice([0, 1, 997, 60_000])}
        for name in ("k", "j", "t", "l", "i", "f", "x", "d", "b", "ip"):
            self._put(document, name, name)
        if self._chance(0.6):
            inner: Json = {}
            self._put(inner, "a", "k")
            self._put(inner, "v", "l")
            document["o"] = inner if self._chance(0.8) else [inner, {"a": "b", "v": 2}]
        elif self._chance(0.2):
            document["o.a"] = self._value("k")
        if self._chance(0.5):
            nested: list[Json] = []
            for _ in range(self._random.randint(1, 3)):
                one: Json = {}
                self._put(one, "name", "k")
                self._put(one, "v", "l")
                nested.append(one)
            document["n"] = nested if len(nested) > 1 else nested[0]
        return document

    def _put(self, document: Json, name: str, kind: str) -> None:
        dice = self._random.random()
        if dice < 0.15:
            return
        if dice < 0.2:
            document[name] = None
        elif dice < 0.25:
            document[name] = []
        elif dice < 0.4:
            document[name] = [self._value(kind) for _ in range(self._random.randint(1, 3))]
        else:
            document[name] = self._value(kind)

    def _value(self, kind: str) -> Any:
        pick = self._random.choice
        match kind:
            case "k" | "j":
                return pick(_NAMES)
            case "t":
                return " ".join(pick(_WORDS) for _ in range(self._random.randint(0, 4)))
            case "l" | "i":
                return pick([0, 1, 2, 3, 5, -1, 100, "7", 2.9, 2_000_000_000])
            case "f" | "x":
                return pick([0, 0.1, 0.5, 1, 1.5, -2.25, 1e6, 99.9, "0.25"])
            case "d":
                return self._date(stored=True)
            case "b":
                return pick([True, False, "true", "false"])
            case _:
                return pick(_ADDRESSES)

    def _date(self, *, stored: bool = False) -> Any:
        ms = (
            _START
            + self._random.randint(-40, 40) * 3_600_000
            + self._random.choice([0, 1, 999, 59_999])
        )
        day = 15 + self._random.randint(-10, 10)
        forms: list[Any] = [
            ms,
            f"2026-01-{day:02d}",
            f"2026-01-{day:02d}T10:30:00Z",
            f"2026-01-{day:02d}T10:30:15.5+02:00",
        ]
        if not stored:
            forms += [
                f"2026-01-{day:02d}||/d", f"2026-01-{day:02d}T10:31:00||-1h/h", "2026-01", "2026-01-15||+1M/M",
                f"2026-01-{day:02d}T10", "2026-01-15T10:30||+90m", "2026-01-20||/w", str(ms),
            ]  # fmt: skip
        return self._random.choice(forms)

    # -- queries

    def _query(self, depth: int = 0) -> Json:
        if depth < 3 and self._chance(0.45):
            return self._bool(depth)
        return self._leaf(depth)

    def _bool(self, depth: int) -> Json:
        body: Json = {}
        for part in ("must", "filter", "should", "must_not"):
            if self._chance(0.4):
                clauses = [self._query(depth + 1) for _ in range(self._random.randint(1, 3))]
                body[part] = clauses if len(clauses) > 1 or self._chance(0.5) else clauses[0]
        if "should" in body and self._chance(0.4):
            body["minimum_should_match"] = self._random.choice([0, 1, 2, -1, "50%"])
        return {"bool": body}

    def _leaf(self, depth: int) -> Json:
        pick = self._random.choice
        kind = pick(
            ["term"] * 4 + ["terms", "range", "range", "range", "exists", "wildcard", "prefix", "regexp",
             "match", "match", "match_phrase", "multi_match", "query_string", "nested", "ids", "match_all"]
        )  # fmt: skip
        match kind:
            case "term":
                field = pick([*_KEYWORDS, "t", *_NUMBERS, "d", "b", "ip", "nope"])
                return {"term": {field: {"value": self._searched(field)}}}
            case "terms":
                field = pick([*_KEYWORDS, *_NUMBERS, "ip"])
                return {
                    "terms": {
                        field: [self._searched(field) for _ in range(self._random.randint(0, 3))]
                    }
                }
            case "range":
                return {"range": self._range()}
            case "exists":
                return {"exists": {"field": pick([*_GROUPS, "t", "o", "n", "n.v", "@timestamp"])}}
            case "wildcard":
                body: Json = {
                    "value": pick(["a*", "*b", "?", "*", "a?c", "A*", "*日*", "z\\*", "d*k", "1*"])
                }
                if self._chance(0.3):
                    body["case_insensitive"] = True
                return {"wildcard": {pick([*_KEYWORDS, "t", "nope"]): body}}
            case "prefix":
                return {
                    "prefix": {
                        pick([*_KEYWORDS, "t"]): {"value": pick(["a", "A", "", "é", "di", "10"])}
                    }
                }
            case "regexp":
                return {
                    "regexp": {
                        pick([*_KEYWORDS, "t"]): {
                            "value": pick(
                                ["a.*", "[ab]+", "a|b", "(a|d).*", "[^a].*", ".", "\\d+", "é?"]
                            )
                        }
                    }
                }
            case "match" | "match_phrase":
                field = pick(["t", "t", "t", "k", "l", "x", "d", "b", "ip", "nope"])
                value = self._value("t") if field == "t" else self._searched(field)
                inner: Json = {"query": value}
                if kind == "match" and self._chance(0.4):
                    inner["operator"] = "and"
                return {kind: {field: inner}}
            case "multi_match":
                value = pick([self._value("t"), pick(_NAMES), 1, True, "2026-01-15", "10.0.0.1"])
                multi: Json = {
                    "query": value,
                    "lenient": True,
                    "type": pick(["best_fields", "phrase"]),
                }
                if self._chance(0.5):
                    multi["fields"] = pick([["k", "t"], ["t*"], ["l", "k"], ["*"]])
                return {"multi_match": multi}
            case "query_string":
                text = pick(
                    ["a*", "*b", "di* full", "disk", "z\\*", "*", "a\\-b", "1*", "é*", "OOM*"]
                )
                string: Json = {"query": text}
                if self._chance(0.7):
                    string["fields"] = [pick([*_KEYWORDS, "t"])]
                return {"query_string": string}
            case "nested" if depth < 4:
                return {"nested": {"path": "n", "query": self._inside(), "score_mode": "none"}}
            case "ids":
                return {"ids": {"values": [str(self._random.randint(0, 60)) for _ in range(8)]}}
            case _:
                return {"match_all": {}}

    def _inside(self) -> Json:
        pick = self._random.choice
        leaves: list[Json] = [
            {"term": {"n.name": {"value": pick(_NAMES)}}},
            {"range": {"n.v": {"gte": pick([0, 1, 2.5])}}},
            {"exists": {"field": pick(["n.name", "n.v"])}},
            {"bool": {"must_not": {"term": {"n.v": 1}}}},
            {"wildcard": {"n.name": {"value": "a*"}}},
        ]
        first, second = pick(leaves), pick(leaves)
        return (
            first if self._chance(0.5) else {"bool": {pick(["filter", "should"]): [first, second]}}
        )

    def _searched(self, field: str) -> Any:
        kind = field.rpartition(".")[2] if field != "t.keyword" else "k"
        kind = {"a": "k", "v": "l", "keyword": "k", "nope": "k"}.get(kind, kind)
        if kind == "t":
            return self._random.choice(_WORDS).lower()
        if kind == "d":
            return self._date()
        if kind == "ip":
            return self._random.choice([*_ADDRESSES, "10.0.0.0/8", "::/64"])
        if kind in ("l", "i"):
            return self._random.choice([0, 1, 2, "3", 2.5, 5.0, -1])
        return self._value(kind)

    def _range(self) -> Json:
        field = self._random.choice([*_NUMBERS, "d", "d", "@timestamp", "k", "ip", "b", "t"])
        bounds: Json = {}
        for names in (("gt", "gte"), ("lt", "lte")):
            if self._chance(0.7):
                bounds[self._random.choice(names)] = self._bound(field)
        if any(isinstance(bound, str) for bound in bounds.values()) and field in (
            "d",
            "@timestamp",
        ):
            # One number would make the other a number, too: an error, picked by hand elsewhere.
            bounds = {name: str(bound) for name, bound in bounds.items()}
        if field == "d" and self._chance(0.3):
            bounds["time_zone"] = self._random.choice(["+02:00", "Europe/Berlin", "-05:30", "UTC"])
        return {field: bounds}

    def _bound(self, field: str) -> Any:
        if field in ("d", "@timestamp"):
            return self._date()
        if field == "ip":
            return self._random.choice(_ADDRESSES)
        if field == "b":
            return self._chance(0.5)
        if field in ("k", "t"):
            return self._random.choice(["a", "b", "disk", "é", ""])
        return self._random.choice([0, 1, 1.5, -0.5, "2", 100, 0.1])

    # -- aggregations

    def _metric(self) -> tuple[str, Json]:
        name = self._random.choice(
            [
                "avg",
                "sum",
                "min",
                "max",
                "max",
                "value_count",
                "cardinality",
                "stats",
                "percentiles",
            ]
        )
        body: Json = {"field": self._random.choice(_METRIC)}
        if name == "percentiles":
            body["percents"] = self._random.choice([[50], [5, 95], [99.9]])
        return name, {name: body}

    def _sub(self, depth: int) -> Json:
        subs: Json = {}
        for i in range(self._random.randint(0, 2)):
            name, metric = self._metric()
            subs[f"{name}{i}"] = metric
        if depth < 2 and self._chance(0.35):
            subs["inner"] = self._bucket(depth + 1)
        if self._chance(0.4):
            subs["only"] = {
                "filter": self._query(2),
                "aggs": {"top": {"max": {"field": "@timestamp"}}},
            }
            subs["top"] = {"max": {"field": "@timestamp"}}
        return subs

    def _bucket(self, depth: int) -> Json:
        pick = self._random.choice
        kind = pick(
            [
                "terms",
                "terms",
                "filter",
                "filters",
                "missing",
                "date_histogram",
                *(["composite"] * 3 if depth == 0 else []),
            ]
        )
        subs = self._sub(depth)
        body: Json
        match kind:
            case "terms":
                body = {"field": pick(_GROUPS), "size": pick([1, 3, 10, 100])}
                if self._chance(0.4):
                    body["order"] = pick(
                        [
                            {"_key": "asc"},
                            {"_key": "desc"},
                            {"_count": "asc"},
                            [{"_count": "desc"}, {"_key": "desc"}],
                        ]
                    )
            case "filter":
                body = self._query(2)
            case "filters":
                body = {"filters": {"x": self._query(2), "a": self._query(2)}}
                if self._chance(0.4):
                    body["other_bucket"] = True
            case "missing":
                body = {"field": pick([g for g in _GROUPS if g != "nope" or not subs])}
            case "date_histogram":
                body = {
                    "field": pick(["d", "@timestamp"]),
                    **self._interval(),
                    "min_doc_count": pick([0, 1, 1, 2]),
                }
            case _:
                body = {"sources": self._sources(), "size": pick([2, 5, 100])}
        if kind not in ("filter", "missing"):
            self._pipeline(subs)
        return {kind: body, **({"aggs": subs} if subs else {})}

    def _interval(self) -> Json:
        found: Json = self._random.choice(
            [{"fixed_interval": "1h"}, {"fixed_interval": "12h"}, {"calendar_interval": "day"}, {"calendar_interval": "1w"}, {"calendar_interval": "month"}]
        )  # fmt: skip
        found = dict(found)
        if self._chance(0.3):
            zones = (
                ["+02:00", "-03:30"] if "fixed_interval" in found else ["+02:00", "Europe/Berlin"]
            )
            found["time_zone"] = self._random.choice(zones)
        return found

    def _sources(self) -> list[Json]:
        sources: list[Json] = []
        for i in range(self._random.randint(1, 3)):
            if self._chance(0.25):
                spec: Json = {
                    "date_histogram": {
                        "field": "d",
                        "fixed_interval": self._random.choice(["1h", "1d"]),
                    }
                }
            else:
                spec = {
                    "terms": {"field": self._random.choice([g for g in _GROUPS if g != "nope"])}
                }
            inner: Json = next(iter(spec.values()))
            if self._chance(0.3):
                inner["order"] = "desc"
            if self._chance(0.4):
                inner["missing_bucket"] = True
                if self._chance(0.4):
                    inner["missing_order"] = self._random.choice(["first", "last"])
            sources.append({f"s{i}": spec})
        return sources

    def _pipeline(self, subs: Json) -> None:
        paths: Json = {"n": "_count"}
        if "only" in subs:
            paths |= {"b": "only>top", "t": "top"}
        for name in subs:
            if name.startswith(("max", "sum", "avg", "value_count")):
                paths["m"] = name
        if self._chance(0.35):
            scripts = ["params.n > 1"]
            if "b" in paths:
                scripts += ["params.b >= params.t"] * 3
            if "m" in paths:
                scripts += ["params.m > 1", "params.m / params.n < 2 || params.n == 1"]
            subs["keep"] = {
                "bucket_selector": {"buckets_path": paths, "script": self._random.choice(scripts)}
            }
        if "m" in paths and self._chance(0.3):
            script = {
                "buckets_path": {"m": paths["m"], "n": "_count"},
                "script": "params.m / params.n * 2 - 1",
            }
            subs["calc"] = {"bucket_script": script}

    # -- requests

    def _request(self) -> Json:
        body: Json = {"size": 0}
        if self._chance(0.8):
            body["query"] = self._query()
        if self._chance(0.6):
            body["aggs"] = {"a": self._bucket(0)}
            if self._chance(0.3):
                name, metric = self._metric()
                body["aggs"][name] = metric
            return body
        body["size"] = self._random.choice([1, 5, 100])
        field = self._random.choice([*_KEYWORDS, *_METRIC, "ip"])
        body["sort"] = [{field: {"order": self._random.choice(["asc", "desc"])}}, {"_doc": "asc"}]
        body["_source"] = self._random.choice([False, ["k", "o.*"], {"excludes": ["n", "t*"]}])
        body["docvalue_fields"] = self._random.sample([*_GROUPS, "@timestamp", "f"], 2)
        return body

    def _chance(self, share: float) -> bool:
        return self._random.random() < share
