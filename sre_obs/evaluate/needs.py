"""What a rule asks of its source, and what it gets back: no word of Elasticsearch here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sre_obs.model.rule import Comparison, Function

# How an entity's field reads where the documents lack it ("-" as a value of its own can be
# told from it by the key alone, where it is null).
MISSING = "-"


@dataclass(frozen=True, slots=True)
class Span:
    """The documents of a stream with ``start <= @timestamp < end``."""

    index: tuple[str, ...]
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Measure:
    """One number over an entity's documents; of COUNT the count of them all."""

    function: Function = Function.COUNT
    field: str = ""
    percent: float = 0.0


@dataclass(frozen=True, slots=True)
class Limit:
    """Only entities whose measure meets it are wanted."""

    comparison: Comparison
    value: float


@dataclass(frozen=True, slots=True)
class Entities:
    """One row for each entity (combination of the `group_by` values) with documents.

    Without `group_by` one row is answered whatever it holds, and `keep` does not apply.
    `slots` > 0 asks into how many of so many equal parts of the span the documents fall.
    `among` restricts to these entities, as keys.
    """

    span: Span
    filters: tuple[Mapping[str, Any], ...] = ()
    group_by: tuple[str, ...] = ()
    measure: Measure = field(default_factory=Measure)
    keep: Limit | None = None
    slots: int = 0
    among: tuple[str, ...] | None = None


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
class Row:
    """One entity: its `key`, field -> text, the documents counted, the measure's value.

    `covered` is the share of slots with documents, 1.0 where none were asked for.
    """

    key: str
    entity: Mapping[str, str]
    count: int
    value: float | None
    covered: float = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a need; `request` and `answer` are JSON, for people."""

    rows: tuple[Row, ...] = ()
    newest: float | None = None
    documents: tuple[Mapping[str, Any], ...] = ()
    request: str = ""
    answer: str = ""
    seconds: float = 0.0

    def row(self, key: str) -> Row | None:
        """The row of one entity."""
        return next((r for r in self.rows if r.key == key), None)


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
