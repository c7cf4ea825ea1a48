"""rules/template."""

from __future__ import annotations

import pytest

from tests.conftest import Golden
from tests.content.checks.looking import found, report, rule

SLUG = "rules/template"


def test_a_name_that_the_alert_does_not_have_is_told(golden: Golden) -> None:
    rows = "group_by: [kubernetes.pod.name]"
    summaries = (
        "{{ lables.pod }}",
        "{{ labels.pod }}",
        "{{ entity['kubernetes.pod'] }}",
        "{{ measures.used }} of {{ variables.most }}",
        "{{ value | rond }}",
        "{{ rule.name }}",
        "{% include 'x' %}",
        "{{ valu | fromat }} of {{ limt }} {{ valu }}, {{ labels.pod }}",
    )
    text = report(SLUG, *(rule(rows, f'annotations: {{summary: "{s}"}}') for s in summaries))
    text += report(
        SLUG,
        rule(
            "annotations:", "  summary: >-", "    one", "    {{ value }} two", "    {{ nothing }}"
        ),
        rule().replace(
            "runbook: https://runbooks.test/x", "runbook: {act: 'kubectl {{ labels.pod }}'}"
        ),
    )
    golden("checks", SLUG, "report.txt", text)


@pytest.mark.parametrize(
    "summary",
    [
        "{{ labels.kubernetes_pod_name }} {{ labels.alertname }} {{ labels.team }}",
        "{{ entity['kubernetes.pod.name'] }} {{ rule.title }} {{ value }} {{ limit }}",
        "{% for d in documents %}{{ d['host.name'] }} {{ loop.index }}{% endfor %}",
        "{{ measures.used }} {{ variables.most }}",
        "plain text",
    ],
)
def test_what_the_alert_has_is_not_told(summary: str) -> None:
    text = rule(
        "group_by: [kubernetes.pod.name]",
        "labels: {team: shop}",
        "variables: {most: 5}",
        "measures: {used: {}}",
        f'annotations: {{summary: "{summary}"}}',
    )
    assert found(SLUG, text) == []


def test_of_a_template_that_is_all_wrong_the_first_faults_are_told() -> None:
    summary = " ".join(f"{{{{ a{number} }}}}" for number in range(500))
    assert len(found(SLUG, rule(f'annotations: {{summary: "{summary}"}}'))) == 20
