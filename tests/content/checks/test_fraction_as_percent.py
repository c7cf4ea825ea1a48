"""rules/fraction-as-percent."""

from __future__ import annotations

import pytest

from tests.conftest import Golden
from tests.content.checks.looking import found, report, rule

SLUG = "rules/fraction-as-percent"
MEMORY = "metrics-system.memory-*"
NODE = "metrics-elasticsearch.stack_monitoring.node_stats-*"
USED = "system.memory.actual.used.pct"
PARTS = (
    "measures:",
    "  used: {function: avg, field: system.memory.actual.used.bytes}",
    "  total: {function: latest, field: system.memory.total}",
)
HEAP = "elasticsearch.node.stats.jvm.mem.heap.used.pct"


def test_a_limit_of_the_other_unit_is_told(golden: Golden) -> None:
    text = report(
        SLUG,
        rule(f"threshold: {{function: avg, field: {USED}, limit: 90, clear: 80}}", index=MEMORY),
        rule(
            "measures:",
            f"  used: {{function: avg, field: {USED}}}",
            "threshold: {limit: 0.9}",
            "levels:",
            "  - {severity: critical, limit: 95}",
            index=MEMORY,
        ),
        rule(f"query: '{USED} > 90'", index=MEMORY, kind="query"),
        rule(f"threshold: {{function: min, field: {HEAP}, limit: 0.85}}", index=NODE),
        rule(*PARTS, "value: used / total", "threshold: {limit: 90, unit: '%'}", index=MEMORY),
    )
    golden("checks", SLUG, "report.txt", text)


@pytest.mark.parametrize(
    ("threshold", "index"),
    [
        (f"{{function: avg, field: {USED}, limit: 0.9}}", MEMORY),
        (f"{{function: sum, field: {USED}, limit: 90}}", MEMORY),
        (f"{{function: cardinality, field: {USED}, limit: 90}}", MEMORY),
        (f"{{function: min, field: {HEAP}, limit: 85}}", NODE),
        ("{function: avg, field: system.cpu.total.pct, limit: 3}", "metrics-system.cpu-*"),
        ("{function: avg, field: no.such.pct, limit: 90}", MEMORY),
    ],
)
def test_a_limit_of_the_fields_own_unit_is_not_told(threshold: str, index: str) -> None:
    assert found(SLUG, rule(f"threshold: {threshold}", index=index)) == []


@pytest.mark.parametrize(
    "rows",
    [
        ["value: 100 * used / total", "threshold: {limit: 90, unit: '%'}"],
        ["value: used / total", "threshold: {limit: 0.9, unit: '%'}"],
        ["value: used / total", "threshold: {limit: 5, unit: times its mean}"],
    ],
)
def test_a_quotient_that_is_made_percent_or_is_none_is_not_told(rows: list[str]) -> None:
    assert found(SLUG, rule(*PARTS, *rows, index=MEMORY)) == []
