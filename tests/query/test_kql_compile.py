"""KQL -> DSL, as Kibana writes it. The goldens are read by people: one query each."""

from __future__ import annotations

import json

import pytest

from sre_obs.model.errors import QueryError
from sre_obs.query.kql import compile_kql, parse
from tests.conftest import Golden

TYPES = {
    "@timestamp": "date",
    "host.name": "keyword",
    "message": "text",
    "restarts": "long",
    "ready": "boolean",
    "kubernetes.pod.name": "keyword",
    "kubernetes.pod.ip": "ip",
    "n": "nested",
    "n.name": "keyword",
    "n.count": "long",
    "n.deep": "nested",
    "n.deep.x": "keyword",
}

QUERIES = {
    "keyword": "host.name: web",
    "keyword_quoted": 'host.name: "web 1"',
    "text": "message: disk full",
    "text_quoted": 'message: "disk full"',
    "unknown": 'nobody.knows: x or nobody.knows: "x y"',
    "number": "restarts: 5",
    "boolean": "ready: true",
    "ip": 'kubernetes.pod.ip: "10.0.0.0/8"',
    "date": '@timestamp: "2026-01-31"',
    "range": "restarts >= 5 and restarts < 10",
    "range_date": '@timestamp > "now-1h"',
    "exists": "host.name: *",
    "everything": "*:*",
    "wildcard_keyword": r"host.name: web-*\*",
    "wildcard_text": "message: di* full",
    "any_field": "error",
    "any_field_quoted": '"disk full"',
    "any_field_wildcard": "err-*",
    "list": 'host.name: (web or "db 1" and not cache*)',
    "boolean_structure": "not (host.name: a and restarts: 1) or message: b",
    "field_wildcard": "kubernetes.*: x",
    "field_wildcard_unknown": "no.such.*: x",
    "field_wildcard_nested": "n.*: 5",
    "nested": "n: { name: a and count > 1 }",
    "nested_deep": "n: { deep: { x: a } }",
}


@pytest.mark.parametrize("case", QUERIES)
def test_compiles_as_kibana_does(case: str, golden: Golden) -> None:
    node = parse(QUERIES[case])
    told = {
        "query": QUERIES[case],
        "with types": compile_kql(node, TYPES),
        "without types": compile_kql(node, None),
    }
    text = json.dumps(told, indent=2, ensure_ascii=False) + "\n"
    golden("query", f"kql_{case}", "dsl.json", text)


def test_a_clause_is_a_should_of_one() -> None:
    assert compile_kql(parse("host.name: web"), TYPES) == {
        "bool": {
            "should": [{"term": {"host.name": {"value": "web"}}}],
            "minimum_should_match": 1,
        }
    }
    assert compile_kql(parse("not a: b"), None) == {
        "bool": {
            "must_not": {"bool": {"should": [{"match": {"a": "b"}}], "minimum_should_match": 1}}
        }
    }


def test_a_time_zone_goes_with_dates_that_are_no_numbers() -> None:
    dated = compile_kql(parse('@timestamp: "2026-01-31"'), TYPES, time_zone="Europe/Berlin")
    assert dated["bool"]["should"][0]["range"]["@timestamp"]["time_zone"] == "Europe/Berlin"
    epoch = compile_kql(parse("@timestamp >= 1769860800000"), TYPES, time_zone="Europe/Berlin")
    assert "time_zone" not in epoch["bool"]["should"][0]["range"]["@timestamp"]


@pytest.mark.parametrize(
    ("text", "offset", "length"),
    [("a: 1 and n.name: x", 9, 6), ("n: { host.name: x }", None, 0), ("n: { deep.x: a }", 5, 6)],
)
def test_a_nested_field_stands_in_its_own_group(text: str, offset: int | None, length: int) -> None:
    if offset is None:
        # n.host.name is nobody's field: sent as it is, it matches nothing.
        assert compile_kql(parse(text), TYPES)
        return
    with pytest.raises(QueryError) as caught:
        compile_kql(parse(text), TYPES)
    assert (caught.value.offset, caught.value.length) == (offset, length)
    assert caught.value.remedy


def test_compiling_is_deterministic() -> None:
    shuffled = dict(reversed(list(TYPES.items())))
    node = parse("kubernetes.*: x and n.*: 1")
    assert json.dumps(compile_kql(node, TYPES)) == json.dumps(compile_kql(node, shuffled))
