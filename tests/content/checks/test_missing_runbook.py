"""rules/missing-runbook."""

from __future__ import annotations

import pytest

from tests.conftest import Golden
from tests.content.checks.looking import found, report, rule

SLUG = "rules/missing-runbook"
LINK = "runbook: https://runbooks.test/x"


def test_a_rule_that_does_not_say_what_to_do_is_told(golden: Golden) -> None:
    without = rule().replace(LINK, "labels: {team: shop}")
    meaning = rule().replace(LINK, "runbook: {means: it is slow}")
    golden("checks", SLUG, "report.txt", report(SLUG, without, meaning))


@pytest.mark.parametrize(
    "line", [LINK, "runbook: {means: x, act: restart it}", "annotations: {action: restart it}"]
)
def test_a_link_or_a_first_action_is_enough(line: str) -> None:
    assert found(SLUG, rule().replace(LINK, line)) == []
