"""A rule that wakes somebody and does not say what to do."""

from __future__ import annotations

from collections.abc import Iterator

from sre_obs.content.rules.checks.subject import Subject
from sre_obs.model.problem import Problem, Severity

SLUG = "rules/missing-runbook"


def check(subject: Subject) -> Iterator[Problem]:
    """A link is enough, or what it means and what to do first."""
    rule = subject.rule
    told = rule.annotations.get("action", "").strip()
    if rule.runbook or told:
        return
    key = "runbook" if "runbook" in subject.written.root else "severity"
    yield subject.problem(
        SLUG,
        subject.written.key(key),
        "no runbook: whoever is woken does not know what to do first",
        "add runbook: {means: ..., look: ..., act: ...}, or a link",
        Severity.WARNING,
    )
