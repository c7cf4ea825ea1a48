"""rules/missing-test."""

from __future__ import annotations

import pytest

from tests.conftest import Golden
from tests.content.checks.looking import found, report, rule

SLUG = "rules/missing-test"


def test_a_rule_without_a_test_beside_it_is_told(golden: Golden) -> None:
    golden("checks", SLUG, "report.txt", report(SLUG, rule(), tested=False))


@pytest.mark.parametrize("tested", [True, None])
def test_a_tested_rule_and_one_of_which_nobody_knows_are_not_told(tested: bool | None) -> None:
    assert found(SLUG, rule(), tested=tested) == []
