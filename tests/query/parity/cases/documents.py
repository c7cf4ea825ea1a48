# ruff: noqa: E501  # tables: one row is one case
"""The documents of the hand-picked cases: every type, and all that can be odd about a value."""

from __future__ import annotations

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
        "e": {"type": "date"},
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
    {"k": "twice", "b": [True, True, False], "f": [0.5, 0.5], "d": ["2026-05-31", "2026-05-31"]},
    {"k": "line\nbreak", "t": "line\nbreak\tTab", "l": 3, "d": "2026-01-15T11:00:00+01:00", "b": True},
    {"k": "years", "e": 2026, "o": {"p.q": 5}},
    {"k": "milliseconds", "e": 1769860800000},
]  # fmt: skip
