"""What a rule knows: of its last run, and of each entity that it has an eye on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """How a rule stands after a run. Worst first: what a list shows on top."""

    MISCONFIGURED = "misconfigured"  # it cannot work as written: loud, until mended
    STALE = "stale"  # its stream is silent, or the search failed: alerts are held
    FIRING = "firing"
    PENDING = "pending"
    INSUFFICIENT = "insufficient"  # too few samples to say: neither true nor false
    OK = "ok"


class Phase(StrEnum):
    """Where one entity of a rule stands."""

    OK = "ok"  # fine; known to an absence rule, or for its `history`
    PENDING = "pending"  # true, but not yet for as long as `for` asks
    FIRING = "firing"
    KEEPING = "keeping"  # no longer true, kept firing: `keep_firing_for`, or since it flaps


@dataclass(frozen=True, slots=True)
class EntityState:
    """One entity of one rule between two evaluations; enough to go on after a restart.

    Times are evaluation times from the schedule, never wall clock: ten minutes down give
    the same times as never down.
    """

    rule: str
    key: str  # canonical: JSON array of the group_by values
    entity: Mapping[str, str]  # group_by field -> value
    phase: Phase
    since: float  # when this phase's episode began to be true (for OK: first seen)
    last_true_at: float
    last_seen_at: float
    fired_at: float | None = None  # when it became an alert
    value: float | None = None
    peak: float | None = None
    stale_since: float | None = None
    # Of a rule with levels: the one that it fires at (0: the rule's own severity), and since
    # when each of them holds without a break (None: it does not).
    level: int = 0
    since_levels: tuple[float | None, ...] = ()
    # The last runs that could tell, the newest last: "-" false, "a" true, "b" true at the
    # first further level and so on; ">" behind one in which it became an alert, "<" behind
    # one in which it ended, or would have but for flapping. Kept by rules with `runs` or
    # `flapping`, as far back as it can still matter.
    history: str = ""


@dataclass(frozen=True, slots=True)
class RuleRun:
    """A rule's last evaluation. `at` is its scheduled time: catching up starts there."""

    rule: str
    at: float
    outcome: Outcome
    duration: float = 0.0  # seconds on the wall
    error: str = ""  # what is wrong, in words, when stale or misconfigured
    remedy: str = ""
    entities: int = 0  # entities that the rows spoke of
    firing: int = 0
    pending: int = 0
    newest: float | None = None  # the stream's newest document
    request: str = field(default="", compare=False)  # JSON of the last request
    answer: str = field(default="", compare=False)  # JSON of its answer, cut
