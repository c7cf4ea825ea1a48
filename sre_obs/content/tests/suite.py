"""The nouns of a test file. Times in them are seconds from the file's `start`, its 0s.

A `node` is what was written, for the places of what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from sre_obs.content.yaml import Document, Node
from sre_obs.model.alert import EndReason
from sre_obs.model.evaluation import Outcome
from sre_obs.model.problem import Location


class DateForm(StrEnum):
    """How a date is written into a document."""

    DATE = "date"  # 2026-01-15T03:00:00.000Z
    SECONDS = "seconds"  # since the epoch
    MILLIS = "millis"


@dataclass(frozen=True, slots=True)
class Date:
    """A date field: `seconds` from 0s or, where it is `ago`, before each document's own time."""

    seconds: float
    ago: bool = False
    form: DateForm = DateForm.DATE


@dataclass(frozen=True, slots=True)
class Block:
    """Documents of one index: `count` of them, one each `every` seconds from `first` on.

    Names are dotted. `fields` are in each document, `series` have a value a document (the
    last stays; `series.MISSING`: not there), `dates` move.
    """

    index: str
    location: Location
    first: float = 0.0
    every: float = 10.0
    count: int = 1
    fields: Mapping[str, Any] = field(default_factory=dict)
    series: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    dates: Mapping[str, Date] = field(default_factory=dict)
    node: Node | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Recorded:
    """Documents out of an NDJSON file, of `index` or, without one, of the data stream that
    each names; moved so that the first is at `first`, unless that is None."""

    path: Path
    location: Location
    index: str = ""
    first: float | None = None
    node: Node | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """An alert's severity changes while it fires."""

    at: float
    severity: str


@dataclass(frozen=True, slots=True)
class Expected:
    """One alert from when it fires until it resolves (None: it still fires at the end).

    None elsewhere: not compared. `entity` and `labels` are a part of the alert's own.
    """

    location: Location
    fires: float
    resolves: float | None = None
    entity: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    ended: EndReason | None = None
    starts: float | None = None
    value: float | None = None
    severity: str | None = None
    levels: tuple[Change, ...] | None = None
    text: Mapping[str, str] = field(default_factory=dict)
    node: Node | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Stand:
    """How the rule stands after the run at `at`."""

    location: Location
    at: float
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Case:
    """Documents, and every alert that the rule makes of them. `until` None: long enough to
    see the end. `drill`: it is the one that a fire drill sends."""

    name: str
    location: Location
    documents: tuple[Block | Recorded, ...]
    expected: tuple[Expected, ...]
    stands: tuple[Stand, ...] = ()
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Suite:
    """One test file, and the rule file that it is about.

    `overrides` is the block to tune the rule by, a node of `document`.
    """

    file: str
    rule: Path
    start: float
    cases: tuple[Case, ...]
    document: Document
    overrides: Node | None = None
