"""Hand-picked requests give the server's response, one test each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sre_obs.query.search import Corpus
from tests.query.parity import cases
from tests.query.parity.compare import differences, ours, theirs
from tests.query.parity.server import server_at

NOW = 1_800_000_000.0

pytestmark = pytest.mark.server


class Both:
    """The corpus, and the server's answers to all cases."""

    def __init__(self, corpus: Corpus, index: str, answers: dict[str, Any]) -> None:
        self.corpus = corpus
        self.index = index
        self.answers = answers


@pytest.fixture(scope="module")
def both(elasticsearch_url: str) -> Iterator[Both]:
    with server_at(elasticsearch_url) as server:
        index = server.index("hand", cases.MAPPINGS, cases.DOCUMENTS)
        corpus = Corpus()
        corpus.create(index, cases.MAPPINGS)
        corpus.add(index, *cases.DOCUMENTS)
        answers = server.searches(index, list(cases.CASES.values()))
        yield Both(corpus, index, dict(zip(cases.CASES, answers, strict=True)))


@pytest.mark.parametrize("name", cases.CASES)
def test_answers_as_the_server(both: Both, name: str) -> None:
    body = cases.CASES[name]
    mine = ours(both.corpus, both.index, body, NOW)
    found = differences(mine, theirs(both.answers[name]), terminated="terminate_after" in body)
    assert not found, f"{name}: {body}\n" + "\n".join(found[:5])
