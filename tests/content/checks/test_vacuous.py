"""tests/vacuous: a case that can't fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from sre_obs.content.rules.load import parse_rule
from sre_obs.content.tests.load import parse_suite
from sre_obs.content.tests.vacuous import vacuous
from tests.app.check.folder import look, slugs, told, write
from tests.conftest import Golden
from tests.content.checks.looking import rule
from tests.content.problems import lines

INDEX = "metrics-kubernetes.state_pod-x"
NONE = "documents: []"
EMPTY = f"documents: [{{index: {INDEX}, count: 0}}]"
LATE = f"documents: [{{index: {INDEX}, from: 5m}}]\n    until: 4m"


def found(case: str, *, text: str = "", expect: str = "[]") -> list[str]:
    """What is said of a case of these rows, of a rule."""
    built, _ = parse_rule(text or rule(), Path("rules/shop/example.yml"))
    assert built is not None
    test = f"cases:\n  - name: a\n    {case}\n    expect: {expect}\n"
    suite, problems = parse_suite(test, Path("rules/shop/example.test.yml"))
    assert suite is not None and problems == [], lines(problems)
    return [p.message for p in vacuous(suite, built)]


@pytest.mark.parametrize(
    ("case", "why"),
    [
        (NONE, "there is no document"),
        (EMPTY, "there is no document"),
        (LATE.replace("4m", "5m"), "until is before the first document"),
        (LATE, "until is before the first document"),
    ],
)
def test_a_case_that_no_rule_can_fail_is_told(case: str, why: str) -> None:
    assert found(case) == [f"nothing is expected, and {why}: the case can't fail"]


@pytest.mark.parametrize(
    "case",
    [
        f"documents: [{{index: {INDEX}}}]",
        LATE.replace("4m", "6m"),
        f"documents: [{{index: {INDEX}, count: 0}}, {{index: {INDEX}}}]",
        f"{EMPTY}\n    outcome: {{at: 1m, is: stale}}",
    ],
)
def test_a_case_that_can_fail_is_not_told(case: str) -> None:
    assert found(case) == []


def test_a_case_that_expects_an_alert_is_not_told() -> None:
    assert found(NONE, expect="[{fires: 1m}]") == []


@pytest.mark.parametrize("text", [rule(kind="absence"), rule("no_data: alert")])
def test_no_document_says_something_to_a_rule_about_silence(text: str) -> None:
    assert found(NONE, text=text) == []


def test_check_tells_it_and_it_can_be_meant(tmp_path: Path, golden: Golden) -> None:
    test = f"cases:\n  - name: a\n    {EMPTY}\n    expect: []\n"
    write(tmp_path, {"shop/example.yml": rule(), "shop/example.test.yml": test})
    report = look(tmp_path)
    assert slugs(report) == ["example.test.yml:2 tests/vacuous"]
    golden("checks", "tests/vacuous", "report.txt", told(report, tmp_path))
    meant = test.replace("  - name", "  # sre-obs: ignore tests/vacuous: a sketch\n  - name")
    write(tmp_path, {"shop/example.test.yml": meant})
    assert slugs(look(tmp_path)) == []
