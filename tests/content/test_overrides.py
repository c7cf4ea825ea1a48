"""overrides.yml: new values for rules that stay as they are written."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sre_obs.content.overrides import apply_overrides, load_overrides, parse_overrides
from sre_obs.content.rules.load import parse_rule
from sre_obs.model.problem import Problem
from sre_obs.model.rule import Rule, RuleState
from tests.content.problems import lines
from tests.content.test_rules import COUNT, GOOD


def rule(id_: str, text: str = COUNT) -> Rule:
    found, problems = parse_rule(text, Path("rules") / f"{id_}.yml")
    assert problems == []
    assert found is not None
    return found


def tuned(text: str, *rules: Rule) -> tuple[tuple[Rule, ...], list[Problem]]:
    overrides, problems = parse_overrides(text)
    assert problems == []
    return apply_overrides(rules, overrides)


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
        '2:3+8 overrides/unknown-rule (warning): no rule has the id "shop/omo"'
        " | write <service>/<slug>, as the rule's folder and file are called"
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


@given(st.text(max_size=120).map(lambda text: f"rules:\n  '*': {{{text}}}\n"))
def test_any_text_gives_overrides_or_problems(text: str) -> None:
    overrides, problems = parse_overrides(text)
    assert overrides or problems
    after, _ = apply_overrides([rule("a/b")], overrides)
    assert len(after) == 1
