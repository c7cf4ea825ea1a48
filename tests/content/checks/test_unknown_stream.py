"""rules/unknown-stream."""

from __future__ import annotations

import pytest

from tests.conftest import Golden
from tests.content.checks.looking import found, report, rule

SLUG = "rules/unknown-stream"


def test_an_index_called_almost_like_a_known_one_is_told(golden: Golden) -> None:
    text = report(
        SLUG,
        rule(index="metrics-kubernetes.statepod-*"),
        rule(index="metrics-postgresql.activty-prod"),
        rule("measures:", "  a: {index: metrics-system.memroy-*}", "value: a"),
    )
    golden("checks", SLUG, "report.txt", text)


@pytest.mark.parametrize("index", ["logs-nginx.access-*", "metrics-shop.orders-*", "logs-*"])
def test_an_index_of_somebody_else_is_not_told(index: str) -> None:
    assert found(SLUG, rule(index=index)) == []
