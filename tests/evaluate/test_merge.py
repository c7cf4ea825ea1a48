"""Rules that look at the same documents by the same keys are one request, and don't notice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from sre_obs.evaluate.needs import Answer, Entities, Figure, Of, Span
from sre_obs.evaluate.plan import ask
from sre_obs.model.errors import Blame, SourceError
from sre_obs.model.evaluation import Outcome
from sre_obs.model.rule import Comparison, Function, Rule
from tests.evaluate import estate
from tests.evaluate.estate import composed, measure
from tests.evaluate.world import LOGS, T0, World

WAITING = {"term": {"level": "waiting"}}
FAILED = {"term": {"level": "failed"}}
READY = {"term": {"ready": True}}


def rules() -> list[Rule]:
    """Twenty rules on the pods of one stream, of every kind of measure."""
    ones = [
        *(composed(measure(function=Function.MAX, field="cpu"), limit=40.0 + n) for n in range(5)),
        *(composed(measure(function=Function.AVG, field="cpu"), limit=50.0 + n) for n in range(4)),
        composed(measure(function=Function.MIN, field="cpu"), comparison=Comparison.LT, limit=40.0),
        composed(measure(function=Function.LATEST, field="restarts"), limit=20.0),
        composed(measure(function=Function.LATEST, field="restarts"), limit=40.0),
        composed(measure(function=Function.PERCENTILE, field="cpu", percent=95.0), limit=60.0),
        composed(measure(function=Function.AGE, field="began"), limit=1_000.0),
        composed(measure(function=Function.CARDINALITY, field="level"), limit=3.0),
        composed(measure(function=Function.MATCHES, dsl=WAITING)),
        composed(measure(function=Function.MATCHES, dsl=FAILED)),
        composed(
            measure("used", Function.LATEST, field="cpu"),
            measure("room", Function.LATEST, field="limit"),
            value="used / room", limit=0.8,
        ),
        composed(
            measure("bad", dsl=WAITING, missing=0.0), measure("all"),
            value="bad / all", valid="all >= 10", limit=0.1,
        ),
        composed(measure(), limit=25.0),
    ]  # fmt: skip
    return [replace(one, id=f"app/r{n:02}") for n, one in enumerate(ones)]


def world_of(ones: Sequence[Rule]) -> World:
    world = World(*ones)
    world.source = type(world.source)(types=estate.TYPES)
    world.source.add(LOGS, *estate.documents())
    return world


def looks(world: World) -> int:
    """Requests for all entities, but for the page that says it was the last."""
    bodies = [r.body for r in world.source.asked if r.body["size"] == 0]
    composites = [b["aggs"]["entities"]["composite"] for b in bodies if "entities" in b["aggs"]]
    return sum("after" not in one for one in composites)


def test_twenty_rules_on_one_stream_are_few_requests_and_the_same_alerts() -> None:
    together = world_of(rules())
    together.round(T0)
    first = together.source.calls[0]
    alone: dict[str, object] = {}
    requests = 0
    for one in rules():
        world = world_of([one])
        world.round(T0)
        requests += world.source.calls[0]
        for alert in world.firing():
            alone[alert.fingerprint] = (alert.evidence.value, alert.evidence.measures)
    got = {a.fingerprint: (a.evidence.value, a.evidence.measures) for a in together.firing()}
    assert got == alone
    assert len({a.rule for a in together.firing()}) > 15
    assert requests == 40
    assert first <= 4  # the merged ones and the stream's life


def test_the_answer_of_a_shared_request_is_put_into_words_once() -> None:
    world = world_of(())
    span = Span((LOGS,), T0 - 300, T0)
    needs = [Entities(span, (), ("pod",), (Figure(of, "cpu"),)) for of in (Of.MAX, Of.MIN)]
    first, second = ask(needs, world.source, lambda: 0.0)
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert first.request != second.request
    assert first.answer.startswith("{")
    assert first.answer is second.answer


def test_a_search_that_looks_at_few_documents_is_not_made_to_look_at_all() -> None:
    narrow = [
        composed(measure(dsl=WAITING), limit=2.0, id="app/waiting"),
        composed(measure(dsl=FAILED), limit=2.0, id="app/failed"),
        composed(measure(function=Function.MAX, field="cpu"), limit=60.0, id="app/all"),
    ]
    world = world_of(narrow)
    world.round(T0)
    assert world.source.calls[0] == 4


def test_one_bad_rule_blinds_only_itself() -> None:
    ones = rules()
    world = world_of(ones)

    def failing(request: object) -> SourceError | None:
        return (
            SourceError("no such field", Blame.REQUEST) if "'restarts'" in repr(request) else None
        )

    world.source.failing = failing
    world.round(T0)
    wrong = {
        name for name, run in world.ledger.runs.items() if run.outcome is Outcome.MISCONFIGURED
    }
    assert wrong == {one.id for one in ones if any(m.field == "restarts" for m in one.measures)}
    assert len({alert.rule for alert in world.firing()}) > 13


def test_where_nobody_answers_nobody_is_asked_again() -> None:
    world = world_of(rules())
    world.source.failing = lambda _: SourceError("refused", Blame.UNREACHABLE)
    world.round(T0)
    assert len(world.source.calls) == 1
    assert {run.outcome for run in world.ledger.runs.values()} == {Outcome.STALE}


@pytest.mark.parametrize("order", [1, -1])
def test_the_same_rules_in_any_order_are_the_same_request(order: int) -> None:
    world = world_of(rules()[::order])
    world.round(T0)
    first = world_of(rules())
    first.round(T0)
    merged = [r.body for r in world.source.asked if "keep" in repr(r.body)]
    same = [r.body for r in first.source.asked if "keep" in repr(r.body)]
    assert merged[0] in same
