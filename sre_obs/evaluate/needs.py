"""What a rule asks of its source, and what it gets back: no word of Elasticsearch here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from sre_obs.model.expression import Expression

# How an entity's field reads where the documents lack it ("-" as a value of its own can be
# told from it by the key alone, where it is null).
MISSING = "-"


@dataclass(frozen=True, slots=True)
class Span:
    """The documents of a stream with ``start <= @timestamp < end``."""

    index: tuple[str, ...]
    start: float
    end: float


class Of(StrEnum):
    """What a figure says of an entity's documents. All but COUNT and SLOTS are about those
    that have the figure's field."""

    COUNT = "count"
    SAMPLES = "samples"  # how many values the field has
    CARDINALITY = "cardinality"
    AVG = "avg"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    PERCENTILE = "percentile"
    NEWEST = "newest"  # the value in the newest document, by `order`; not a number: None
    STEPS = "steps"  # a Part each: the least and the most
    MEANS = "means"  # a Part each: mean time (seconds since the epoch) and mean value
    STATES = "states"  # a Part each: its different values as text, the last seen one last
    SLOTS = "slots"  # in which share of the parts there are documents


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing to know of each entity.

    `filters` narrow the documents further than the need's. `span` narrows the stream and
    the time: None is the need's. `parts` is how many equal parts of the span there are, and
    `width` the length of one in seconds: SLOTS has the one, STEPS, MEANS and STATES the
    other.
    """

    of: Of
    field: str = ""
    filters: tuple[Mapping[str, Any], ...] = ()
    percent: float = 0.0
    order: str = "@timestamp"
    parts: int = 0
    width: float = 0.0
    span: Span | None = None


COUNT = Figure(Of.COUNT)


@dataclass(frozen=True, slots=True)
class Entities:
    """One row for each entity (combination of the `group_by` values) with documents.

    Without `group_by` one row is answered whatever it holds, and `keep` does not apply.
    `keep` is a condition on the figures (`figure` names them by their number) that a row must
    meet to travel; what is unknown meets nothing. Besides what rules may write it knows
    ``if(condition, a, b)`` and ``known(a, b)``: `a`, or `b` where `a` is unknown.
    `among` restricts to these entities: keys of the first fields of `group_by`, of as many
    as the keys have values. `nameless` entities have none of the `group_by` values.
    """

    span: Span
    filters: tuple[Mapping[str, Any], ...] = ()
    group_by: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = (COUNT,)
    keep: Expression | None = None
    among: tuple[str, ...] | None = None
    nameless: bool = False


@dataclass(frozen=True, slots=True)
class Newest:
    """The stream's newest document in the span."""

    span: Span


@dataclass(frozen=True, slots=True)
class Samples:
    """The `fields` of the newest documents of one entity: at most `size`."""

    span: Span
    filters: tuple[Mapping[str, Any], ...]
    group_by: tuple[str, ...]
    key: str
    fields: tuple[str, ...]
    size: int = 3


Need: TypeAlias = Entities | Newest | Samples


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a figure's span with documents, by its start (seconds since the epoch)."""

    start: float
    numbers: tuple[float, ...] = ()
    texts: tuple[str, ...] = ()


Found: TypeAlias = float | tuple[Part, ...] | None


@dataclass(frozen=True, slots=True)
class Row:
    """One entity: its `key`, field -> text, its documents counted, its figures in order."""

    key: str
    values: tuple[str | None, ...]
    entity: Mapping[str, str]
    count: int
    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a need; `request` and `answer` are JSON, for people. `said` makes the
    text of the answer: of most answers nobody reads it."""

    rows: tuple[Row, ...] = ()
    newest: float | None = None
    documents: tuple[Mapping[str, Any], ...] = ()
    request: str = ""
    said: Callable[[], str] = field(default=str, compare=False)
    seconds: float = 0.0

    @property
    def answer(self) -> str:
        """The answer as it came, cut."""
        return self.said()


def figure(number: int) -> str:
    """What the figure of this number is called in `keep`."""
    return f"f{number}"


def covered(row: Row, number: int = 0) -> float:
    """The share of a SLOTS figure."""
    found = row.found[number]
    return found if isinstance(found, float) else 0.0


def key_of(values: Sequence[str | None]) -> str:
    """The canonical key: a JSON array of the values as text, null where there is none."""
    return json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))


def values_of(key: str) -> tuple[str | None, ...]:
    """The values that a key was made of."""
    return tuple(json.loads(key))


def entity_of(group_by: Sequence[str], values: Sequence[str | None]) -> dict[str, str]:
    """Field -> text, with a dash for what is missing."""
    pairs = zip(group_by, values, strict=True)
    return {name: MISSING if value is None else value for name, value in pairs}


WHOLE = key_of(())
"""The key of the one entity of a rule without `group_by`."""
