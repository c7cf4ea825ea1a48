"""rules/unknown-field."""

from __future__ import annotations

import pytest

from tests.conftest import Golden
from tests.content.checks.looking import found, report, rule

SLUG = "rules/unknown-field"


def test_a_field_that_no_stream_has_is_told_with_the_nearest_or_its_home(golden: Golden) -> None:
    text = report(
        SLUG,
        rule("query: 'kubernetes.pod.status.phse: running'"),
        rule("query: 'kubernetes.container.status.reason: OOMKilled'"),
        rule("group_by: [kubernetes.pod.name, kubernetes.pod.colour]"),
        rule("threshold: {function: max, field: kubernetes.pod.ready_time, limit: 5}"),
        rule("evidence: [kubernetes.pod.status.phrase]"),
        rule("language: lucene", "query: 'kubernetes.pod.status.phse:running'"),
        rule("language: dsl", "query: {bool: {filter: [{term: {kubernetes.pod.phase: x}}]}}"),
        rule(
            "group_by: [kubernetes.pod.uid, kubernetes.volume.name]",
            "measures:",
            "  a: {function: count, index: metrics-kubernetes.volume-*}",
            "  b: {function: count, query: 'kubernetes.volume.x: 1'}",
            "value: a / b",
        ),
        rule("query: >-", "  kubernetes.pod.status.phase: running", "  and kubernetes.pod.oops: 1"),
    )
    golden("checks", SLUG, "report.txt", text)


@pytest.mark.parametrize(
    "text",
    [
        rule("query: 'kubernetes.pod.status.phase: running'"),
        rule("query: 'kubernetes.labels.app: shop and labels.team: x'"),
        rule("query: 'kubernetes.pod: *'"),
        rule("query: 'kubernetes.pod.*: running'"),
        rule("query: '_index: x and \"any field\"'"),
        rule("query: 'no.such: x'", index="logs-nginx.access-*"),
        rule("query: 'no.such: x'", index="logs-*"),
        rule("query: 'no.such: x'", index="metrics-*"),
        rule("query: 'json.anything: x'", index="logs-kubernetes.container_logs-*"),
        rule("query: 'kubernetes.volume.name: x'", index="metrics-kubernetes.*"),
        rule("query: 'kubernetes.pod.status.phase: running'", index="paris:metrics-kubernetes.*"),
    ],
)
def test_what_a_stream_may_have_is_not_told(text: str) -> None:
    assert found(SLUG, text) == []


def test_a_pattern_over_many_streams_is_held_against_all_of_them() -> None:
    text = rule("query: 'kubernetes.pod.status.phaze: x'", index="metrics-kubernetes.*")
    assert len(found(SLUG, text)) == 1
