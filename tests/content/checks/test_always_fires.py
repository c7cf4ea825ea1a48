"""rules/always-fires."""

from __future__ import annotations

import pytest

from tests.conftest import Golden
from tests.content.checks.looking import found, report, rule

SLUG = "rules/always-fires"


def test_a_limit_that_everything_meets_is_told(golden: Golden) -> None:
    text = report(
        SLUG,
        rule("threshold: {limit: 0}"),
        rule("measures:", "  a: {function: count}", "value: a + 1", "threshold: {limit: 1}"),
    )
    golden("checks", SLUG, "report.txt", text)


@pytest.mark.parametrize(
    "rows",
    [
        ["threshold: {limit: 1}"],
        ['threshold: {comparison: ">", limit: 0}'],
        ["measures:", "  a: {function: count}", "when: a > 3", "threshold: {limit: 0}"],
    ],
)
def test_a_limit_or_a_condition_that_decides_is_not_told(rows: list[str]) -> None:
    assert found(SLUG, rule(*rows)) == []
