"""The keys of a rule file.

Words are the field's own: Elastic's ``index``, ``language``, ``query``, ``from``,
``interval``, ``threshold``; Prometheus' ``for``, ``keep_firing_for``, ``labels``,
``annotations``. Inside ``threshold`` the words are those of messages and pages: a *function*
of a *field* is held against a *limit* by a *comparison*, both in *unit*::

    title: CPU and run queue are full
    kind: threshold
    index: metrics-system.load-default
    query: "host.name: *"
    from: now-10m
    group_by: [host.name]
    threshold:
      function: avg
      field: system.load.norm.5
      comparison: ">="
      limit: 2
      unit: per core
    for: 10m
    severity: warning

A kind that needs more than the common keys has a block of its own name. The rule's id is
``<folder>/<file>``; no key repeats it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from sre_obs.content.shape import (
    Duration,
    Link,
    Many,
    Number,
    OneOrMany,
    Shape,
    Text,
    TextMap,
    Texts,
    Window,
    Words,
    text_of,
)
from sre_obs.model.rule import Comparison, Function, NoData, RuleKind, RuleState

SEVERITIES = ("critical", "warning", "info")
MAX_TEXT = 10_000  # characters of a query or of one annotation

DAY = 86_400.0
Kind = Annotated[RuleKind, BeforeValidator(text_of)]
State = Annotated[RuleState, BeforeValidator(text_of)]
Severity = Annotated[Literal["critical", "warning", "info"], BeforeValidator(text_of)]
Language = Annotated[Literal["kql", "dsl"], BeforeValidator(text_of)]
Every = Annotated[Duration, Field(ge=1, le=DAY)]
Span = Annotated[Duration, Field(le=90 * DAY)]
# A query stays a node: its language decides how it is read, its place what is reported.
Query = Annotated[Any, WithJsonSchema({"type": ["string", "object"]})]
Fields = Annotated[Texts, Field(max_length=10)]


class ThresholdShape(Shape):
    """A measure of the documents that match, and the limit that it is held against."""

    function: Annotated[Function, BeforeValidator(text_of)] = Function.COUNT
    field: Text = ""
    percent: Annotated[Number, Field(gt=0, le=100)] | None = None
    comparison: Annotated[Comparison, BeforeValidator(text_of)] = Comparison.GTE
    limit: Number
    unit: Annotated[Text, Field(max_length=40)] = ""


class RuleShape(Shape):
    """A rule file."""

    title: Annotated[Text, Field(max_length=200)]
    kind: Kind
    source: Text = "default"
    index: Annotated[OneOrMany, Field(min_length=1, max_length=20)]
    language: Language = "kql"
    query: Query | None = None
    from_: Annotated[Window, Field(alias="from", ge=1, le=30 * DAY)] = 300.0
    interval: Every = 60.0
    query_delay: Annotated[Duration, Field(le=3_600)] = 30.0
    group_by: Fields = Field(default_factory=list)
    threshold: ThresholdShape | None = None
    for_: Annotated[Span, Field(alias="for")] = 0.0
    keep_firing_for: Span = 0.0
    no_data: Annotated[NoData, BeforeValidator(text_of)] = NoData.HOLD
    stale_after: Annotated[Duration, Field(ge=1, le=30 * DAY)] = 120.0
    forget_after: Annotated[Duration, Field(ge=1, le=90 * DAY)] = DAY
    entities: Annotated[Many[TextMap], Field(max_length=1_000)] = Field(default_factory=list)
    state: State = RuleState.LIVE
    severity: Severity
    owner: Annotated[Text, Field(max_length=200)] = ""
    runbook: Link = ""
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
        "id": "remove it, a rule's id is its folder and file name",
        "summary": "write it under annotations",
        "description": "write it under annotations",
        "action": "write it under annotations",
    },
)
