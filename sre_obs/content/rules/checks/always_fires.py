"""A limit that is met whatever is measured."""

from __future__ import annotations

from collections.abc import Iterator

from sre_obs.content.rules.checks import bounds
from sre_obs.content.rules.checks.subject import Subject
from sre_obs.model.expression import Name
from sre_obs.model.problem import Problem, Severity
from sre_obs.model.rule import Function, RuleKind

SLUG = "rules/always-fires"


def check(subject: Subject) -> Iterator[Problem]:
    """A limit that every value meets, in a rule that has no further condition."""
    rule = subject.rule
    if rule.kind is not RuleKind.THRESHOLD or rule.when is not None:
        return
    value = rule.value if rule.measures else Name("")
    if value is None:
        return
    can_be = bounds.of(value, bounds.of_measures(subject))
    limit = rule.threshold
    if bounds.against(limit.comparison, can_be, limit.limit)[1]:
        yield subject.problem(
            SLUG,
            subject.written.key("threshold", "limit"),
            f"always {limit.comparison} {limit.limit:g}: {_why(subject)}",
            "mend limit or comparison",
            Severity.ERROR,
        )


def _why(subject: Subject) -> str:
    counting = (Function.COUNT, Function.CARDINALITY)
    if all(m.measure.function in counting for m in subject.measures):
        return "a count is 0 or more"
    return "the value can't be anything else"
