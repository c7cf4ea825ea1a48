"""The rules that ship: each passes its tests, and nothing is left unsaid or untested."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sre_obs.app.bundled import bundled_rules
from sre_obs.app.usecases.rule_tests.files import Found
from sre_obs.app.usecases.rule_tests.report import Report
from sre_obs.app.usecases.rule_tests.run import runner
from sre_obs.content.rules.load import load_rules
from tests.cli.typed import type_here

RULES = bundled_rules()
TESTS = sorted(RULES.rglob("*.test.yml"))


@pytest.fixture(scope="module")
def run() -> Iterator[Callable[..., Report]]:
    with runner() as made:
        yield made


@pytest.mark.parametrize("path", TESTS, ids=[path.name.partition(".")[0] for path in TESTS])
def test_a_rule_passes_its_tests_which_see_each_clause_hold_and_fail(
    run: Callable[..., Report], path: Path
) -> None:
    report = run([Found(path, path.name)])
    assert [str(p.location) + ": " + p.message for p in report.problems] == []
    failed = [(r.name, d.expected, d.got) for r in report.results for d in r.differences]
    assert failed == []
    assert report.unseen == []
    assert len(report.results) >= 3


def test_there_are_fifty_rules_and_more_each_with_test_owner_and_runbook() -> None:
    rules = load_rules(RULES).rules
    assert len(rules) >= 50
    assert len(TESTS) == len(rules)
    for rule in rules:
        assert rule.owner, rule.id
        assert {"description", "look", "action"} <= rule.annotations.keys(), rule.id


def test_the_check_finds_nothing_in_them() -> None:
    done = type_here(f"sre-obs check --no-cache {RULES}")
    assert done.code == 0, done.out
