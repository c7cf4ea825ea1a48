"""rules/never-matches."""

from __future__ import annotations

import pytest

from tests.conftest import Golden
from tests.content.checks.looking import found, report, rule

SLUG = "rules/never-matches"
PHASE = "kubernetes.pod.status.phase"
TIME = "kubernetes.pod.status.ready_time"
PVC = "kubernetes.namespace"
NEVER = (
    "{bool: {must_not: [{match_all: {}}]}}",
    f"{{terms: {{{PVC}: []}}}}",
    f"{{bool: {{filter: [{{term: {{{PVC}: a}}}}, {{bool: {{must_not: {{match_all: {{}}}}}}}}]}}}}",
    f"{{bool: {{should: [{{match_none: {{}}}}, {{terms: {{{PVC}: []}}}}]}}}}",
    f"{{bool: {{must_not: [{{bool: {{must_not: {{terms: {{{PVC}: []}}}}}}}}]}}}}",
)


def test_a_clause_that_nothing_fulfils_is_told(golden: Golden) -> None:
    queries = (
        f"{PHASE}: Running",
        f"{PHASE}: gone",
        f"{PHASE}: fail*d and {PVC}: x and {PHASE}: run*t",
        f"{PVC}: a and {PVC}: b",
        f"{TIME} > 5 and {TIME} < 3",
        f"{TIME} > 5 and {TIME} <= 5",
        f"{TIME} > 5 and {TIME}: 3",
        f"{PVC}: a and not {PVC}: a",
        f"not {PVC}: * and {PVC}: a",
        f"{PVC}: a and ({PHASE}: running or ({PHASE}: failed and {PVC}: b))",
        f"not {PHASE}: Failed",
    )
    text = report(SLUG, *(rule(f"query: '{query}'") for query in queries))
    text += report(SLUG, rule("language: lucene", f"query: '{PVC}:a AND {PVC}:b'"))
    text += report(SLUG, rule("language: lucene", f"query: '{TIME}:[5 TO 3]'"))
    text += report(SLUG, *(rule("language: dsl", f"query: {dsl}") for dsl in NEVER))
    text += report(
        SLUG,
        rule(
            *("language: dsl", "measures:", "  a: {function: count}"),
            "  b: {function: count, query: {match_none: {}}}",
            "value: a + b",
        ),
    )
    golden("checks", SLUG, "report.txt", text)


@pytest.mark.parametrize(
    "query",
    [
        f"{PHASE}: (running or failed)",
        f"{PHASE}: running or {PHASE}: failed",
        f"{PVC}: a or {PVC}: b",
        f"{PVC}: a* and {PVC}: ab",
        f"{TIME} > 3 and {TIME} < 5",
        f"{TIME} >= 5 and {TIME} <= 5",
        f"{PVC}: a and not {PVC}: b",
        f"not ({PVC}: a and {PVC}: b)",
        "tags: a and tags: b",
        "unknown.field: a and unknown.field: b",
        f"not {PHASE}: succeeded",
        f"{PHASE}: pend*",
    ],
)
def test_a_query_that_something_fulfils_is_not_told(query: str) -> None:
    assert (
        found(
            SLUG,
            rule(
                f"query: '{query}'",
            ),
        )
        == []
    )


@pytest.mark.parametrize(
    "query",
    [
        "{match_all: {}}",
        "{bool: {must_not: [{match_none: {}}]}}",
        f"{{terms: {{{PVC}: [a]}}}}",
        f"{{bool: {{must_not: [{{terms: {{{PVC}: []}}}}]}}}}",
        f"{{bool: {{should: [{{match_none: {{}}}}, {{term: {{{PVC}: a}}}}]}}}}",
        f"{{bool: {{must: [{{term: {{{PVC}: a}}}}], should: [{{match_none: {{}}}}]}}}}",
        "{bool: {}}",
    ],
)
def test_a_dsl_query_that_something_fulfils_is_not_told(query: str) -> None:
    assert found(SLUG, rule("language: dsl", f"query: {query}")) == []
