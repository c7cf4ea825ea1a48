"""A rule without a test beside it."""

from __future__ import annotations

from collections.abc import Iterator

from sre_obs.content.rules.checks.subject import Subject
from sre_obs.model.problem import Problem, Severity

SLUG = "rules/missing-test"


def check(subject: Subject) -> Iterator[Problem]:
    """Said in the first line; nothing is said where it is not known what lies beside it."""
    if subject.tested is False:
        yield subject.problem(
            SLUG,
            subject.written.top(),
            "no test: nobody has seen this rule fire, or keep still",
            f"add {subject.rule.slug}.test.yml beside it",
            Severity.WARNING,
        )
