"""Documents and requests from seeds get the server's responses."""

from __future__ import annotations

import json
import os

import pytest

from sre_obs.query.search import Corpus
from tests.query.parity.compare import REFUSED, differences, ours, theirs
from tests.query.parity.generate import MAPPINGS, Generator
from tests.query.parity.measures import Measures
from tests.query.parity.needs import Needs
from tests.query.parity.server import server_at

NOW = 1_800_000_000.0
SEEDS = 100 if os.environ.get("SRE_OBS_TEST_FULL") == "1" else 12
REQUESTS = 200

pytestmark = pytest.mark.server


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_seed_answers_as_the_server(elasticsearch_url: str, seed: int) -> None:
    compare(elasticsearch_url, Generator(seed), f"seed{seed}")


@pytest.mark.parametrize("seed", range(SEEDS // 2))
def test_a_seed_of_rules_requests_answers_as_the_server(elasticsearch_url: str, seed: int) -> None:
    compare(elasticsearch_url, Measures(seed), f"measures{seed}")


@pytest.mark.parametrize("seed", range(SEEDS // 2))
def test_a_seed_of_needs_answers_as_the_server(elasticsearch_url: str, seed: int) -> None:
    compare(elasticsearch_url, Needs(seed), f"needs{seed}")


def compare(url: str, generator: Generator, name: str) -> None:
    """All requests of the generator over its documents, in process and on the server."""
    documents = generator.documents(60)
    requests = generator.requests(REQUESTS)
    with server_at(url) as server:
        index = server.index(name, MAPPINGS, documents)
        answers = server.searches(index, requests)
    corpus = Corpus()
    corpus.create(index, MAPPINGS)
    corpus.add(index, *documents)
    wrong = []
    answered = 0
    for body, answer in zip(requests, answers, strict=True):
        mine = ours(corpus, index, body, NOW)
        if isinstance(mine, str) and mine.startswith(REFUSED):
            continue  # by name: that is the other honest answer
        answered += 1
        found = differences(mine, theirs(answer))
        if found:
            wrong.append(json.dumps(body) + "\n    " + "\n    ".join(found[:3]))
    assert answered >= 0.97 * REQUESTS
    assert not wrong, f"{len(wrong)} of {REQUESTS} differ:\n" + "\n".join(wrong[:5])
