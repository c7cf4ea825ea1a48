"""rules/missing-owner."""

from __future__ import annotations

from tests.conftest import Golden
from tests.content.checks.looking import found, report, rule

SLUG = "rules/missing-owner"


def test_a_rule_of_nobody_is_told(golden: Golden) -> None:
    without = rule().replace("\nowner: shop", "")
    empty = rule().replace("owner: shop", 'owner: " "')
    golden("checks", SLUG, "report.txt", report(SLUG, without, empty))


def test_a_rule_with_an_owner_is_not_told() -> None:
    assert found(SLUG, rule()) == []
