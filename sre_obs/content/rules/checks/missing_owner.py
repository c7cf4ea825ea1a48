"""A rule that belongs to nobody."""

from __future__ import annotations

from collections.abc import Iterator

from sre_obs.content.rules.checks.subject import Subject
from sre_obs.model.problem import Problem, Severity

SLUG = "rules/missing-owner"


def check(subject: Subject) -> Iterator[Problem]:
    """Said where the severity stands: that is what somebody must care about."""
    if not subject.rule.owner.strip():
        yield subject.problem(
            SLUG,
            subject.written.key("owner" if "owner" in subject.written.root else "severity"),
            "nobody owns this rule",
            "add owner: <team>",
            Severity.WARNING,
        )
