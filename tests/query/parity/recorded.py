"""The hand-picked cases with the server's answers, asked once: for runs without a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sre_obs.model.errors import SreObsError
from sre_obs.query.search import Corpus
from tests.query.parity import cases
from tests.query.parity.compare import REFUSED, differences, ours, theirs
from tests.query.parity.server import server_at
from tests.query.parity.test_cases import NOW
from tests.query.parity.test_lucene import FORGIVEN, PAIRS, QUERIES, body_of, dsl_of

INDEX = "hand"


def record(url: str, path: Path) -> None:
    """Ask the server all cases and keep what it said."""
    with server_at(url) as server:
        index = server.index(INDEX, cases.MAPPINGS, cases.DOCUMENTS)
        picked = server.searches(index, list(cases.CASES.values()))
        texts = [body_of({"query_string": {"query": text}}) for text in QUERIES]
        found = {"index": index, "cases": picked, "texts": server.searches(index, texts)}
    path.write_text(json.dumps(found), encoding="utf-8")


def failing(path: Path) -> Iterator[str]:
    """The names of the cases that come to something else than the server said."""
    recorded = json.loads(path.read_text(encoding="utf-8"))
    index = recorded["index"]
    corpus = Corpus()
    corpus.create(index, cases.MAPPINGS)
    corpus.add(index, *cases.DOCUMENTS)
    for (name, body), answer in zip(cases.CASES.items(), recorded["cases"], strict=True):
        if _differs(corpus, index, body, answer, terminated="terminate_after" in body):
            yield name
    real = dict(zip(QUERIES, recorded["texts"], strict=True))
    for text, typed in PAIRS:
        if text in FORGIVEN:
            continue
        try:
            dsl = dsl_of(text, typed)
        except SreObsError:
            yield f"lucene {text}"
            continue
        if _differs(corpus, index, body_of(dsl), real[text]):
            yield f"lucene {text}"


def _differs(
    corpus: Corpus, index: str, body: Any, answer: Any, *, terminated: bool = False
) -> bool:
    try:
        mine = ours(corpus, index, body, NOW)
    except Exception:  # noqa: BLE001 - a fault may break anything
        return True
    if isinstance(mine, str) and mine.startswith(REFUSED) and "slop" in mine:
        return False
    return bool(differences(mine, theirs(answer), terminated=terminated))
