"""A rule: what is watched for, how often, over which window, and whose it is."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sre_obs.model.expression import Expression
from sre_obs.model.problem import Location


class RuleKind(StrEnum):
    """How a rule decides; one file of `evaluate/kinds` each."""

    QUERY = "query"  # any document that matches, in the window
    STATE = "state"  # the newest document of an entity matches
    THRESHOLD = "threshold"  # measures of the documents, or a value made of them, and a limit
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
    ALERT = "alert"  # no answer is as bad as a bad one: true while nothing is seen


class Function(StrEnum):
    """What is measured over the documents of one entity in the window."""

    COUNT = "count"
    CARDINALITY = "cardinality"
    AVG = "avg"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    PERCENTILE = "percentile"
    LATEST = "latest"  # the field of the newest document that has it
    MATCHES = "matches"  # 1 if the newest document matches the measure's query, else 0
    INCREASE = "increase"  # of a counter: sum of its steps up, a drop adds the new value
    CHANGES = "changes"  # how often the field (text too) differs from the sample before
    SLOPE = "slope"  # least squares, per second
    AGE = "age"  # seconds from the oldest date in the field to the end of the window


class Over(StrEnum):
    """How the series of one entity become one number."""

    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    COUNT = "count"  # how many series there are


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

    language: str  # "kql", "lucene" or "dsl"
    text: str
    dsl: Mapping[str, Any]
    fields: tuple[str, ...] = ()  # the fields it reads, wildcards kept


EVERYTHING = Query("kql", "", {"match_all": {}})


@dataclass(frozen=True, slots=True)
class Measure:
    """One number an entity, by a `name` that expressions use.

    It is about the rule's stream, query and window unless it says otherwise. One with an
    `index` of its own is not narrowed by the rule's query. `by` is a part of the rule's
    `group_by` (() for one number that all entities share): the measure of a coarser scope
    counts for each entity in it. `series` are further fields that tell counters (or
    states) within an entity apart: each is measured alone, then they are combined by
    `over`.
    """

    name: str
    function: Function = Function.COUNT
    field: str = ""  # empty for count and matches
    percent: float = 0.0  # for percentile, 0 to 100
    query: Query = EVERYTHING
    index: tuple[str, ...] = ()  # (): the rule's
    window: float = 0.0  # seconds; 0: the rule's
    ends: float = 0.0  # seconds by which its window ends before the rule's
    by: tuple[str, ...] | None = None  # None: the rule's group_by
    series: tuple[str, ...] = ()
    over: Over = Over.SUM
    order: str = "@timestamp"  # latest, matches: the newest by this field
    from_zero: bool = False  # increase: a series that appears in the window began at 0
    missing: float | None = None  # of an entity without documents here; None: unknown


@dataclass(frozen=True, slots=True)
class Level:
    """A threshold of an alert that has several: how bad, from where, for how long.

    `clear` is where it is left again (hysteresis); None: where it is entered. `for_` None:
    the rule's.
    """

    severity: str
    limit: float | None = None  # None: the threshold's (a level that differs by time alone)
    comparison: Comparison | None = None  # None: the threshold's
    clear: float | None = None
    for_: float | None = None


@dataclass(frozen=True, slots=True)
class Runs:
    """True in `hits` of the last `of` runs."""

    hits: int
    of: int


@dataclass(frozen=True, slots=True)
class Flapping:
    """An alert that fired or ended `changes` times in the last `runs` is kept until it has
    been false for `calm` runs in a row. Numbers: Kibana's defaults (20, 4)."""

    changes: int = 4
    runs: int = 20
    calm: int = 4


@dataclass(frozen=True, slots=True)
class Tuned:
    """Other numbers for some entities: those whose fields match all `match` patterns
    (``*`` is any text). None: the rule's own. `limit` and `for_` are the base level's;
    an entity that is tuned has no further levels. `place` is where it was set."""

    match: Mapping[str, str]
    limit: float | None = None
    for_: float | None = None
    severity: str | None = None
    exclude: bool = False
    place: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Threshold:
    """A measure and the limit it is held against, with the unit a person reads."""

    function: Function = Function.COUNT
    field: str = ""  # empty for count
    percent: float = 0.0  # for percentile, 0 to 100
    comparison: Comparison = Comparison.GTE
    limit: float = 1.0
    unit: str = ""
    clear: float | None = None  # hysteresis: an alert ends only beyond this


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule file, validated. `id` is ``<service>/<slug>``; the slug is `alertname`.

    `window` is how far back from the evaluation time, less `query_delay`, the search
    looks. `stale_after` is how old a stream's newest document may be before the stream
    counts as silent. `group_by` are field names; each combination is an entity.

    A threshold rule has `measures` and a `value` made of them, or the one measure that its
    `threshold` names. `when` must be true besides; where `valid` is not true nothing can be
    said (insufficient). `levels` are further severities of the same alert, worse ones last.
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
    measures: tuple[Measure, ...] = ()
    value: Expression | None = None
    when: Expression | None = None
    valid: Expression | None = None
    variables: Mapping[str, float | str] = field(default_factory=dict)
    levels: tuple[Level, ...] = ()
    tuned: tuple[Tuned, ...] = ()  # the first that matches an entity counts
    runs: Runs | None = None
    flapping: Flapping | None = None
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
    # Which key of the file came from where, for those that an override set.
    origins: Mapping[str, Location] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        """The rule's name as a label value: the file's stem."""
        return self.id.rsplit("/", 1)[-1]
