"""Rule files: what a good one gives, and where a bad one is wrong."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.content.rules.load import load_rule, load_rules, parse_rule
from sre_obs.content.rules.schema import RuleShape
from sre_obs.model.expression import Name
from sre_obs.model.problem import Problem
from sre_obs.model.rule import (
    Comparison,
    Flapping,
    Function,
    Level,
    Measure,
    NoData,
    Over,
    Rule,
    RuleKind,
    RuleState,
    Runs,
    Threshold,
)
from sre_obs.query.expression import write
from tests.content.problems import line, lines, pointed

FILE = Path("rules/shop/oom.yml")
GOOD = """\
title: Container out of memory
kind: query
index: metrics-kubernetes.state_container-*
query: 'kubernetes.container.status.reason: OOMKilled'
severity: warning
"""
COUNT = GOOD.replace("kind: query", "kind: threshold") + "threshold: {limit: 5}\n"


def good(text: str) -> Rule:
    rule, problems = parse_rule(text, FILE)
    assert problems == []
    assert rule is not None
    return rule


def found(text: str, **options: object) -> list[Problem]:
    rule, problems = parse_rule(text, FILE, **options)  # type: ignore[arg-type]
    assert rule is None or all(p.severity != "error" for p in problems)
    return problems


def wrong(text: str) -> str:
    (problem,) = found(text)
    return line(problem)


def test_a_short_rule_has_the_documented_defaults() -> None:
    rule = good(GOOD)
    assert rule.id == "shop/oom"
    assert rule.slug == "oom"
    assert rule.kind is RuleKind.QUERY
    assert rule.index == ("metrics-kubernetes.state_container-*",)
    assert rule.query.fields == ("kubernetes.container.status.reason",)
    assert (rule.window, rule.interval, rule.query_delay) == (300.0, 60.0, 30.0)
    assert (rule.for_, rule.keep_firing_for) == (0.0, 0.0)
    assert (rule.no_data, rule.stale_after, rule.forget_after) == (NoData.HOLD, 120.0, 86_400.0)
    assert (rule.state, rule.source, rule.severity) == (RuleState.LIVE, "default", "warning")


def test_a_rule_says_all_that_it_can() -> None:
    rule = good("""\
title: Payments are slow
kind: threshold
source: eu
index: [traces-apm-default, traces-apm-shop]
language: kql
query: 'service.name: payments'
from: now-10m
interval: 1m
query_delay: 2m
group_by: [service.name, transaction.type]
threshold:
  function: percentile
  field: transaction.duration.us
  percent: 95
  comparison: ">"
  limit: 1.5e6
  unit: us
for: 5m
keep_firing_for: 10m
no_data: resolve
stale_after: 1h
state: shadow
severity: critical
owner: team-payments
runbook: https://example.org/slow
labels: {team: payments, release: 1.10}
annotations: {summary: "{{ value }} us"}
evidence: [transaction.name]
""")
    assert rule.threshold == Threshold(
        Function.PERCENTILE, "transaction.duration.us", 95.0, Comparison.GT, 1.5e6, "us"
    )
    assert rule.index == ("traces-apm-default", "traces-apm-shop")
    assert rule.labels == {"team": "payments", "release": "1.10"}
    assert (rule.no_data, rule.state, rule.for_) == (NoData.RESOLVE, RuleState.SHADOW, 300.0)
    assert (rule.source, rule.owner, rule.runbook) == (
        "eu",
        "team-payments",
        "https://example.org/slow",
    )
    assert rule.evidence == ("transaction.name",)


def test_a_message_names_the_line_that_says_what_is_looked_for() -> None:
    assert str(good(GOOD).location) == "rules/shop/oom.yml:4:1"


def test_an_absence_rule_declares_whom_it_expects() -> None:
    rule = good("""\
