"""A rule: what is watched for, how often, over which window, and whose it is."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sre_obs.model.problem import Location


class RuleKind(StrEnum):
    """How a rule decides; one file of `evaluate/kinds` each."""

    QUERY = "query"  # any document that matches, in the window
    THRESHOLD = "threshold"  # a measure of the documents that match, against a limit
    ABSENCE = "absence"  # a stream, or an entity seen before, that stopped


class RuleState(StrEnum):
    """Whether a rule runs and whether its alerts are told to anybody."""

    LIVE = "live"
    SHADOW = "shadow"  # runs and is shown, but nobody is told
    DISABLED = "disabled"


class NoData(StrEnum):
    """What becomes of a rule's alerts while its stream is silent."""

    HOLD = "hold"  # keep them, shown as stale; never "resolved" (the default)
    RESOLVE = "resolve"  # the stream is allowed to end: resolve, with that reason


class Function(StrEnum):
    """What a threshold measures over the documents of one entity in the window."""

    COUNT = "count"
    CARDINALITY = "cardinality"
    AVG = "avg"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    PERCENTILE = "percentile"


class Comparison(StrEnum):
    """How a value is held against the limit."""

    GTE = ">="
    GT = ">"
    LTE = "<="
    LT = "<"

    def holds(self, value: float, limit: float) -> bool:
        """Whether `value <comparison> limit`."""
        return _OPERATORS[self](value, limit)


_OPERATORS: dict[Comparison, Callable[[float, float], bool]] = {
    Comparison.GTE: operator.ge,
    Comparison.GT: operator.gt,
    Comparison.LTE: operator.le,
    Comparison.LT: operator.lt,
}


@dataclass(frozen=True, slots=True)
class Query:
    """A query as written and as compiled to one Elasticsearch filter clause."""

    language: str  # "kql" or "dsl"
    text: str
    dsl: Mapping[str, Any]
    fields: tuple[str, ...] = ()  # the fields it reads, wildcards kept


@dataclass(frozen=True, slots=True)
class Threshold:
    """A measure and the limit it is held against, with the unit a person reads."""

    function: Function = Function.COUNT
    field: str = ""  # empty for count
    percent: float = 0.0  # for percentile, 0 to 100
    comparison: Comparison = Comparison.GTE
    limit: float = 1.0
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule file, validated. `id` is ``<service>/<slug>``; the slug is `alertname`.

    `window` is how far back from the evaluation time, less `query_delay`, the search
    looks. `stale_after` is how old a stream's newest document may be before the stream
    counts as silent. `group_by` are field names; each combination is an entity.
    """

    id: str
    title: str
    kind: RuleKind
    index: tuple[str, ...]
    query: Query
    location: Location
    interval: float
    window: float
    query_delay: float
    severity: str
    source: str = "default"
    threshold: Threshold = field(default_factory=Threshold)
    group_by: tuple[str, ...] = ()
    for_: float = 0.0
    keep_firing_for: float = 0.0
    no_data: NoData = NoData.HOLD
    stale_after: float = 120.0
    forget_after: float = 86_400.0  # absence: a known entity is forgotten after so long
    entities: tuple[Mapping[str, str], ...] = ()  # absence: declared, field -> value
    state: RuleState = RuleState.LIVE
    owner: str = ""
    runbook: str = ""  # http(s) link
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)  # Jinja2 templates
    evidence: tuple[str, ...] = ()  # fields of the sample documents to show

    @property
    def slug(self) -> str:
        """The rule's name as a label value: the file's stem."""
        return self.id.rsplit("/", 1)[-1]
