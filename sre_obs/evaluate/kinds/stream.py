"""What all kinds share: a rule's window, whether its stream is alive, how much it covers.

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

from sre_obs.evaluate.needs import Answer, Need, Newest, Span
from sre_obs.evaluate.states import Verdict
from sre_obs.model.rule import NoData, Rule

COVERAGE = 0.6
SLOTS = 5
# A slot must hold a sample of a healthy stream; the longest usual period is a minute.
SLOT = 60.0
# Further back a stream's newest document is not looked for.
LOOKBACK = 86_400.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """A rule's verdicts and what they rest on.

    `held`: the stream is silent, and that holds the rule. `main` answers what the rule is
    about; `filters` and `samples` are where documents of an entity are to be looked for;
    `entities` is how many were spoken of.
    """

    verdicts: tuple[Verdict, ...]
    held: bool
    newest: float | None
    main: Answer
    filters: tuple[Mapping[str, Any], ...]
    samples: Span
    entities: int


Steps: TypeAlias = Generator[Sequence[Need], Sequence[Answer], Judgement]


@dataclass(frozen=True, slots=True)
class Stream:
    """A rule's stream at the end of its window."""

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


def life(rule: Rule, at: float) -> Newest:
    """The need that tells whether the stream is alive: the same for all rules on it."""
    until = end(rule, at)
    return Newest(Span(rule.index, until - max(LOOKBACK, rule.stale_after), until))


def stream_of(rule: Rule, at: float, newest: float | None) -> Stream:
    """What the answer to `life` says."""
    silent = newest is None or newest < end(rule, at) - rule.stale_after
    return Stream(newest, silent)


def sampled(rule: Rule) -> bool:
    """Whether the documents come evenly, as metrics do; a cluster's name may precede."""
    return all(name.rpartition(":")[2].startswith("metrics-") for name in rule.index)


def slots(rule: Rule) -> int:
    """In how many parts of the window documents are looked for; 0 if not sampled."""
    return max(1, min(SLOTS, int(rule.window // SLOT))) if sampled(rule) else 0
