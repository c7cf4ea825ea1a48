"""rules/never-fires."""

from __future__ import annotations

import pytest

from tests.conftest import Golden
from tests.content.checks.looking import found, report, rule

SLUG = "rules/never-fires"
NODE = "metrics-elasticsearch.stack_monitoring.node_stats-*"
HEAP = "elasticsearch.node.stats.jvm.mem.heap.used.pct"
TWO = ("measures:", "  a: {function: count}", "  b: {function: count, query: 'host.name: x'}")

AGED = "measures: {a: {function: age, field: '@timestamp', from: now-9m, to: now-4m}}"


def test_what_can_not_be_reached_is_told(golden: Golden) -> None:
    text = report(
        SLUG,
        rule('threshold: {comparison: "<", limit: 0}'),
        rule(f"threshold: {{function: avg, field: {HEAP}, limit: 101}}", index=NODE),
        rule(
            "measures:",
            "  bad: {function: matches, query: 'host.name: x'}",
            'threshold: {comparison: ">", limit: 1}',
        ),
        rule(*TWO, "value: a + b", 'threshold: {comparison: "<=", limit: -1}'),
        rule(*TWO, "value: a", "when: b < 0"),
        rule(*TWO, "value: a", "when: b > 5 and b < 3"),
        rule(*TWO, "value: a", "when: a < 3 and b > 0"),
        rule(*TWO, "value: a / b", "valid: abs(b) < 0"),
        rule(*TWO, "value: min(a, 4)"),
        rule(
            *(*TWO, "value: a / (b + a)", "threshold: {limit: 10, clear: 5}"),
            *("levels:", "  - {severity: critical, limit: 50}"),
        ),
        rule(*TWO, "value: 100 * (a / (a + b))", "threshold: {limit: 101, unit: '%'}"),
        rule(*TWO, "value: 100 * a / (a + b)", "threshold: {limit: 101}"),
        rule(
            "group_by: [host.name]", "from: now-1h", "for: 1h", "forget_after: 1h", kind="absence"
        ),
        rule(*TWO, "value: a / 0"),
        rule("variables: {no: 0}", *TWO, "value: max(1, b + -(a / no))"),
        rule(*TWO, "value: a", "when: a > 3 and b / (1 - 1) > 2"),
        rule("threshold: {function: age, field: '@timestamp', limit: 3600}", "from: now-30m"),
        rule(AGED, "threshold: {limit: 301}"),
        rule(
            "group_by: [host.name]", "threshold: {function: cardinality, field: host.name}"
        ).replace("host.name}", "host.name, limit: 2}"),
        rule("threshold: {limit: 5}", "levels:", "  - {severity: critical, limit: 6}")
        .replace("threshold: {limit: 5}", 'threshold: {comparison: "<", limit: 1}')
        .replace("limit: 6", "limit: 0"),
    )
    golden("checks", SLUG, "report.txt", text)


@pytest.mark.parametrize(
    "rows",
    [
        ["threshold: {limit: 5}"],
        ['threshold: {comparison: "<=", limit: 0}'],
        ["threshold: {function: slope, field: kubernetes.pod.status.ready_time, limit: -5}"],
        [*TWO, "value: a - b", 'threshold: {comparison: "<", limit: -5}'],
        [*TWO, "value: a / b", "threshold: {limit: 1000}", "when: b > 5 and b < 30"],
        [*TWO, "value: a", "when: a > 3 or b > 0"],
        [*TWO, "value: 100 * a / (a + b)", "threshold: {limit: 99}"],
        [*TWO, "value: a / (b + 1)"],
        [*TWO, "value: (a + a) / (a + b)", "threshold: {limit: 1.5}"],
        [*TWO, "value: -1 * a / (a + b)", "threshold: {limit: -0.5}"],
        [TWO[0], "  a: {function: slope, field: x}", TWO[2], "value: a / (a + b)"],
        [*TWO, "value: a", "when: not b > 0"],
        [
            "measures:",
            "  a: {function: count, missing: -1}",
            'threshold: {comparison: "<", limit: 0}',
        ],
        [*TWO, "value: a", "when: a > 3 or b / 0 > 2"],
        [*TWO, "value: a / b"],
        ["threshold: {function: age, field: '@timestamp', limit: 60}", "from: now-30m"],
        [
            "group_by: [host.name]",
            "threshold: {function: cardinality, field: kubernetes.pod.name, limit: 2}",
        ],
        ["group_by: [host.name]", "threshold: {function: cardinality, field: host.name, limit: 1}"],
        ["variables: {most: 9}", *TWO, "value: a / most", "when: b < most"],
    ],
)
def test_what_can_be_reached_is_not_told(rows: list[str]) -> None:
    assert found(SLUG, rule(*rows)) == []
