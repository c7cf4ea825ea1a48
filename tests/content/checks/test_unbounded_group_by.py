"""rules/unbounded-group-by."""

from __future__ import annotations

import pytest

from tests.conftest import Golden
from tests.content.checks.looking import found, report, rule

SLUG = "rules/unbounded-group-by"


def test_a_group_for_each_document_is_told(golden: Golden) -> None:
    text = report(
        SLUG,
        rule("group_by: [service.name, trace.id]", index="traces-apm-*"),
        rule("group_by: [url.full]", index="logs-nginx.access-*"),
        rule("group_by: [postgresql.activity.query]", index="metrics-postgresql.activity-*"),
        rule("group_by: [kubernetes.pod.status.ready_time]"),
        rule("group_by: ['@timestamp']"),
    )
    golden("checks", SLUG, "report.txt", text)


@pytest.mark.parametrize("field", ["kubernetes.pod.uid", "host.name", "container.id", "no.such"])
def test_a_group_that_somebody_owns_is_not_told(field: str) -> None:
    assert found(SLUG, rule(f"group_by: [{field}]")) == []