title: Silent
kind: absence
index: metrics-system.uptime-*
group_by: [host.name]
entities: [{host.name: web-1}, {host.name: web-2}]
forget_after: 7d
severity: critical
""")
    assert rule.entities == ({"host.name": "web-1"}, {"host.name": "web-2"})
    assert rule.forget_after == 7 * 86_400.0
    assert rule.query.dsl == {"match_all": {}}


def test_elasticsearch_s_own_clauses_are_a_query_too() -> None:
    rule = good(
        GOOD.replace(
            "query: 'kubernetes.container.status.reason: OOMKilled'",
            "language: dsl\nquery:\n  bool:\n    filter:\n      - term: {a.b: x}\n"
            "      - range: {c: {gte: 5, lt: 1.5}}\n      - exists: {field: d}\n"
            "    must_not: {terms: {e: [1, true, '2']}}",
        )
    )
    assert rule.query.language == "dsl"
    assert rule.query.fields == ("a.b", "c", "d", "e")
    assert rule.query.dsl == {
        "bool": {
            "filter": [
                {"term": {"a.b": "x"}},
                {"range": {"c": {"gte": 5, "lt": 1.5}}},
                {"exists": {"field": "d"}},
            ],
            "must_not": {"terms": {"e": [1, True, "2"]}},
        }
    }


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "severity:",
            "severty:",
            '6:1+7 rules/unknown-key: no such key: "severty" | write severity',
        ),
        ("warning", "warnig", '5:11+6 rules/wrong-value: "severity" can\'t be "warnig"'
         " | write warning"),
        ("warning", "high", '5:11+4 rules/wrong-value: "severity" can\'t be "high"'
         " | one of: critical, warning, info"),
        ("kind: query", "kind: spike", '2:7+5 rules/wrong-value: "kind" can\'t be "spike"'
         " | one of: query, state, threshold, absence"),
        ("title: Container out of memory\n", "", '1:1+1 rules/missing-key: "title" is missing'
         " | add it"),
        ("title: Container out of memory", "title:", '1:7+1 rules/wrong-value: "title" is empty'
         ' | give it a value, or write ""'),
        ("title: Container out of memory", "title: [a]",
         '1:8+3 rules/wrong-value: "title" must be a text, not a list'),
        ("index: metrics", "index: kibana", '3:8+35 rules/index-not-allowed: '
         '"kibana-kubernetes.state_container-*": not among the index patterns that rules may read'
         " | allowed: metrics-*, logs-*, traces-*; more in the settings, sources.<name>.allow"),
        ("OOMKilled'", "(OOMKilled'", "4:45+1 rules/query-syntax: '(' is never closed"
         " | close it with )"),
        ("query: 'kubernetes.container.status.reason: OOMKilled'\n", "",
         '1:1+1 rules/missing-key: "query" is missing: without it every document would be an alert'
         " | add it"),
        ("query: 'kubernetes.container.status.reason: OOMKilled'", "query: {term: {a: b}}",
         '4:8+14 rules/wrong-value: "query" must be a text in KQL | language: dsl'),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_at_its_character(old: str, new: str, problem: str) -> None:
    text = GOOD.replace(old, new)
    if "severty" in new:
        text = GOOD + "severty: info\n"
    assert wrong(text) == problem


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("for: 5", '6:6+1 rules/wrong-value: "for": "5" is no duration'
         " | it lacks a unit, write 5s or 5m"),
        ("from: 5m", '6:7+2 rules/wrong-value: "from": "5m" is no start of a window'
         " | write now-5m"),
        ("from: now-0s", '6:7+6 rules/wrong-value: "from" must be at least 1s'),
        ("from: now-1y", '6:7+6 rules/wrong-value: "from" must be at most 30d'),
        ("interval: 0s", '6:11+2 rules/wrong-value: "interval" must be at least 1s'),
        ("group_by: host.name", '6:11+9 rules/wrong-value: "group_by" must be a list'
         " | write [ ... ], or a line that begins with - for each"),
        ("group_by: [a, b, a]", '6:18+1 rules/duplicate: "a" twice in group_by | remove one'),
        ("group_by: [a, [b]]", '6:15+3 rules/wrong-value: "group_by" must be a text, not a list'),
        ("runbook: javascript:alert(1)", '6:10+19 rules/wrong-value: "runbook": an address begins '
         "with http:// or https:// | a runbook's text goes under means, look and act"),
        ("runbook: 'http:// x'", '6:10+11 rules/wrong-value: "runbook": an address has no white '
         "space | a runbook's text goes under means, look and act"),
        ("labels: {severity: page}", '6:10+8 rules/reserved-label: "severity" is no free label'
         " | write severity outside of labels"),
        ("labels: {alertname: x}", '6:10+9 rules/reserved-label: "alertname" is no free label'
         " | it is the file's name"),
        ("labels: [a]", '6:9+3 rules/wrong-value: "labels" must be name: value pairs, not a list'),
        ("threshold: {limit: 5}", '6:1+9 rules/wrong-value: "threshold" is for kind threshold, '
         "and this rule is of kind query | remove it, or write kind: threshold"),
        ("entities: [{a: b}]", '6:1+8 rules/wrong-value: "entities" is for kind absence, '
         "and this rule is of kind query | remove it, or write kind: absence"),
        ("annotations:\n  summary: |\n    one\n    {{ value", "9:5+1 rules/template-syntax: "
         "not a template: unexpected end of template, expected 'end of print statement'."
         " | see Jinja2's template syntax"),
        ("window: 5m", '6:1+6 rules/unknown-key: no such key: "window" | write from: now-5m'),
        ("enabled: false", '6:1+7 rules/unknown-key: no such key: "enabled"'
         " | write state: live or state: disabled"),
        ("kind: query", '6:1+4 yaml/duplicate-key: "kind" twice, first in line 2'
         " | keep one of them"),
        ("interval: 5m\nfrom: now-1m", "7:7+6 rules/window-too-short (warning): the window is "
         "shorter than the interval, 5m: documents between two runs are never seen"
         ' | write "from: now-5m" or more'),
        ("from: now-5m\ninterval: 10m\nfor: 20m", "6:7+6 rules/window-too-short (warning): the "
         "window is shorter than the interval, 10m: documents between two runs are never seen"
         ' | write "from: now-10m" or more'),
        ("for: 20s", '6:6+3 rules/for-too-short (warning): "for" is shorter than the interval, 1m'
         ' | write "for: 1m" or more'),
    ],
)  # fmt: skip
def test_a_wrong_key_is_told_at_its_character(more: str, problem: str) -> None:
    assert wrong(GOOD + more) == problem


@pytest.mark.parametrize(
    ("threshold", "problem"),
    [
        ("{limit: 5, feild: a}", '6:23+5 rules/unknown-key: no such key: "feild" | write field'),
        ("{value: 5}", '6:1+9 rules/missing-key: "limit" is missing | add it'),
        ("{limit: five}", '6:20+4 rules/wrong-value: "limit" must be a number, not "five"'
         " | write it in digits: 10 or 0.5"),
        ("{limit: 5, function: rate, field: a}", '6:33+4 rules/wrong-value: "function" can\'t be '
         '"rate" | write increase; a rate is value: name / window'),
        ("{limit: 5, field: a}", '6:23+5 rules/wrong-value: count counts documents and has no '
         '"field" | remove field, or write function: cardinality, avg, sum, min or max'),
        ("{limit: 5, function: avg}", '6:1+9 rules/missing-key: "field" is missing: avg needs it'
         " | add the field to measure"),
        ("{limit: 5, function: percentile, field: a}",
         '6:1+9 rules/missing-key: "percent" is missing | add percent: 95'),
        ("{limit: 5, percent: 95}", '6:23+7 rules/wrong-value: "percent" is for function '
         "percentile, not count | remove"),
        ("{limit: 5, function: percentile, field: a, percent: 101}",
         '6:64+3 rules/wrong-value: "percent" must be at most 100'),
        ("{limit: 5, comparison: '=='}", '6:35+4 rules/wrong-value: "comparison" can\'t be "=="'
         " | one of: >=, >, <=, <"),
        ("5", '6:12+1 rules/wrong-value: "threshold" must be name: value pairs, not a text'),
    ],
)  # fmt: skip
def test_a_threshold_is_checked_as_a_whole(threshold: str, problem: str) -> None:
    text = COUNT.replace("{limit: 5}", threshold)
    assert problem in lines(found(text))


def test_a_threshold_rule_without_its_block_says_so() -> None:
    assert wrong(COUNT.replace("threshold: {limit: 5}\n", "")) == (
        '2:7+9 rules/missing-key: "threshold" is missing: kind threshold needs it'
        " | add threshold: {limit: 5}"
    )


def test_a_declared_entity_has_exactly_the_fields_of_group_by() -> None:
    text = GOOD.replace("kind: query", "kind: absence")
    assert wrong(text + "group_by: [host.name]\nentities:\n  - {host: web-1}\n") == (
        "8:5+13 rules/wrong-value: an entity has exactly the fields of group_by | host.name"
    )


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("{script: {source: x}}", '5:9+6 rules/query-syntax: "script" is not allowed in a rule'),
        ("{terms: {a: {index: .security, id: x, path: y}}}",
         "5:20+34 rules/query-syntax: terms of another index are not allowed | write a list"),
        ("{bool: {filter: [{more_like_this: {like: x}}]}}",
         '5:26+14 rules/query-syntax: "more_like_this" is not allowed in a rule'),
        ("{bool: {filtre: []}}", '5:16+6 rules/query-syntax: no such key in bool: "filtre"'),
        ("{term: {a: b}, range: {c: {gt: 1}}}", "5:8+35 rules/query-syntax: a query clause has "
         "one name, not 2 | put them into bool"),
        ("[1]", "5:8+3 rules/query-syntax: a query clause is a mapping, such as "
         "{term: {field: value}}"),
        ("{nested: {path: a, query: {match_all: {}}, inner_hits: {}}}",
         "5:51+10 rules/query-syntax: inner_hits is not allowed in a rule | remove it"),
    ],
)  # fmt: skip
def test_a_clause_that_could_reach_beyond_the_index_is_refused(query: str, problem: str) -> None:
    text = GOOD.replace(
        "query: 'kubernetes.container.status.reason: OOMKilled'", f"language: dsl\nquery: {query}"
    )
    assert wrong(text).startswith(problem)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("'*'", "every index at once"),
        ("'**'", "every index at once"),
        ("_all", "every index at once"),
        (".security-7", "indices that begin with a dot are Elastic's own"),
        (".ds-logs-a", "indices that begin with a dot are Elastic's own"),
        ("'lo*'", "not among the index patterns that rules may read"),
        ("logs", "not among the index patterns that rules may read"),
        ("'*-logs-*'", "not among the index patterns that rules may read"),
        ("'logs-a,.security'", "several patterns in one text"),
        ("'eu:logs-a-*'", "another cluster's indices"),
        ("'*:logs-a-*'", "another cluster's indices"),
        ("'-logs-a'", "no index begins like that"),
        ("'<logs-{now/d}>'", "not the name of an index"),
        ("'logs-a b'", "not the name of an index"),
        ("'logs-A'", "not the name of an index"),
        ("'../logs-a'", "not the name of an index"),
        ("'logs-?'", "not the name of an index"),
        ("''", "not the name of an index"),
    ],
)
def test_a_rule_reads_only_what_is_allowed(pattern: str, reason: str) -> None:
    text = GOOD.replace("metrics-kubernetes.state_container-*", pattern)
    (problem,) = found(text)
    assert problem.slug == "rules/index-not-allowed"
    assert reason in problem.message
    assert pointed(problem) == pattern


def test_what_is_allowed_is_the_source_s_own_list() -> None:
    allow = {"default": ("logs-*",), "eu": ("metrics-*", "prod-*:metrics-*")}
    assert found(GOOD + "source: eu\n", allow=allow) == []
    assert lines(found(GOOD + "source: us\n", allow=allow)) == [
        '6:9+2 rules/unknown-source: no source is called "us" | one of: default, eu'
    ]
    (problem,) = found(GOOD, allow=allow)
    assert problem.slug == "rules/index-not-allowed"
    remote = GOOD.replace("index: metrics-", "index: 'prod-1:metrics-").replace("-*\n", "-*'\n", 1)
    assert found(remote + "source: eu\n", allow=allow) == []


def test_a_query_s_error_is_found_inside_a_folded_text() -> None:
    text = GOOD.replace(
        "query: 'kubernetes.container.status.reason: OOMKilled'",
        "query: >\n  a: 1\n  and b: (2\n  or 3",
    )
    (problem,) = found(text)
    assert line(problem) == "6:10+1 rules/query-syntax: '(' is never closed | close it with )"
    assert pointed(problem) == "("


def test_every_problem_of_a_file_is_told_at_once() -> None:
    text = GOOD.replace("warning", "warnig") + "for: 5\nfo: 5m\n"
    assert [line(p).split(" ")[0] for p in found(text)] == ["5:11+6", "6:6+1", "7:1+2"]


def test_a_folder_gives_its_rules_by_id_and_leaves_out_the_broken(tmp_path: Path) -> None:
    for name, text in {
        "shop/oom.yml": GOOD,
        "shop/cpu.yaml": GOOD,
        "shop/oom.test.yml": "cases: []",
        "payments/bad.yml": GOOD.replace("kind: query", "kind: qery"),
        "overrides.yml": "rules: {}",
        "README.md": "# Rules",
        "shop/.hidden.yml": "nonsense",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    loaded = load_rules(tmp_path, name="rules")
    assert [rule.id for rule in loaded.rules] == ["shop/cpu", "shop/oom"]
    (problem,) = loaded.problems
    assert str(problem.location) == "rules/payments/bad.yml:2:7"
    assert loaded.rules[1].location.file == "rules/shop/oom.yml"


def test_a_name_is_given_once_since_it_is_the_alert_s(tmp_path: Path) -> None:
    for service in ("a", "b"):
        (tmp_path / service).mkdir()
        (tmp_path / service / "oom.yml").write_text(GOOD, encoding="utf-8")
    loaded = load_rules(tmp_path, name="rules")
    assert [rule.id for rule in loaded.rules] == ["a/oom"]
    assert lines(loaded.problems) == [
        '4:1+5 rules/duplicate: the name "oom" is taken by rules/a/oom.yml'
        " | rename one of the files: the name is the label alertname"
    ]


def test_a_mounted_config_map_gives_each_rule_once_and_a_loop_ends(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    version = shop / "..2026_11_24_06_38"
    version.mkdir(parents=True)
    (version / "oom.yml").write_text(GOOD, encoding="utf-8")
    (shop / "..data").symlink_to(version.name)
    (shop / "oom.yml").symlink_to("..data/oom.yml")
    (shop / "loop").symlink_to("..")
    (shop / "gone.yml").symlink_to("nowhere")
    loaded = load_rules(tmp_path)
    assert [rule.id for rule in loaded.rules] == ["shop/oom"]
    assert [p.message for p in loaded.problems] == ["can't read it: No such file or directory"]


def test_a_folder_that_can_not_be_read_takes_no_other_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for service in ("a", "b"):
        (tmp_path / service).mkdir()
        (tmp_path / service / f"{service}.yml").write_text(GOOD, encoding="utf-8")
    scandir = os.scandir

    def closed(path: Path) -> object:  # root may read everything: no mode would do
        if Path(path).name == "a":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    loaded = load_rules(tmp_path, name="rules")
    assert [rule.id for rule in loaded.rules] == ["b/b"]
    (problem,) = loaded.problems
    assert str(problem.location) == "rules/a:1:1"
    assert problem.message == "can't read the folder: Permission denied"


def test_one_file_anywhere_is_a_rule(tmp_path: Path) -> None:
    file = tmp_path / "Oom Kill.yml"
    file.write_text(GOOD, encoding="utf-8")
    (problem,) = load_rules(file).problems
    assert line(problem) == (
        '1:1+1 rules/name: "Oom Kill" is no name for a rule'
        " | small letters, digits, dots and dashes"
    )
    rule, problems = load_rule(tmp_path / "gone.yml")
    assert rule is None
    assert problems[0].slug == "yaml/unreadable"


def test_an_editor_can_be_given_the_schema() -> None:
    schema = RuleShape.model_json_schema(by_alias=True)
    assert {"from", "for", "threshold"} <= schema["properties"].keys()
    assert schema["required"] == ["title", "kind", "index", "severity"]
    assert schema["additionalProperties"] is False


_KEYS = [name.removesuffix("_") for name in RuleShape.model_fields]
_VALUES = st.recursive(
    st.sampled_from(["5m", "now-5m", "logs-*", "query", "threshold", "a: (", "'", "{{", "~", "5"])
    | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda v: "[" + ", ".join(v) + "]")
        | st.dictionaries(
            st.sampled_from([*_KEYS, "limit", "bool", "term"]), inner, max_size=3
        ).map(lambda d: "{" + ", ".join(f"{k}: {v}" for k, v in d.items()) + "}")
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(_KEYS), _VALUES, max_size=8), st.booleans())
def test_any_rule_file_gives_a_rule_or_problems(values: dict[str, str], base: bool) -> None:
    text = GOOD if base else ""
    text += "".join(f"{key}: {value}\n" for key, value in values.items())
    rule, problems = parse_rule(text, FILE)
    assert rule is not None or problems
    for problem in problems:
        assert problem.location.line >= 1


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_any_text_gives_a_rule_or_problems(text: str | bytes) -> None:
    rule, problems = parse_rule(text, FILE)
    assert rule is not None or problems


MEASURED = """\
title: Memory is near its limit
kind: threshold
index: metrics-shop.memory-*
query: 'team: ${team}'
from: now-5m
group_by: [cluster, pod]
variables: {share: 0.5, team: shop, floor: 10}
measures:
  used: {function: avg, field: used}
  most:
    function: latest
    field: most
    index: [metrics-shop.limit-*]
    query: 'kind: ${team}'
    from: now-1h
    to: now-10m
    by: [cluster]
    series: [uid, node]
    over: max
    order: created
    missing: 0
