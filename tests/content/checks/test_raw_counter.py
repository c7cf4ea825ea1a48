"""rules/raw-counter."""

from __future__ import annotations

import pytest

from tests.conftest import Golden
from tests.content.checks.looking import found, report, rule

SLUG = "rules/raw-counter"
DATABASE = "metrics-postgresql.database-*"


def test_a_counter_held_against_a_limit_is_told(golden: Golden) -> None:
    text = report(
        SLUG,
        rule(
            "threshold: {function: max, field: postgresql.database.deadlocks, limit: 5}",
            index=DATABASE,
        ),
        rule(
            "measures:",
            "  hit: {function: latest, field: postgresql.database.blocks.hit}",
            "  read: {function: latest, field: postgresql.database.blocks.read}",
            "value: hit / (hit + read)",
            index=DATABASE,
        ),
        rule("query: 'postgresql.database.deadlocks >= 5'", index=DATABASE, kind="query"),
        rule(
            "query: 'kubernetes.container.status.restarts > 3'",
            index="metrics-kubernetes.state_container-*",
            kind="state",
        ),
        rule("query: 'postgresql.database.deadlocks >= 5'", index=DATABASE),
    )
    golden("checks", SLUG, "report.txt", text)


@pytest.mark.parametrize(
    "rows",
    [
        ["threshold: {function: increase, field: postgresql.database.deadlocks, limit: 5}"],
        ["threshold: {function: max, field: postgresql.database.number_of_backends, limit: 5}"],
        [
            "measures:",
            "  most: {function: max, field: postgresql.database.deadlocks}",
            "  least: {function: min, field: postgresql.database.deadlocks}",
            "value: most - least",
        ],
        [
            "query: 'postgresql.database.blocks.hit > 0'",
            "threshold: {function: increase, field: postgresql.database.deadlocks, limit: 5}",
        ],
    ],
)
def test_an_increase_a_gauge_and_a_difference_are_not_told(rows: list[str]) -> None:
    assert found(SLUG, rule(*rows, index=DATABASE)) == []
