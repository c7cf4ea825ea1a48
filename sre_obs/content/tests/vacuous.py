"""Cases that expect nothing of nothing: they pass whatever their rule says."""

from __future__ import annotations

from collections.abc import Iterator

from sre_obs.content.tests.suite import Case, Recorded, Suite
from sre_obs.model.problem import Problem, Severity
from sre_obs.model.rule import NoData, Rule, RuleKind

SLUG = "tests/vacuous"


def vacuous(suite: Suite, rule: Rule) -> Iterator[Problem]:
    """Each case without an alert, an outcome, or a document that its rule could come across.

    Of a rule that speaks of silence, no document is a case like any other.
    """
    if rule.kind is RuleKind.ABSENCE or rule.no_data is not NoData.HOLD:
        return
    for case in suite.cases:
        if case.expected or case.stands:
            continue
        why = _empty(case)
        if why:
            yield suite.document.problem(
                SLUG,
                case.location,
                f"nothing is expected, and {why}: the case can't fail",
                "give it the documents that the rule must not alert on",
                Severity.WARNING,
            )


def _empty(case: Case) -> str:
    """Why no run of a case can see a document, "" if one can or nobody knows."""
    # The first of a recording may be known to its file alone.
    firsts = [b.first for b in case.documents if isinstance(b, Recorded) or b.count]
    if not firsts:
        return "there is no document"
    known = [first for first in firsts if first is not None]
    late = len(known) == len(firsts) and case.until is not None and min(known) >= case.until
    return "until is before the first document" if late else ""
