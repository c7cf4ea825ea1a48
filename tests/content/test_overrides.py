"""overrides.yml: new values for rules that stay as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.content import yaml
from sre_obs.content.overrides import apply_overrides, load_overrides, parse_overrides, tune
from sre_obs.content.rules.load import parse_rule
from sre_obs.model.problem import Problem
from sre_obs.model.rule import Flapping, Level, NoData, Rule, RuleState, Runs, Tuned
from sre_obs.query.kql import compile_kql
from sre_obs.query.kql import parse as parse_kql
from tests.content.problems import lines
from tests.content.test_rules import COUNT, GOOD


def rule(id_: str, text: str = COUNT) -> Rule:
    found, problems = parse_rule(text, Path("rules") / f"{id_}.yml")
    assert problems == []
    assert found is not None
    return found


def tuned(text: str, *rules: Rule, environment: str = "") -> tuple[tuple[Rule, ...], list[Problem]]:
    overrides, problems = parse_overrides(text, environment=environment)
    assert problems == []
    return apply_overrides(rules, overrides)


def compiled(text: str) -> object:
    return compile_kql(parse_kql(text), None)


def test_each_key_replaces_the_rule_s_value_and_labels_are_added() -> None:
    before = rule("shop/oom", COUNT + "labels: {team: shop, tier: one}\n")
    (after,), problems = tuned(
        """\
rules:
  shop/oom:
    from: now-30s
    interval: 10s
    query_delay: 5s
    for: 20s
    keep_firing_for: 1m
    stale_after: 10m
    threshold: {limit: 2}
    state: shadow
    severity: critical
    owner: ana
    labels: {team: other, region: eu}
""",
        before,
    )
    assert problems == []
    assert (after.window, after.interval, after.query_delay) == (30.0, 10.0, 5.0)
    assert (after.for_, after.keep_firing_for, after.stale_after) == (20.0, 60.0, 600.0)
    assert after.threshold.limit == 2.0
    assert (after.state, after.severity, after.owner) == (RuleState.SHADOW, "critical", "ana")
    assert after.labels == {"team": "other", "tier": "one", "region": "eu"}
    assert (after.query, after.title, after.location) == (
        before.query,
        before.title,
        before.location,
    )


def test_a_pattern_tunes_many_and_what_comes_later_wins() -> None:
    (a, b, c), problems = tuned(
        "rules:\n  '*': {interval: 10s}\n  shop/*: {interval: 20s}\n  shop/b: {interval: 30s}\n",
        rule("other/a"),
        rule("shop/b"),
        rule("shop/c"),
    )
    assert problems == []
    assert [r.interval for r in (a, b, c)] == [10.0, 30.0, 20.0]


def test_an_override_of_no_rule_is_a_warning_at_its_line() -> None:
    _, problems = tuned("rules:\n  shop/omo: {interval: 10s}\n", rule("shop/oom"))
    assert lines(problems) == [
        '2:3+8 overrides/unknown-rule (warning): no rule has the id "shop/omo" | write shop/oom'
    ]


def test_a_limit_for_a_rule_without_one_is_an_error() -> None:
    (after,), problems = tuned("rules:\n  a/b: {threshold: {limit: 2}}\n", rule("a/b", GOOD))
    assert after == rule("a/b", GOOD)
    assert lines(problems) == [
        "2:3+3 overrides/wrong-value: a/b is of kind query and has no limit | remove threshold"
    ]


def test_times_that_contradict_each_other_after_tuning_are_told() -> None:
    _, problems = tuned("rules:\n  a/b: {interval: 1h}\n", rule("a/b"))
    assert [p.slug for p in problems] == ["rules/window-too-short"]


def test_a_file_with_an_error_tunes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "overrides.yml"
    file.write_text("rules:\n  a/b: {frm: now-1m, interval: 10s}\n", encoding="utf-8")
    overrides, problems = load_overrides(file, name="overrides.yml")
    assert overrides == ()
    assert lines(problems) == ['2:9+3 overrides/unknown-key: no such key: "frm" | write from']


def test_an_empty_list_of_rules_is_fine() -> None:
    assert parse_overrides("rules: {}\n") == ((), [])


RATIO = """\
title: Memory is near its limit
kind: threshold
index: metrics-a-*
query: 'team: ${team}'
group_by: [namespace, pod]
variables: {share: 0.5, team: shop}
measures:
  used: {function: avg, field: used}
  most: {function: max, field: most, query: 'owner: ${team}'}
value: used / most * share
threshold: {limit: 10, clear: 8}
levels:
  - {severity: critical, limit: 20}
severity: warning
"""


def test_limits_levels_runs_and_damping_are_tuned_and_say_where() -> None:
    (after,), problems = tuned(
        """\
