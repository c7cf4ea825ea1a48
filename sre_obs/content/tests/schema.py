"""The keys of a test file.

::

    cases:
      - name: 11 deadlocks in five minutes fire
        documents:
          - index: metrics-postgresql.database-default
            every: 10s
            fields: {postgresql.database.name: shop}
            series: {postgresql.database.deadlocks: 0x30 11x30}
        expect:
          - entity: {postgresql.database.name: shop}
            fires: 5m30s
            resolves: 10m
            value: 11
      - name: four do not
        like: 11 deadlocks in five minutes fire
        but: {postgresql.database.deadlocks: 0x30 4x30}
        expect: []
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from sre_obs.content.duration import parse_duration
from sre_obs.content.shape import (
    Duration,
    Many,
    Named,
    Number,
    Shape,
    Text,
    TextMap,
    Whole,
    Words,
    text_of,
    wrong,
)
from sre_obs.content.tests.suite import DateForm
from sre_obs.content.yaml import Scalar, Seq
from sre_obs.model.alert import EndReason
from sre_obs.model.evaluation import Outcome

# 0s of a file that names no time: a Thursday, and no change of daylight saving near.
START = "2026-01-15T03:00:00Z"
MOST_DOCUMENTS = 100_000
LONGEST = 30 * 86_400.0


def _signed(node: Any) -> float:
    text = text_of(node)
    try:
        seconds = parse_duration(text.removeprefix("-"))
    except ValueError as error:
        message, colon, remedy = str(error).partition(": ")
        raise wrong(message if colon else str(error), remedy) from None
    return -seconds if text.startswith("-") else seconds


def _start(node: Any) -> float:
    text = text_of(node)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise wrong("is no time", f"write {START}") from None
    if at.tzinfo is None:
        raise wrong("is a time without a zone", f"write {text}Z")
    at = at.astimezone(UTC)
    if not 1971 <= at.year <= 9000:
        raise wrong("is too far from now", f"write {START}")
    return at.timestamp()


def _list_or_name(node: Any) -> Any:
    if isinstance(node, Seq):
        return node
    raise wrong("must be a list", "write a line that begins with - for each")


def _one_or_list(node: Any) -> Any:
    return node if isinstance(node, Seq) else [node]


Signed = Annotated[float, BeforeValidator(_signed, json_schema_input_type=str)]
Moment = Annotated[Duration, Field(le=LONGEST)]
Start = Annotated[float, BeforeValidator(_start, json_schema_input_type=str)]
# Whole, Number, or a parameter that becomes one: ${n}.
Count = Annotated[Whole, WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string"}]})]
Value = Annotated[Number, WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]})]
# The reasons that a rule has.
Ended = Annotated[
    Literal[EndReason.UNDER_LIMIT, EndReason.GONE, EndReason.NO_DATA], BeforeValidator(text_of)
]
# What stays a node until it is known where it ends: its places are what is reported.
AnyMap = Annotated[Any, WithJsonSchema({"type": "object"})]


class DateShape(Shape):
    """A date by its distance: `at` from 0s, or `ago` before each document's own time."""

    at: Signed | None = None
    ago: Signed | None = None
    as_: Annotated[DateForm, BeforeValidator(text_of)] = Field(DateForm.DATE, alias="as")


class ShiftShape(Shape):
    """Where a recording is moved to."""

    first: Signed


class BlockShape(Shape):
    """Documents: made, or out of a file."""

    name: Text = ""
    like: Text = ""
    index: Annotated[Text, Field(max_length=255)] = ""
    every: Annotated[Duration, Field(gt=0, le=86_400)] = 10.0
    from_: Signed = Field(0.0, alias="from")
    to: Signed | None = None
    count: Annotated[Count, Field(ge=0, le=MOST_DOCUMENTS)] | None = None
    fields: AnyMap = None
    series: AnyMap = None
    dates: Named[DateShape] = Field(default_factory=dict)
    file: Text = ""
    shift: ShiftShape | None = None


class ChangeShape(Shape):
    """A change of severity."""

    at: Moment
    severity: Text


class ExpectShape(Shape):
    """One alert."""

    entity: TextMap = Field(default_factory=dict)
    labels: TextMap = Field(default_factory=dict)
    fires: Moment
    resolves: Moment | None = None
    ended: Ended | None = None
    starts: Moment | None = None
    value: Value | None = None
    severity: Text | None = None
    levels: Many[ChangeShape] | None = None
    text: TextMap = Field(default_factory=dict)


class OutcomeShape(Shape):
    """How the rule stands at a time."""

    at: Moment
    is_: Annotated[Outcome, BeforeValidator(text_of)] = Field(alias="is")


class CaseShape(Shape):
    """One case, what it is like and its parameters filled in."""

    name: Annotated[Text, Field(max_length=200)]
    documents: Annotated[list[BlockShape], BeforeValidator(_list_or_name), Field(max_length=200)]
    until: Moment | None = None
    expect: Many[ExpectShape]
    outcome: Annotated[
        list[OutcomeShape],
        BeforeValidator(_one_or_list, json_schema_input_type=OutcomeShape | list[OutcomeShape]),
    ] = Field(default_factory=list)


def _as_it_is(node: Any) -> Any:
    return node


# Nodes that are read once their parameters are known; what editors see of them.
_Until = Annotated[Any, BeforeValidator(_as_it_is, json_schema_input_type=str)]
_Each = Annotated[Any, BeforeValidator(_as_it_is, json_schema_input_type=list[dict[str, Any]])]
_Block = Annotated[Any, BeforeValidator(_as_it_is, json_schema_input_type=BlockShape)]
_Blocks = Annotated[Any, BeforeValidator(_as_it_is, json_schema_input_type=list[str | BlockShape])]
_Expect = Annotated[Any, BeforeValidator(_as_it_is, json_schema_input_type=list[ExpectShape])]
_Outcome = Annotated[
    Any,
    BeforeValidator(_as_it_is, json_schema_input_type=OutcomeShape | list[OutcomeShape]),
]


class WrittenCaseShape(Shape):
    """One case as it is written, for its keys and for editors."""

    name: Annotated[Text, Field(max_length=200)]
    documents: _Blocks = None
    like: Text = ""
    but: AnyMap = None
    each: _Each = None
    until: _Until = None
    expect: _Expect = None
    outcome: _Outcome = None


class SuiteShape(Shape):
    """A test file."""

    start: Start = _start(Scalar(START, "", 0, 0))
    overrides: AnyMap = None
    documents: Named[_Block] = Field(default_factory=dict)
    cases: Annotated[Many[WrittenCaseShape], Field(min_length=1, max_length=10_000)]


WORDS = Words(
    "tests",
    instead={
        "tests": "write cases",
        "input": "write documents",
        "input_series": "write documents",
        "interval": "write every",
        "evaluation_interval": "remove it, a case runs at the rule's own interval",
        "eval_time": "write fires",
        "exp_alerts": "write expect",
        "expected": "write expect",
        "alerts": "write expect",
        "parametrize": "write each",
        "rule": "remove it, the rule is the file of the same name beside this one",
        "rule_files": "remove it, the rule is the file of the same name beside this one",
        "values": "write series",
        "annotations": "write text",
        "end": "write resolves",
        "start_at": "write starts",
        "reason": "write ended",
        "summary": "write text: {summary: ...}",
    },
)
