"""What is asked, as goldens; and what becomes of answers that are not what was asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from sre_obs.evaluate.kinds import threshold
from sre_obs.evaluate.kinds.stream import life, slots, window
from sre_obs.evaluate.needs import Answer, Entities, Need, Samples
from sre_obs.evaluate.plan import ask
from sre_obs.evaluate.ports import Request
from sre_obs.evaluate.request import page_size, request_of
from sre_obs.model.errors import Blame, SourceError
from sre_obs.model.fields import FieldTypes
from sre_obs.model.rule import Comparison, Function, Rule, Threshold
from tests.evaluate.world import T0, rule

RULE = rule(
    dsl={"term": {"level": {"value": "error"}}},
    group_by=("orchestrator.cluster.name", "kubernetes.pod.uid"),
    query_delay=30.0,
)
SPAN = window(RULE, T0)


def of(**changes: Any) -> Entities:
    return first(rule(**{"query_delay": 30.0, **changes}))


def first(one: Rule) -> Entities:
    """The first thing that a threshold rule asks."""
    need = next(threshold.judge(one, T0, {}))[0]
    assert isinstance(need, Entities)
    return need


NEEDS: dict[str, Need] = {
    "any-document-by-entity": first(RULE),
    "average-below-a-limit-by-pod": of(
        threshold=Threshold(Function.AVG, "cpu", comparison=Comparison.LT, limit=0.1)
    ),
    "count-over-a-limit-by-pod": of(threshold=Threshold(limit=20.0)),
    "percentile-of-the-whole": of(
        group_by=(), threshold=Threshold(Function.PERCENTILE, "cpu", 99.9, limit=1.5)
    ),
    "percentile-by-pod": of(threshold=Threshold(Function.PERCENTILE, "cpu", 95, limit=1.5)),
    "count-of-the-whole": of(group_by=()),
    "newest-document": life(RULE, T0),
    "presence-of-two-entities": Entities(
        SPAN, (), RULE.group_by, (slots(SPAN),), among=('["eu","u-1"]', '[null,"u-2"]')
    ),
    "presence-of-two-pods": Entities(SPAN, (), ("pod",), (slots(SPAN),), among=('["a"]', '["b"]')),
    "coverage-of-the-stream": Entities(SPAN, figures=(slots(SPAN),)),
    "documents-of-an-entity": Samples(
        SPAN, (RULE.query.dsl,), RULE.group_by, '[null,"u-2"]', ("@timestamp", "message")
    ),
}


@pytest.mark.parametrize("name", NEEDS)
def test_a_need_becomes_this_request(
    name: str, golden: Callable[[str, str, str, str], None]
) -> None:
    request = request_of(NEEDS[name])
    text = json.dumps({"index": request.index, "body": request.body}, indent=2) + "\n"
    golden("evaluate", "requests", f"{name}.json", text)


class Answers:
    """A Source that answers from a list, whatever it is asked."""

    name = "default"

    def __init__(self, *answers: Mapping[str, Any] | SourceError) -> None:
        self.answers = list(answers)
        self.asked: list[Request] = []

    def search(self, requests: Sequence[Request]) -> list[Mapping[str, Any] | SourceError]:
        self.asked.extend(requests)
        return [self.answers.pop(0) for _ in requests]

    def describe(self) -> str:
        return "documents in memory"

    def field_types(self, indices: Sequence[str]) -> FieldTypes:
        return {}


def page(*pods: str) -> dict[str, Any]:
    buckets = [{"key": {"pod": pod}, "doc_count": 1} for pod in pods]
    found: dict[str, Any] = {"buckets": buckets}
    if pods:
        found["after_key"] = {"pod": pods[-1]}
    return {"took": 7, "_shards": {"total": 1}, "aggregations": {"entities": found}}


def clock() -> float:
    return 0.0


def test_pages_follow_one_another_to_the_end_and_their_time_adds_up() -> None:
    need = of(threshold=Threshold(limit=2.0))
    source = Answers(page("a", "b"), page("c"), page())
    (answer,) = ask([need], source, clock)
    assert isinstance(answer, Answer)
    assert [row.entity["pod"] for row in answer.rows] == ["a", "b", "c"]
    assert answer.seconds == pytest.approx(0.021)
    after = [r.body["aggs"]["entities"]["composite"].get("after") for r in source.asked]
    assert after == [None, {"pod": "b"}, {"pod": "c"}]


def test_a_page_that_is_not_full_is_the_last_where_nothing_was_dropped() -> None:
    source = Answers(page("a", "b"))
    assert isinstance(ask([of()], source, clock)[0], Answer)
    assert len(source.asked) == 1


def test_an_error_on_a_later_page_is_the_answer() -> None:
    lost = SourceError("gone", Blame.UNREACHABLE)
    assert ask([of(threshold=Threshold(limit=2.0))], Answers(page("a"), lost), clock) == [lost]


@pytest.mark.parametrize(
    "answer",
    [{}, {"aggregations": None}, {"aggregations": {"entities": {"buckets": [{}]}}}, {"hits": 1}],
    ids=str,
)
def test_an_answer_without_what_was_asked_for_is_garbled(answer: Mapping[str, Any]) -> None:
    (found,) = ask([of()], Answers(answer), clock)
    assert isinstance(found, SourceError)
    assert found.blame is Blame.GARBLED


def test_no_index_at_all_is_no_entity_and_a_count_of_zero() -> None:
    nothing = {"took": 1, "_shards": {"total": 0}, "hits": {"hits": []}}
    grouped, whole, newest = ask(
        [of(), of(group_by=()), life(RULE, T0)], Answers(nothing, nothing, nothing), clock
    )
    assert isinstance(grouped, Answer)
    assert isinstance(whole, Answer)
    assert isinstance(newest, Answer)
    assert grouped.rows == ()
    assert (whole.rows[0].count, whole.rows[0].found[0]) == (0, 0.0)
    assert newest.newest is None


def test_pages_stay_below_the_servers_limit_of_buckets() -> None:
    assert page_size(of()) == 10_000
    assert page_size(Entities(SPAN, group_by=("pod",), figures=(slots(SPAN),))) * 7 <= 65_536