value: used / most * share
when: most > floor
valid: used > 0
threshold: {comparison: ">=", limit: 0.9, unit: of its limit, clear: 0.85}
levels:
  - {severity: critical, limit: 0.97, for: 2m, comparison: ">", clear: 0.95}
for: 10m
runs: 3 of 5
flapping: true
no_data: alert
severity: warning
runbook:
  means: It will be killed.
  look: kubectl top pod {{ labels.pod }}
  act: Restart it.
  link: https://wiki.example.com/memory
annotations: {action: Call somebody., summary: Full}
"""


def test_a_rule_made_of_measures_is_read_as_it_is_written() -> None:
    rule = good(MEASURED)
    used, most = rule.measures
    assert used == Measure("used", Function.AVG, "used")
    assert most == Measure(
        name="most",
        function=Function.LATEST,
        field="most",
        query=most.query,
        index=("metrics-shop.limit-*",),
        window=3_000.0,  # 50 minutes, which end 10 minutes before the rule's
        ends=600.0,
        by=("cluster",),
        series=("uid", "node"),
        over=Over.MAX,
        order="created",
        missing=0.0,
    )
    assert "'kind': 'shop'" in str(most.query.dsl)
    assert most.query.text == "kind: ${team}"
    assert rule.value is not None and write(rule.value) == "used / most * share"
    assert rule.when is not None and write(rule.when) == "most > floor"
    assert rule.valid is not None and write(rule.valid) == "used > 0"
    assert rule.variables == {"share": 0.5, "team": "shop", "floor": 10.0}
    assert rule.threshold == Threshold(
        comparison=Comparison.GTE, limit=0.9, unit="of its limit", clear=0.85
    )
    assert rule.levels == (Level("critical", 0.97, Comparison.GT, 0.95, 120.0),)
    assert (rule.runs, rule.flapping, rule.no_data) == (Runs(3, 5), Flapping(), NoData.ALERT)
    assert rule.runbook == "https://wiki.example.com/memory"
    assert rule.annotations == {
        "description": "It will be killed.",
        "look": "kubectl top pod {{ labels.pod }}",
        "action": "Call somebody.",
        "summary": "Full",
    }
    assert rule.origins == {}


def test_the_only_measure_is_the_value() -> None:
    text = MEASURED[: MEASURED.index("  most:")] + "threshold: {limit: 1}\nseverity: info\n"
    rule = good(text)
    assert rule.value == Name("used")
    assert (rule.when, rule.valid) == (None, None)


def test_each_function_has_what_it_needs() -> None:
    text = (
        MEASURED[: MEASURED.index("  used:")]
        + """\
  a: {}
  b: {function: cardinality, field: x}
  c: {function: percentile, field: x, percent: 95}
  d: {function: matches, query: 'state: bad', order: created}
  e: {function: increase, field: x, from_zero: true, by: []}
  f: {function: changes, field: x}
  g: {function: slope, field: x, from: now-6h}
  h: {function: age, field: created}
