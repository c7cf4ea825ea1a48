"""What bundled rules ask in their own tests gets the server's answer, request by request.

`sre-obs test --against elasticsearch` compares the alerts that come of it; here every
number of every answer is compared. Types that this server lacks are replaced on both sides.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sre_obs.adapters.elasticsearch.scratch import STAND_INS, properties
from sre_obs.adapters.templates import BoundedRenderer
from sre_obs.app.bundled import bundled_rules
from sre_obs.app.usecases.rule_tests import files
from sre_obs.app.usecases.rule_tests.play import play
from sre_obs.app.usecases.rule_tests.run import RECORDINGS, contract_types
from sre_obs.app.usecases.rule_tests.source import CaseSource, Stage
from sre_obs.content.tests.load import load_suite
from sre_obs.evaluate.ports import Request
from sre_obs.model.errors import SourceError
from sre_obs.query.search import Corpus, search
from tests.query.parity.compare import differences, theirs
from tests.query.parity.server import Server, server_at

TESTS = files.find_tests([bundled_rules()])
FULL = os.environ.get("SRE_OBS_TEST_FULL") == "1"
# Cases of one rule differ by one fact, and the requests of one case by their times: of the
# latter those at both ends differ most.
CASES, REQUESTS = (1_000, 100) if FULL else (2, 8)

DYNAMIC = {
    "dynamic_templates": [
        {"strings": {"match_mapping_type": "string", "mapping": {"type": "keyword"}}}
    ]
}

pytestmark = pytest.mark.server


class Recording(CaseSource):
    """A case's source that keeps what it was asked, and when."""

    def __init__(self, corpus: Corpus) -> None:
        super().__init__(corpus)
        self.asked: dict[str, tuple[Request, float]] = {}

    def _one(self, request: Request) -> Mapping[str, Any] | SourceError:
        self.asked.setdefault(json.dumps([request.index, request.body]), (request, self.now))
        return super()._one(request)


@pytest.mark.parametrize("number", range(len(TESTS)), ids=[Path(t.name).stem for t in TESTS])
def test_a_rule_gets_the_answers_of_the_server(elasticsearch_url: str, number: int) -> None:
    found = TESTS[number]
    suite, _ = load_suite(found.path, name=found.name, recordings=RECORDINGS)
    assert suite is not None
    rule, problems = files.tested_rule(suite, found.name)
    assert rule is not None, problems
    wrong: list[str] = []
    with closing(BoundedRenderer()) as renderer:
        for case in suite.cases[:CASES]:
            stage = Stage.of(rule, case, contract_types(suite.rule), suite.start)
            types = {index: _stand_ins(known) for index, known in stage.types.items()}
            source = Recording(_corpus(stage, types, ""))
            play(rule, case, source, renderer, start=suite.start, timer=time.perf_counter)
            asked = _some(list(source.asked.values()))
            with server_at(elasticsearch_url) as server:
                for index, documents in stage.documents.items():
                    mappings = {"properties": properties(types[index], {}), **DYNAMIC}
                    server.index(index, mappings, documents, lenient=True)
                corpus = _corpus(stage, types, f"{server.prefix}-")
                wrong += [f"{case.name}: {w}" for w in _differing(server, corpus, asked)]
    assert not wrong, f"{len(wrong)} answers differ:\n" + "\n".join(wrong[:3])


def _differing(
    server: Server, corpus: Corpus, asked: Sequence[tuple[Request, float]]
) -> Iterator[str]:
    for request, now in asked:
        # Else a server would answer by its own clock.
        assert '"now' not in json.dumps(request.body), request.body
        names = ",".join(_here(server.prefix, name) for name in request.index)
        answer = server.searches(names, [request.body], missing=True)[0]
        mine = search(corpus, names, request.body, now, ignore_unavailable=True)
        if found := differences(mine, theirs(answer)):
            yield f"{json.dumps(request.body)}\n    " + "\n    ".join(found[:3])


def _here(prefix: str, name: str) -> str:
    local = name.rpartition(":")[2]
    return f"-{prefix}-{local[1:]}" if local.startswith("-") else f"{prefix}-{local}"


def _some(asked: list[tuple[Request, float]]) -> list[tuple[Request, float]]:
    if len(asked) <= REQUESTS:
        return asked
    step = (len(asked) - 1) / (REQUESTS - 1)
    return [asked[round(number * step)] for number in range(REQUESTS)]


def _stand_ins(types: Mapping[str, str]) -> dict[str, str]:
    return {name: STAND_INS.get(kind, kind) for name, kind in types.items()}


def _corpus(stage: Stage, types: Mapping[str, Mapping[str, str]], prefix: str) -> Corpus:
    corpus = Corpus()
    for index, documents in stage.documents.items():
        corpus.create(prefix + index, types[index])
        corpus.add(prefix + index, *documents)
    return corpus
