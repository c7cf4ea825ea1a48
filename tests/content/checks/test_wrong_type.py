"""rules/wrong-type."""

from __future__ import annotations

import pytest

from tests.conftest import Golden
from tests.content.checks.looking import found, report, rule

SLUG = "rules/wrong-type"
CONTAINERS = "metrics-kubernetes.state_container-*"


def test_what_the_type_does_not_take_is_told(golden: Golden) -> None:
    queries = (
        "kubernetes.namespace > 5",
        "kubernetes.container.status.ready >= 1",
        "kubernetes.container.status.restarts: 5*",
        "kubernetes.container.status.restarts: many",
        "kubernetes.container.status.ready: yes",
        "@timestamp >= yesterday",
        "host.ip: 10.0.*",
        "host.ip: home",
    )
    text = report(SLUG, *(rule(f"query: '{query}'", index=CONTAINERS) for query in queries))
    functions = (
        "{function: avg, field: kubernetes.container.status.phase, limit: 1}",
        "{function: latest, field: kubernetes.container.status.reason, limit: 1}",
        "{function: increase, field: kubernetes.container.status.ready, limit: 1}",
        "{function: age, field: kubernetes.container.status.last_terminated_timestamp, limit: 1}",
        "{function: cardinality, field: error.message, limit: 1}",
    )
    text += report(SLUG, *(rule(f"threshold: {f}", index=CONTAINERS) for f in functions))
    text += report(
        SLUG,
        rule("group_by: [error.message]", index=CONTAINERS),
        rule("query: 'transaction.duration.histogram > 5'", index="metrics-apm.transaction.1m-*"),
    )
    golden("checks", SLUG, "report.txt", text)


@pytest.mark.parametrize(
    "query",
    [
        "kubernetes.container.status.restarts >= 5 and kubernetes.container.status.restarts: 7",
        "kubernetes.container.status.ready: true",
        'kubernetes.container.status.ready: "false"',
        "@timestamp >= now-5m and @timestamp < 2026-01-31",
        "host.ip: 10.0.0.0/8",
        "kubernetes.namespace: shop-*",
        "kubernetes.namespace >= shop",
        "unknown.field > x",
    ],
)
def test_what_the_type_takes_is_not_told(query: str) -> None:
    assert found(SLUG, rule(f"query: '{query}'", index=CONTAINERS)) == []


@pytest.mark.parametrize(
    "threshold",
    [
        "{function: cardinality, field: kubernetes.namespace, limit: 1}",
        "{function: changes, field: kubernetes.container.status.phase, limit: 1}",
        "{function: latest, field: kubernetes.container.memory.limit.bytes, limit: 1}",
        "{function: avg, field: no.such, limit: 1}",
    ],
)
def test_a_function_of_the_right_type_is_not_told(threshold: str) -> None:
    assert found(SLUG, rule(f"threshold: {threshold}", index=CONTAINERS)) == []


def test_a_field_of_two_types_is_only_wrong_if_it_is_so_in_both() -> None:
    """In logs process.pid is a number; where it is none the query is right."""
    text = rule("query: 'log.level: 5*'", index="logs-*")
    assert found(SLUG, text) == []
