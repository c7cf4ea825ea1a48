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
Variable = Annotated[
    float | str, BeforeValidator(_variable, json_schema_input_type=float | str | bool)
]
Variables = Annotated[Named[Variable], Field(max_length=50)]


class ThresholdShape(Shape):
    """The limit that the value is held against; without measures also what is measured."""

    function: Annotated[Function, BeforeValidator(text_of)] = Field(
        Function.COUNT, description="without measures: what is measured"
    )
    field: Text = Field("", description="of which field, unless it is count")
    percent: Annotated[Number, Field(gt=0, le=100)] | None = Field(
        None, description="for percentile: 95"
    )
    comparison: Compared = Field(
        Comparison.GTE, description="how the value is held against the limit"
    )
    limit: Number = Field(description="from where it is an alert")
    unit: Annotated[Text, Field(max_length=40)] = Field(
        "", description="what people read behind the number"
    )
    clear: Number | None = Field(
        None, description="where the alert ends again, on the good side of the limit"
    )


class MeasureShape(Shape):
    """One number an entity."""

    function: Annotated[Function, BeforeValidator(text_of)] = Field(
        Function.COUNT, description="what is measured of the documents of an entity"
    )
    field: Text = Field("", description="of which field, unless it is count or matches")
    percent: Annotated[Number, Field(gt=0, le=100)] | None = Field(
        None, description="for percentile: 95"
    )
    index: Indices | None = Field(
        None, description="a stream of its own; the rule's query does not narrow it"
    )
    query: Query | None = Field(
        None,
        description="narrows the measure; for matches: what the newest document is held against",
    )
    from_: Back | None = Field(
        None, alias="from", description="a window of its own, from so long ago"
    )
    to: Annotated[Window, Field(ge=0, le=30 * DAY)] | None = Field(
        None, description="where that window ends: now-10m"
    )
    by: Fields | None = Field(
        None,
        description="a part of group_by: the coarser scope that shares this measure",
    )
    series: Fields = Field(
        default_factory=list,
        description="fields that tell counters or states inside an entity apart",
    )
    over: Annotated[Over, BeforeValidator(text_of)] = Field(
        Over.SUM, description="how the series become one number"
    )
    order: Text = Field("@timestamp", description="latest, matches: the newest by this field")
    from_zero: Flag = Field(
        False, description="increase: a series that appears within the window began at 0"
    )
    missing: Number | None = Field(
        None, description="the value of an entity without documents here; unknown without it"
    )


class LevelShape(Shape):
    """A further severity of the same alert."""

    severity: Severity = Field(description="worse than the one before it")
    limit: Number | None = Field(None, description="beyond the one before it")
    comparison: Compared | None = Field(None, description="the threshold's where it is not written")
    clear: Number | None = Field(None, description="where the level ends again")
    for_: Span | None = Field(None, alias="for", description="how long it must last for this level")


class FlappingShape(Shape):
    """When an alert that comes and goes is kept."""

    changes: Annotated[Whole, Field(ge=2, le=100)] = Field(
        4, description="that often an alert began or ended"
    )
    runs: Annotated[Whole, Field(ge=2, le=100)] = Field(20, description="within so many runs")
    calm: Annotated[Whole, Field(ge=1, le=100)] = Field(
        4, description="then it ends after so many false runs in a row"
    )


class RunbookShape(Shape):
    """What a person needs who was woken."""

    means: Text = Field("", description="what it means, in one or two sentences")
    look: Text = Field("", description="first look: a command or a place")
    act: Text = Field("", description="first action")
    link: Link = Field("", description="where the whole runbook is")


Flap = Annotated[
    FlappingShape | None,
    BeforeValidator(_flapping, json_schema_input_type=bool | FlappingShape),
]
Runs = Annotated[tuple[int, int], BeforeValidator(_runs, json_schema_input_type=str)]
Levels = Annotated[Many[LevelShape], Field(max_length=4)]


class RuleShape(Shape):
    """A rule file."""

    title: Annotated[Text, Field(max_length=200)] = Field(description="what is wrong, for people")
    kind: Kind = Field(
        description="query: any document matches; state: the newest one does; "
        "threshold: a value against a limit; absence: what stopped"
    )
    source: Text = Field("default", description="the cluster, as the settings name it")
    index: Indices = Field(description="data stream or pattern, or a list of them")
    language: Language = Field("kql", description="of the query and those of the measures")
    query: Query | None = Field(
        None, description="which documents; a text, or one clause of Elasticsearch for dsl"
    )
    from_: Back | None = Field(
        None, alias="from", description="how far back a run looks: now-5m (now-2m for state)"
    )
    interval: Every = Field(60.0, description="how often it runs")
    query_delay: Delay = Field(30.0, description="how long documents take to arrive")
    group_by: Fields = Field(
        default_factory=list,
        description="fields; each combination of values is an entity with its own alert",
    )
    variables: Variables = Field(
        default_factory=dict,
        description="numbers for expressions, texts for queries (as ${name}); tunable",
    )
    measures: Annotated[Named[MeasureShape], Field(max_length=20)] = Field(
        default_factory=dict, description="name: what is measured of each entity"
    )
    value: Formula = Field(
        "", description="an expression over the measures, held against the limit"
    )
    when: Formula = Field("", description="a further condition: most > floor")
    valid: Formula = Field(
        "", description="where this is not true, nothing can be said of the entity"
    )
    threshold: ThresholdShape | None = Field(None, description="the limit")
    levels: Levels = Field(
        default_factory=list, description="further severities of the same alert, worse ones later"
    )
    for_: Span = Field(0.0, alias="for", description="how long it must last before it is an alert")
    keep_firing_for: Span = Field(0.0, description="how long it must be over before it is")
    runs: Runs | None = Field(None, description="true in so many of the last runs: 3 of 5")
    flapping: Flap = Field(None, description="keep an alert that comes and goes; true, or numbers")
    no_data: Silent = Field(
        NoData.HOLD,
        description="while the stream is silent: hold the alerts, resolve them, or alert",
    )
    stale_after: Stale = Field(
        120.0, description="a stream is silent when its newest document is older"
    )
    forget_after: Forget = Field(
        DAY, description="absence: an entity that was seen is expected for so long"
    )
    entities: Annotated[Many[TextMap], Field(max_length=1_000)] = Field(
        default_factory=list,
        description="absence: entities to expect, each with the fields of group_by",
    )
    state: State = Field(
        RuleState.LIVE, description="live, shadow (runs, tells nobody) or disabled"
    )
    severity: Severity = Field(description="how bad it is")
    owner: Owner = Field("", description="whose it is")
    runbook: Annotated[
        RunbookShape, BeforeValidator(_runbook, json_schema_input_type=str | RunbookShape)
    ] = Field(
        RunbookShape(), description="a link, or what it means, the first look and the first action"
    )
    labels: TextMap = Field(default_factory=dict, description="added to each alert, for routing")
    annotations: TextMap = Field(
        default_factory=dict,
        description="texts of the alert, as templates: summary, description, action",
    )
    evidence: Fields = Field(
        default_factory=list, description="fields to show of up to three documents"
    )


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
    values={
        "function": {
            "rate": "write increase; a rate is value: name / window",
            "irate": "write increase; a rate is value: name / window",
            "delta": "write increase for a counter, else slope",
            "derivative": "write slope, or increase for a counter",
            "mean": "write avg",
            "average": "write avg",
            "median": "write percentile, and percent: 50",
            "last": "write latest",
            "newest": "write latest",
            "distinct": "write cardinality",
            "unique": "write cardinality",
            "uniq": "write cardinality",
            "total": "write sum",
        },
    },
)