value: max(a, b, c, d, e, f, g, h)
threshold: {limit: 1}
severity: info
"""
    )
    measures = {m.name: m for m in good(text).measures}
    assert measures["a"] == Measure("a", Function.COUNT)
    assert measures["c"].percent == 95.0
    assert measures["d"].query.fields == ("state",)
    assert (measures["e"].from_zero, measures["e"].by) == (True, ())
    assert (measures["g"].window, measures["g"].ends) == (21_600.0, 0.0)


def test_a_state_is_held_against_the_newest_document_of_two_minutes() -> None:
    rule = good(GOOD.replace("kind: query", "kind: state"))
    assert rule.kind is RuleKind.STATE
    assert (rule.window, rule.measures, rule.value) == (120.0, (), None)
    assert good(GOOD.replace("kind: query", "kind: state\nfrom: now-5m")).window == 300.0
    assert wrong(GOOD.replace("kind: query", "kind: state").replace("query:", "#")) == (
        '1:1+1 rules/missing-key: "query" is missing: a state rule holds the newest document '
        "against it | add it"
    )


def test_levels_of_a_rule_without_a_limit_differ_by_time() -> None:
    text = GOOD.replace("kind: query", "kind: state") + "for: 5m\n"
    rule = good(text + "levels: [{severity: critical, for: 30m}]\n")
    assert rule.levels == (Level("critical", for_=1_800.0),)
    assert wrong(text + "levels: [{severity: critical, for: 4m}]\n") == (
        "7:10+29 rules/wrong-value: level critical is reached when the one before it is"
        " | give it a for longer than 5m"
    )
    assert wrong(text + "levels: [{severity: critical, limit: 4}]\n").startswith(
        '7:31+5 rules/wrong-value: "limit" is for kind threshold'
    )


@pytest.mark.parametrize("flapping", ["false", "{changes: 6, runs: 30, calm: 2}"])
def test_flapping_is_off_or_has_numbers(flapping: str) -> None:
    rule = good(GOOD + f"flapping: {flapping}\n")
    assert rule.flapping == (None if flapping == "false" else Flapping(6, 30, 2))


def test_lucene_is_a_language_too() -> None:
    rule = good(
        MEASURED.replace("query: 'team: ${team}'", "language: lucene\nquery: 'team:${team}'")
        .replace("'kind: ${team}'", "'kind:${team} AND size:>5'")
        .replace("team: shop", "team: a* OR b")
    )
    assert rule.query.language == "lucene"
    assert rule.query.fields == ("team",)
    assert "a* OR b" in str(rule.query.dsl)
    assert rule.measures[1].query.fields == ("kind", "size")
    problem = wrong(GOOD.replace("query: 'kube", "language: lucene\nquery: '(kube"))
    assert problem.startswith("5:9+1 rules/query-syntax: ")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("used / most", "usd / most", "22:8+3 rules/unknown-name: there is no measure or variable "
         "usd | write used"),
        ("used / most", "used / / most", "22:15+1 rules/expression-syntax: '/' where a number or a "
         "name should be"),
        ("used / most * share", "used / team", "22:15+4 rules/expression-syntax: team is a text, "
         "not a number | give the variable a number"),
        ("used / most * share", "share * 2", '22:8+9 rules/wrong-value: "value" uses no measure, '
         "and is the same for all | one of: used, most"),
        ("value: used / most * share\n", "", '8:1+8 rules/missing-key: "value" is missing: there '
         "are 2 measures | say what to compare"),
        ("most > floor", "most", "23:7+4 rules/expression-syntax: a number where a condition "
         "should be | compare it: most > 0"),
        ("most > floor", ">\n  most\n  > floor and\n  usd > 0", "26:3+3 rules/unknown-name: there "
         "is no measure or variable usd | write used"),
        ("used: {", "now: {", '9:3+3 rules/wrong-value: "now" means something in expressions, and '
         "is no free name | call the measure otherwise"),
        ("used: {", "Used: {", '9:3+4 rules/wrong-value: "Used" is no name for a measure | small '
         "letters, digits and underscores"),
        ("share: 0.5", "used: 0.5", '7:13+4 rules/duplicate: "used" is a measure already | call '
         "one of them otherwise"),
        ("function: avg", "function: average", '9:20+7 rules/wrong-value: "function" can\'t be '
         '"average" | write'),
        ("function: avg", "fucntion: avg", '9:10+8 rules/unknown-key: no such key: "fucntion" | '
         "write function"),
        ("function: avg", "function: count", '9:27+5 rules/wrong-value: count counts documents and '
         'has no "field" | remove field'),
        ("{function: avg, field: used}", "{function: avg}", '9:3+4 rules/missing-key: "field" is '
         "missing: avg needs it | add the field to measure"),
        ("{function: avg, field: used}", "{function: percentile, field: used}",
         '9:3+4 rules/missing-key: "percent" is missing | add percent: 95'),
        ("{function: avg, field: used}", "{function: avg, field: used, percent: 5}",
         '9:38+7 rules/wrong-value: "percent" is for function percentile, not avg | remove'),
        ("{function: avg, field: used}", "{function: matches}", '9:3+4 rules/missing-key: "query" '
         "is missing: matches holds the newest document against it | add query"),
        ("{function: avg, field: used}", "{function: matches, query: 'a: b', field: c}",
         '9:44+5 rules/wrong-value: matches holds the newest document against "query" and has no '
         '"field" | remove field, or write function: latest'),
        ("{function: avg, field: used}", "{function: avg, field: used, order: x}",
         '9:38+5 rules/wrong-value: "order" is for latest and matches, not avg | remove it'),
        ("{function: avg, field: used}", "{function: avg, field: used, from_zero: true}",
         '9:38+9 rules/wrong-value: "from_zero" is for increase, not avg | remove it'),
        ("{function: avg, field: used}", "{function: avg, field: used, over: max}",
         '9:38+4 rules/wrong-value: "over" joins series, and there are none | add series: [field]'),
        ("{function: avg, field: used}", "{function: avg, field: used, series: [pod]}",
         '9:47+3 rules/wrong-value: "pod" tells entities apart already | remove it from series'),
        ("by: [cluster]", "by: [cluster, host]", '17:19+4 rules/wrong-value: "by" is a part of '
         'group_by, and "host" is not in it | of: cluster, pod'),
        ("by: [cluster]", "by: [cluster, cluster]", '17:19+7 rules/duplicate: "cluster" twice in '
         "by | remove one"),
        ("to: now-10m", "to: now-1h", '16:5+2 rules/wrong-value: "to" is not after "from", now-1h '
         "| from is the earlier one"),
        ("    from: now-1h\n", "", '15:5+2 rules/missing-key: "from" is missing: "to" needs it | '
         "add from: now-1h"),
        ("[metrics-shop.limit-*]", "[metrics-shop.limit-*, kibana-*]", "13:35+8 "
         'rules/index-not-allowed: "kibana-*": not among the index patterns'),
        ("'kind: ${team}'", "'kind: ${taem}'", "14:19+7 rules/unknown-variable: there is no "
         "variable taem | write ${team}"),
        ("'kind: ${team}'", "'${team}: 1'", "14:13+7 rules/query-syntax: a variable in the name of "
         "a field | variables stand for values"),
        ("'kind: ${team}'", "'kind: (a'", "14:19+1 rules/query-syntax: '(' is never closed"),
        ("{comparison:", "{function: avg, comparison:", '25:13+8 rules/wrong-value: "function" of '
         "the threshold does not go with measures | write it into a measure"),
        ("clear: 0.85", "clear: 0.9", '25:63+5 rules/wrong-value: "clear" is where an alert ends: '
         "not at 0.9 if it begins at 0.9 | write less than 0.9"),
        ("severity: critical", "severity: warning", "27:6+8 rules/wrong-value: a level is worse "
         "than the one before it, and that is warning | write the worst one last"),
        ("limit: 0.97", "limit: 0.8", "27:26+5 rules/wrong-value: level critical is reached at "
         "0.8, before the one before it at 0.9 | a limit of more than 0.9"),
        ("limit: 0.97, for: 2m", "limit: 0.9", "27:5+62 rules/wrong-value: level critical is "
         "reached when the one before it is | give it another limit"),
        ('comparison: ">", clear', 'comparison: "<", clear', "27:48+10 rules/wrong-value: < goes "
         "the other way than >= | write >="),
        ("runs: 3 of 5", "runs: 5 of 3", "29:7+6 rules/wrong-value: \"runs\": can't be 5 of 3 | "
         "write 3 of 5"),
        ("runs: 3 of 5", "runs: 3", '29:7+1 rules/wrong-value: "runs" must say how many runs of '
         "how many | write 3 of 5"),
        ("flapping: true", "flapping: often", '30:11+5 rules/wrong-value: "flapping" must be true, '
         "false or numbers | write {changes: 4, runs: 20, calm: 4}"),
        ("flapping: true", "flapping: {change: 4}", '30:12+6 rules/unknown-key: no such key: '
         '"change" | write changes'),
        ("no_data: alert", "no_data: alarm", '31:10+5 rules/wrong-value: "no_data" can\'t be '
         '"alarm"'),
        ("act: Restart it.", "action: Restart it.", '36:3+6 rules/unknown-key: no such key: '
         '"action" | write it under annotations'),
        ("look: kubectl top pod {{ labels.pod }}", "look: kubectl top pod {{ labels.pod",
         "35:9+1 rules/template-syntax: not a template: "),
        ("link: https://", "link: ftp://", '37:9+29 rules/wrong-value: "link": an address begins '
         "with http:// or https://"),
        ("{share: 0.5,", "{share: [1],", '7:20+3 rules/wrong-value: "share" must be a text, not a '
         "list"),
    ],
)  # fmt: skip
def test_what_no_single_key_can_tell_is_told_at_its_character(
    old: str, new: str, problem: str
) -> None:
    assert old in MEASURED
    found_lines = lines(found(MEASURED.replace(old, new)))
    assert found_lines[0].startswith(problem), found_lines


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ("measures: {a: {}}", "measures"),
        ("value: a", "value"),
        ("when: a > 1", "when"),
        ("valid: a > 1", "valid"),
    ],
)
def test_measures_belong_to_a_threshold(keys: str, key: str) -> None:
    assert wrong(GOOD + keys + "\n").startswith(
        f'6:1+{len(key)} rules/wrong-value: "{key}" is for kind threshold'
    )


def test_an_expression_needs_measures() -> None:
    assert wrong(COUNT + "when: a > 1\n") == (
        '7:1+4 rules/wrong-value: "when" needs measures | add measures'
    )


def test_a_short_window_misses_nothing_of_what_is_measured_now() -> None:
    text = MEASURED.replace("from: now-5m", "from: now-30s").replace(
        "function: avg", "function: latest"
    )
    assert found(text) == []
    assert [
        p.slug
        for p in found(text.replace("function: latest, field: used", "function: avg, field: used"))
    ] == ["rules/window-too-short"]


def test_variables_in_elasticsearch_s_own_clauses_are_refused() -> None:
    text = GOOD.replace(
        "query: 'kubernetes.container.status.reason: OOMKilled'",
        "language: dsl\nvariables: {a: b}\nquery: {term: {x: '${a}'}}",
    )
    assert wrong(text) == (
        "6:20+2 rules/query-syntax: variables are for KQL and Lucene | write the value, or KQL"
    )


@given(st.text(max_size=80))
def test_any_text_is_an_expression_or_a_problem(text: str) -> None:
    # As YAML's own quoting has it: JSON strings are YAML.
    rule, problems = parse_rule(MEASURED.replace("used / most * share", json.dumps(text)), FILE)
    assert (rule is None) == any(p.severity == "error" for p in problems)


PIECES = (
    *("[]", "{}", "''", "null", "${team}", "${}", "5", "-1", "true", "[a, b]", "{a: b}", "*", "&a"),
    *("!x", "|", "now", "(", "not", "used", "3 of 5", "'\\x07'", "'{{ a'", "now-1y", "\n", "é"),
)


@given(st.data())
def test_a_rule_with_pieces_of_it_replaced_is_a_rule_or_has_problems(data: st.DataObject) -> None:
    text = MEASURED
    for _ in range(data.draw(st.integers(1, 3))):
        words = [match.span() for match in re.finditer(r"[\w.\-*$%{}']+", text)]
        start, end = data.draw(st.sampled_from(words))
        text = text[:start] + data.draw(st.sampled_from(PIECES)) + text[end:]
    rule, problems = parse_rule(text, FILE)
    assert rule is not None or problems
    length = text.count("\n") + 1
    assert all(1 <= p.location.line <= length and p.location.column >= 1 for p in problems)


def test_the_example_of_the_readme_is_a_rule() -> None:
    readme = (Path(__file__).parents[2] / "rules" / "README.md").read_text(encoding="utf-8")
    text = readme.partition("## The keys of a rule\n\n```yaml\n")[2].partition("```")[0]
    assert [measure.name for measure in good(text).measures] == ["used", "most"]
