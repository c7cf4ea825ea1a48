"""The keys of a rule file.

Words are the field's own: Elastic's ``index``, ``language``, ``query``, ``from``,
``interval``, ``threshold``; Prometheus' ``for``, ``keep_firing_for``, ``labels``,
``annotations``. A *measure* is a *function* of a *field*; a *value* made of measures is held
against a *limit* by a *comparison*, both in *unit*::

    title: Container memory is near its limit
    kind: threshold
    index: metrics-kubernetes.container-*
    from: now-5m
    group_by: [kubernetes.pod.name, kubernetes.container.name]
    measures:
      used: {function: avg, field: kubernetes.container.memory.workingset.bytes}
      most:
        function: latest
        field: kubernetes.container.memory.limit.bytes
        index: metrics-kubernetes.state_container-*
    value: used / most
    threshold: {comparison: ">=", limit: 0.9, unit: of its limit, clear: 0.85}
    levels:
      - {severity: critical, limit: 0.97, for: 2m}
    for: 10m
    severity: warning

A rule with one measure may write it into ``threshold``. The rule's id is ``<folder>/<file>``;
no key repeats it.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from sre_obs.content.shape import (
    Duration,
    Flag,
    Link,
    Many,
    Named,
    Number,
    OneOrMany,
    Shape,
    Text,
    TextMap,
    Texts,
    Whole,
    Window,
    Words,
    check_link,
    number_in,
    text_of,
    wrong,
)
from sre_obs.content.yaml import Map, Scalar
from sre_obs.model.rule import Comparison, Function, NoData, Over, RuleKind, RuleState

SEVERITIES = ("critical", "warning", "info")
MAX_TEXT = 10_000  # characters of a query or of one annotation

DAY = 86_400.0
_RUNS = re.compile(r"(\d{1,3}) of (\d{1,3})", re.ASCII)


def _variable(node: Any) -> float | str:
    """A number where one is written, a text otherwise."""
    text = text_of(node)
    number = None if node.style else number_in(text)
    return text if number is None else number


def _runs(node: Any) -> tuple[int, int]:
    match = _RUNS.fullmatch(text_of(node))
    if match is None:
        raise wrong("must say how many runs of how many", "write 3 of 5")
    hits, of = int(match.group(1)), int(match.group(2))
    if not 1 <= hits <= of or of < 2:
        raise wrong(f"can't be {hits} of {of}", "write 3 of 5")
    return hits, of


def _flapping(node: Any) -> Any:
    if isinstance(node, Map):
        return node
    text = text_of(node)
    if text.lower() not in ("true", "false"):
        raise wrong("must be true, false or numbers", "write {changes: 4, runs: 20, calm: 4}")
    return FlappingShape() if text.lower() == "true" else None


def _runbook(node: Any) -> Any:
    if not isinstance(node, Scalar):
        return node
    text = text_of(node)
    reason = check_link(text)
    if reason is not None:
        raise wrong(reason, "a runbook's text goes under means, look and act")
    return RunbookShape.model_construct(link=text)


Kind = Annotated[RuleKind, BeforeValidator(text_of)]
State = Annotated[RuleState, BeforeValidator(text_of)]
Severity = Annotated[Literal["critical", "warning", "info"], BeforeValidator(text_of)]
Language = Annotated[Literal["kql", "lucene", "dsl"], BeforeValidator(text_of)]
Compared = Annotated[Comparison, BeforeValidator(text_of)]
Silent = Annotated[NoData, BeforeValidator(text_of)]
Every = Annotated[Duration, Field(ge=1, le=DAY)]
Span = Annotated[Duration, Field(le=90 * DAY)]
Back = Annotated[Window, Field(ge=1, le=30 * DAY)]
Delay = Annotated[Duration, Field(le=3_600)]
Stale = Annotated[Duration, Field(ge=1, le=30 * DAY)]
Forget = Annotated[Duration, Field(ge=1, le=90 * DAY)]
Owner = Annotated[Text, Field(max_length=200)]
# A query stays a node: its language decides how it is read, its place what is reported.
Query = Annotated[Any, WithJsonSchema({"type": ["string", "object"]})]
Indices = Annotated[OneOrMany, Field(min_length=1, max_length=20)]
Fields = Annotated[Texts, Field(max_length=10)]
Formula = Annotated[Text, Field(max_length=2_000)]
Variable = Annotated[float | str, BeforeValidator(_variable, json_schema_input_type=float | str)]
Variables = Annotated[Named[Variable], Field(max_length=50)]


class ThresholdShape(Shape):
    """The limit that the value is held against; without measures also what is measured."""

    function: Annotated[Function, BeforeValidator(text_of)] = Function.COUNT
    field: Text = ""
    percent: Annotated[Number, Field(gt=0, le=100)] | None = None
    comparison: Compared = Comparison.GTE
    limit: Number
    unit: Annotated[Text, Field(max_length=40)] = ""
    clear: Number | None = None


class MeasureShape(Shape):
    """One number an entity."""

    function: Annotated[Function, BeforeValidator(text_of)] = Function.COUNT
    field: Text = ""
    percent: Annotated[Number, Field(gt=0, le=100)] | None = None
    index: Indices | None = None
    query: Query | None = None
    from_: Back | None = Field(None, alias="from")
    to: Annotated[Window, Field(ge=0, le=30 * DAY)] | None = None
    by: Fields | None = None
    series: Fields = Field(default_factory=list)
    over: Annotated[Over, BeforeValidator(text_of)] = Over.SUM
    order: Text = "@timestamp"
    from_zero: Flag = False
    missing: Number | None = None


class LevelShape(Shape):
    """A further severity of the same alert."""

    severity: Severity
    limit: Number | None = None
    comparison: Compared | None = None
    clear: Number | None = None
    for_: Span | None = Field(None, alias="for")


class FlappingShape(Shape):
    """When an alert that comes and goes is kept."""

    changes: Annotated[Whole, Field(ge=2, le=100)] = 4
    runs: Annotated[Whole, Field(ge=2, le=100)] = 20
    calm: Annotated[Whole, Field(ge=1, le=100)] = 4


class RunbookShape(Shape):
    """What a person needs who was woken."""

    means: Text = ""
    look: Text = ""
    act: Text = ""
    link: Link = ""


Flap = Annotated[
    FlappingShape | None,
    BeforeValidator(_flapping, json_schema_input_type=bool | FlappingShape),
]
Runs = Annotated[tuple[int, int], BeforeValidator(_runs, json_schema_input_type=str)]
Levels = Annotated[Many[LevelShape], Field(max_length=4)]


class RuleShape(Shape):
    """A rule file."""

    title: Annotated[Text, Field(max_length=200)]
    kind: Kind
    source: Text = "default"
    index: Indices
    language: Language = "kql"
    query: Query | None = None
    from_: Back | None = Field(None, alias="from")
    interval: Every = 60.0
    query_delay: Delay = 30.0
    group_by: Fields = Field(default_factory=list)
    variables: Variables = Field(default_factory=dict)
    measures: Annotated[Named[MeasureShape], Field(max_length=20)] = Field(default_factory=dict)
    value: Formula = ""
    when: Formula = ""
    valid: Formula = ""
    threshold: ThresholdShape | None = None
    levels: Levels = Field(default_factory=list)
    for_: Span = Field(0.0, alias="for")
    keep_firing_for: Span = 0.0
    runs: Runs | None = None
    flapping: Flap = None
    no_data: Silent = NoData.HOLD
    stale_after: Stale = 120.0
    forget_after: Forget = DAY
    entities: Annotated[Many[TextMap], Field(max_length=1_000)] = Field(default_factory=list)
    state: State = RuleState.LIVE
    severity: Severity
    owner: Owner = ""
    runbook: Annotated[
        RunbookShape, BeforeValidator(_runbook, json_schema_input_type=str | RunbookShape)
    ] = RunbookShape()
    labels: TextMap = Field(default_factory=dict)
    annotations: TextMap = Field(default_factory=dict)
    evidence: Fields = Field(default_factory=list)


WORDS = Words(
    "rules",
    instead={
        "name": "write title",
        "type": "write kind",
        "indices": "write index",
        "window": "write from: now-5m",
        "timeframe": "write from: now-5m",
        "schedule": "write interval: 1m",
        "every": "write interval: 1m",
        "aggregation": "write function",
        "metric": "write function",
        "operator": "write comparison",
        "op": "write comparison",
        "value": "write limit",
        "runbook_url": "write runbook",
        "enabled": "write state: live or state: disabled",
        "disabled": "write state: disabled",
        "query_key": "write group_by",
        "expression": "write value",
        "formula": "write value",
        "condition": "write when",
        "filter": "write query",
        "means": "write it under runbook",
        "look": "write it under runbook",
        "act": "write it under runbook",
        "aggs": "write measures",
        "id": "remove it, a rule's id is its folder and file name",
        "summary": "write it under annotations",
        "description": "write it under annotations",
        "action": "write it under annotations",
        "hysteresis": "write clear",
        "aggregate": "write function",
    },
)
