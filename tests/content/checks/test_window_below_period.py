"""rules/window-below-period."""

from __future__ import annotations

import pytest

from tests.conftest import Golden
from tests.content.checks.looking import found, report, rule

SLUG = "rules/window-below-period"


def test_a_window_without_two_samples_is_told(golden: Golden) -> None:
    text = report(
        SLUG,
        rule("from: now-15s", "interval: 10s"),
        rule("from: now-5m", index="metrics-apm.service_transaction.10m-*"),
        rule("measures:", "  a: {from: now-10s}", "  b: {}", "value: a / b"),
        rule("stale_after: 10s"),
        rule("query: 'host.name: x'", "from: now-10s", "interval: 10s", kind="state"),
        rule("from: now-1m", "interval: 1m", index="metrics-system.filesystem-*", kind="absence"),
        rule("measures:", "  a: {index: metrics-system.filesystem-*, from: now-1m}", "value: a"),
    )
    golden("checks", SLUG, "report.txt", text)


@pytest.mark.parametrize(
    "text",
    [
        rule("from: now-20s", "interval: 10s"),
        rule("from: now-20m", index="metrics-apm.service_transaction.10m-*"),
        rule("from: now-5s", "interval: 5s", index="logs-postgresql.log-*"),
        rule("from: now-5s", "interval: 5s", index="logs-nginx.access-*"),
        rule("from: now-20s", "interval: 10s", index="metrics-kubernetes.*"),
        rule("measures:", "  a: {from: now-1m}", "value: a", "from: now-10s", "interval: 10s"),
    ],
)
def test_a_window_of_two_samples_and_events_are_not_told(text: str) -> None:
    assert found(SLUG, text) == []