rules:
  a/*: {no_data: alert, runs: 2 of 3}
  a/b:
    threshold: {limit: 30, clear: 25}
    levels:
      - {severity: critical, limit: 50, for: 2m}
    flapping: {changes: 6}
    runs: 3 of 5
    labels: {team: x}
    runbook: https://wiki.example.com/b
""",
        rule("a/b", RATIO),
    )
    assert problems == []
    assert (after.threshold.limit, after.threshold.clear) == (30.0, 25.0)
    assert after.levels == (Level("critical", 50.0, None, None, 120.0),)
    assert after.flapping == Flapping(changes=6, runs=20, calm=4)
    assert (after.runs, after.no_data) == (Runs(3, 5), NoData.ALERT)
    assert after.runbook == "https://wiki.example.com/b"
    assert {name: (at.line, at.column) for name, at in after.origins.items()} == {
        "no_data": (2, 9),
        "runs": (8, 5),
        "threshold.limit": (4, 17),
        "threshold.clear": (4, 28),
        "levels": (5, 5),
        "flapping": (7, 5),
        "labels.team": (9, 14),
        "runbook": (10, 5),
    }


def test_flapping_is_switched_off_again() -> None:
    (after,), problems = tuned(
        "rules:\n  a/b: {flapping: false}\n", rule("a/b", RATIO + "flapping: true\n")
    )
    assert (problems, after.flapping) == ([], None)


def test_variables_of_the_file_go_to_each_rule_that_has_them() -> None:
    (one, other), problems = tuned(
        'variables: {share: 0.9, team: "a* or b: c"}\nrules:\n  a/b: {variables: {share: 0.8}}\n',
        rule("a/b", RATIO),
        rule("a/c"),
    )
    assert problems == []
    assert one.variables == {"share": 0.8, "team": "a* or b: c"}
    assert one.origins["variables.share"].line == 3
    assert one.origins["variables.team"].line == 1
    # In a query they are values, whatever they look like.
    assert "'team': 'a* or b: c'" in str(one.query.dsl)
    assert "'owner': 'a* or b: c'" in str(one.measures[1].query.dsl)
    assert other == rule("a/c")


def test_an_environment_goes_on_top_where_it_is_ours() -> None:
    text = """\
variables: {share: 0.9}
rules:
  a/b: {interval: 10s, owner: ana}
environments:
  staging:
    variables: {share: 0.7}
    rules:
      a/b: {interval: 2m, state: shadow}
"""
    (here,), _ = tuned(text, rule("a/b", RATIO))
    (there,), problems = tuned(text, rule("a/b", RATIO), environment="staging")
    assert problems == []
    assert (here.variables["share"], here.interval, here.state) == (0.9, 10.0, RuleState.LIVE)
    assert (there.variables["share"], there.interval) == (0.7, 120.0)
    assert (there.state, there.owner) == (RuleState.SHADOW, "ana")
    assert there.origins["interval"].line == 8
    _, problems = parse_overrides(text, environment="stagging")
    assert lines(problems) == [
        '4:1+12 overrides/unknown-environment (warning): the environment "stagging" is not among '
        "them | set environment to staging"
    ]
    assert parse_overrides("rules: {}\n", environment="staging") == ((), [])


def test_what_is_excluded_is_never_found() -> None:
    (after,), problems = tuned(
        "rules:\n  '*': {exclude: 'namespace: kube-*'}\n  a/b: {exclude: 'pod: x'}\n",
        rule("a/b", RATIO),
    )
    assert problems == []
    assert after.query.text == "((team: ${team}) and not (namespace: kube-*)) and not (pod: x)"
    assert after.query.fields == ("team", "namespace", "pod")
    first, second = compiled("namespace: kube-*"), compiled("pod: x")
    once = {"bool": {"filter": [compiled("team: shop")], "must_not": [first]}}
    assert after.query.dsl == {"bool": {"filter": [once], "must_not": [second]}}


def test_a_rule_about_everything_loses_what_is_excluded() -> None:
    (after,), _ = tuned(
        "rules:\n  a/b: {exclude: 'pod: x'}\n",
        rule("a/b", RATIO.replace("query: 'team: ${team}'\n", "")),
    )
    assert after.query.text == "not (pod: x)"
    assert after.query.dsl == {"bool": {"must_not": [compiled("pod: x")]}}


def test_an_exclusion_is_in_the_language_of_the_rule() -> None:
    lucene = RATIO.replace("query: 'team: ${team}'", "language: lucene").replace(
        "'owner: ${team}'", "'owner:${team}'"
    )
    (after,), problems = tuned("rules:\n  a/b: {exclude: 'pod:x*'}\n", rule("a/b", lucene))
    assert problems == []
    assert after.query.text == "NOT (pod:x*)"
    dsl = GOOD.replace("query: 'kubernetes", "language: dsl\nquery: {exists: {field: x}} #")
    (after,), problems = tuned("rules:\n  a/b: {exclude: {term: {pod: x}}}\n", rule("a/b", dsl))
    assert problems == []
    assert after.query.dsl == {
        "bool": {"filter": [{"exists": {"field": "x"}}], "must_not": [{"term": {"pod": "x"}}]}
    }


def test_entities_get_numbers_of_their_own_and_later_ones_go_first() -> None:
    (after,), problems = tuned(
        """\
rules:
  a/*:
    entities:
      - {match: {namespace: batch-*}, limit: 20, for: 1h, severity: info}
  a/b:
    entities:
      - {match: {namespace: test-*, pod: x}, exclude: true}
""",
        rule("a/b", RATIO),
    )
    assert problems == []
    assert after.tuned == (
        Tuned({"namespace": "test-*", "pod": "x"}, exclude=True),
        Tuned({"namespace": "batch-*"}, 20.0, 3_600.0, "info"),
    )


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("threshold: {limit: 7}", '3:5+9 overrides/wrong-value: "clear" is where an alert ends: '
         "not at 8 if it begins at 7 | write less than 7"),
        ("threshold: {limit: 7, clear: 7}", '3:27+5 overrides/wrong-value: "clear" is where an '
         "alert ends: not at 7 if it begins at 7 | write less than 7"),
        ("threshold: {limit: 25}", "3:17+5 overrides/wrong-value: level critical is reached at 20, "
         "before the one before it at 25 | a limit of more than 25"),
        ("severity: critical", "2:3+3 overrides/wrong-value: a level is worse than the one before "
         "it, and that is critical | write the worst one last"),
        ("levels: [{severity: critical, limit: 5}]", "3:35+5 overrides/wrong-value: level "
         "critical is reached at 5, before the one before it at 10 | a limit of more than 10"),
        ("entities: [{match: {namespace: a}, limit: 8}]", "3:40+5 overrides/wrong-value: this "
         "limit is met where the rule's alerts end, at 8 | change threshold.clear too"),
        ("entities: [{match: {host: a}, limit: 9}]", '3:25+4 overrides/wrong-value: "host" is not '
         "in the rule's group_by | of: namespace, pod"),
        ("entities: [{match: {}, exclude: true}]", '3:24+2 overrides/wrong-value: "match" has '
         "fewer than 1 entries"),
        ("variables: {shere: 1}", '3:17+5 overrides/wrong-value: a/b has no variable "shere" | '
         "write share"),
        ("variables: {share: much}", '3:17+5 overrides/wrong-value: "share" is a number in a/b | '
         "write a number"),
        ("labels: {severity: x}", '3:14+8 overrides/wrong-value: "severity" is no free label | '
         "write severity outside of labels"),
        ("exclude: 'pod: (x'", "3:20+1 rules/query-syntax: '(' is never closed | close it with )"),
        ("exclude: 'pod: ${sahre}'", "3:20+8 rules/unknown-variable: there is no variable sahre | "
         "write ${share}"),
        ("exclude: {term: {a: b}}", '3:14+14 rules/wrong-value: "exclude" must be a text in KQL '
         "| language: dsl"),
    ],
)  # fmt: skip
def test_a_rule_that_would_make_no_sense_stays_as_it_was(block: str, problem: str) -> None:
    before = rule("a/b", RATIO)
    overrides, problems = parse_overrides(f"rules:\n  a/b:\n    {block}\n")
    (after,), more = apply_overrides([before], overrides)
    assert problem in lines([*problems, *more])
    assert after == before


def test_what_is_wrong_for_many_rules_is_told_once() -> None:
    _, problems = tuned("rules:\n  '*': {exclude: 'a: ('}\n", rule("a/b"), rule("a/c"), rule("a/d"))
    assert len(problems) == 1


def test_a_variable_that_no_rule_has_is_a_warning() -> None:
    _, problems = tuned("variables: {shares: 1}\n", rule("a/b", RATIO))
    assert lines(problems) == [
        '1:13+6 overrides/unknown-variable (warning): no rule has the variable "shares" | write'
        " share"
    ]


def test_one_block_tunes_one_rule_as_tests_do() -> None:
    document, _ = yaml.parse("for: 30s\nlevels: []\n", "x.test.yml")
    assert document.root is not None
    after, problems = tune(rule("a/b", RATIO), document, document.root)
    # The interval is a minute.
    assert [p.slug for p in problems] == ["rules/for-too-short"]
    assert (after.for_, after.levels) == (30.0, ())
    document, _ = yaml.parse("fro: 30s\n", "x.test.yml")
    assert document.root is not None
    after, problems = tune(rule("a/b", RATIO), document, document.root)
    assert after == rule("a/b", RATIO)
    assert lines(problems) == ['1:1+3 overrides/unknown-key: no such key: "fro" | write from']


@given(st.text(max_size=120).map(lambda text: f"rules:\n  '*': {{{text}}}\n"))
def test_any_text_gives_overrides_or_problems(text: str) -> None:
    overrides, problems = parse_overrides(text)
    assert overrides or problems
    after, _ = apply_overrides([rule("a/b")], overrides)
    assert len(after) == 1


def test_the_example_of_the_readme_is_right() -> None:
    readme = (Path(__file__).parents[2] / "rules" / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## overrides.yml\n")[2]
    text = section.partition("```yaml\n")[2].partition("```")[0]
    overrides, problems = parse_overrides(text, environment="staging")
    assert problems == []
    assert [o.pattern for o in overrides] == [
        *("*", "postgresql/*", "postgresql/pg-deadlocks"),
        *("*", "*"),
    ]
