"""What all kinds share: a rule's window, whether its streams are alive, how much they cover.

*Entity gone* is not *source dead*. A stream is silent when its newest document is older
than the rule's `stale_after` at the end of the window: then absence of an entity, or a low
value, says nothing. After a gap the stream lives again long before the window is full
again, so on metric streams, which are sampled evenly, what rests on missing samples also
asks for coverage: documents in 60% of the window's slots. Log and trace streams have no
rhythm, and a count of 0 is a fact there.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sre_obs.evaluate.needs import Answer, Figure, Need, Newest, Of, Span
from sre_obs.evaluate.states import Verdict
from sre_obs.model.rule import NoData, Rule

COVERAGE = 0.6
SLOTS = 5
# A slot must hold a sample of a healthy stream; the longest usual period is a minute.
SLOT = 60.0
# Streams of metrics by name that hold what happens, when it happens.
UNEVEN = (
    "metrics-kubernetes.event-",
    "metrics-apm.transaction.",
    "metrics-apm.service_transaction.",
    "metrics-apm.service_destination.",
    "metrics-apm.service_summary.",
)
# Further back a stream's newest document is not looked for.
LOOKBACK = 86_400.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """A rule's verdicts and what they rest on.

    `held`: a stream is silent, and that holds the rule; `silent` is which one, `newest` its
    newest document. `main` answers what the rule is about; `filters` and `samples` are where
    documents of an entity are to be looked for; `entities` is how many were spoken of.
    """

    verdicts: tuple[Verdict, ...]
    held: bool
    newest: float | None
    main: Answer
    filters: tuple[Mapping[str, Any], ...]
    samples: Span
    entities: int
    silent: tuple[str, ...] = ()


Steps: TypeAlias = Generator[Sequence[Need], Sequence[Answer], Judgement]


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream at the end of a rule's window."""

    newest: float | None
    silent: bool

    def held(self, rule: Rule) -> bool:
        """Whether the silence holds the rule's alerts (it may be allowed to end them)."""
        return self.silent and rule.no_data is NoData.HOLD


def end(rule: Rule, at: float) -> float:
    """The end of the window."""
    return at - rule.query_delay


def window(rule: Rule, at: float) -> Span:
    """The documents that an evaluation at `at` looks at."""
    return Span(rule.index, end(rule, at) - rule.window, end(rule, at))


def life(rule: Rule, at: float, index: tuple[str, ...] = ()) -> Newest:
    """The need that tells whether a stream (the rule's) is alive: the same for all rules on
    it."""
    until = end(rule, at)
    return Newest(Span(index or rule.index, until - max(LOOKBACK, rule.stale_after), until))


def stream_of(rule: Rule, at: float, newest: float | None) -> Stream:
    """What the answer to `life` says."""
    silent = newest is None or newest < end(rule, at) - rule.stale_after
    return Stream(newest, silent)


def sampled(index: Sequence[str]) -> bool:
    """Whether the documents come evenly, as metrics do; a cluster's name may precede."""
    names = [name.rpartition(":")[2] for name in index]
    return all(name.startswith("metrics-") and not name.startswith(UNEVEN) for name in names)


def slots(span: Span, *, field: str = "") -> Figure:
    """Into which share of the span's parts the documents fall that have `field`. Where they
    don't come evenly the span is one part: whether there are any."""
    parts = max(1, min(SLOTS, int((span.end - span.start) // SLOT))) if sampled(span.index) else 1
    return Figure(Of.SLOTS, field, parts=parts, span=span)
