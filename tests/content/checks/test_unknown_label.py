"""routes/unknown-label."""

from __future__ import annotations

import click
import pytest

from sre_obs.app.cli.errors import problem_lines
from sre_obs.content import yaml
from sre_obs.content.routes.checks import unknown_label
from tests.conftest import Golden
from tests.content.problems import lines

LABELS = ("alertname", "severity", "team", "kubernetes_namespace")


def document(*matchers: str) -> yaml.Document:
    rows = "".join(f"    - matchers: ['{m}']\n" for m in matchers)
    return yaml.parse(f"route:\n  receiver: a\n  routes:\n{rows}", "routes.yml")[0]


def test_a_label_called_almost_like_one_of_ours_is_told(golden: Golden) -> None:
    found = unknown_label.check(
        document('kubernetes_namspace="shop"', 'serverity=~"crit.*"', 'alertnam!="x"'), LABELS
    )
    told = "\n".join(line for p in found for line in problem_lines(p, None)) + "\n"
    golden("checks", "routes/unknown-label", "report.txt", click.unstyle(told))


@pytest.mark.parametrize("matcher", ['team="x"', 'cluster="paris"', 'job=~"node.*"', "not one"])
def test_our_labels_and_those_of_others_are_not_told(matcher: str) -> None:
    assert lines(unknown_label.check(document(matcher), LABELS)) == []


def test_nothing_is_told_where_no_rule_was_seen() -> None:
    assert lines(unknown_label.check(document('serverity="x"'), ())) == []
