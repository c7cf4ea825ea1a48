"""Measures of each entity's documents, or a value made of them, against limits.

In two steps at most. First a look, over all entities, that is cheap and leaves out whoever
cannot be true whatever a closer look would say (`reach`): what is fine has no row. Then the
exact figures, of those still in question and of those that were true before.

What more samples can't undo (a count, an increase, a maximum over its limit) is true at
once, whatever the stream does. Everything else rests on samples that might be missing: it is
true, or false for an entity that was true, only while its streams are alive and, on metric
streams, the window covered (`sure`).

An entity that was true and has no documents any more where the rule needs them is gone. One
that a metric stream still has documents of, but without the field of a measure, is not: its
value is unknown. On
log and trace streams a count, sum or cardinality of nothing is 0, and that is under the
limit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from sre_obs.evaluate.kinds.inquiry import ZERO, Inquiry, Known
from sre_obs.evaluate.kinds.measures import Lack
from sre_obs.evaluate.kinds.stream import (
    COVERAGE,
    Judgement,
    Steps,
    life,
    sampled,
    stream_of,
)
from sre_obs.evaluate.kinds.sure import NEWEST
from sre_obs.evaluate.kinds.table import Table
from sre_obs.evaluate.needs import (
    WHOLE,
    Answer,
    Span,
    key_of,
)
from sre_obs.evaluate.states import Truth, Verdict
from sre_obs.model.alert import EndReason
from sre_obs.model.evaluation import EntityState
from sre_obs.model.rule import NoData, Rule, RuleKind
from sre_obs.query.expression import holds

# A share of the window that any document makes.
ANY = 1e-9


def judge(rule: Rule, at: float, known: Mapping[str, EntityState]) -> Steps:
    """True for each entity whose value meets a limit of the rule."""
    asked = _Verdicts(rule, at, known)
    first = asked.first()
    streams = asked.streams()
    answers = yield [*(one.need for one in first), *(life(rule, at, index) for index in streams)]
    for question, answer in zip(first, answers, strict=False):
        asked.take(question, answer)
    for index, answer in zip(streams, answers[len(first) :], strict=True):
        asked.alive[index] = stream_of(rule, at, answer.newest)
    asked.narrow()
    second = asked.second()
    if second:
        more = yield [one.need for one in second]
        for question, answer in zip(second, more, strict=True):
            asked.take(question, answer)
    return asked.judgement(answers[0])


class _Verdicts(Inquiry):
    """What follows from what is known."""

    def judgement(self, main: Answer) -> Judgement:
        """A verdict for each entity in question."""
        rule = self.rule
        verdicts = [v for key in self.candidates if (v := self._verdict(key)) is not None]
        silent = [index for index, stream in self.alive.items() if stream.silent]
        if silent:
            told = {verdict.key for verdict in verdicts if verdict.truth is Truth.TRUE}
            verdicts = [v for v in verdicts if v.key in told]
            verdicts += self._of_silence(told)
        own = next(iter(self.alive.values()))
        dead = self.alive[silent[0]] if silent else None
        table = next(
            (t for t in self.tables if any(p.measure.missing is None for p in t.placed)),
            self.tables[0],
        )
        placed = table.placed[0]
        filters = placed.filters
        if placed.measure.field:
            filters = (*filters, {"exists": {"field": placed.measure.field}})
        if rule.kind is RuleKind.STATE:
            filters = (*filters, placed.condition)
        return Judgement(
            tuple(verdicts),
            dead is not None and dead.held(rule),
            dead.newest if dead is not None else own.newest,
            main,
            filters,
            table.span,
            max((len(known.look or known.exact) for known in self.of.values()), default=0),
            silent[0] if silent else (),
        )

    def _of_silence(self, told: Collection[str]) -> Iterator[Verdict]:
        rule = self.rule
        if rule.no_data is NoData.ALERT:
            # Nothing tells of any entity; where none was known the silence itself is one.
            nobody = key_of([None] * len(rule.group_by))
            for key in dict.fromkeys((*self.known, *(() if self.known else (nobody,)))):
                if key not in told:
                    yield Verdict(key, Truth.TRUE, self._entity(key), seen=False)
            return
        for key in self.known:
            if key in told:
                continue
            if rule.no_data is NoData.RESOLVE:
                yield Verdict(key, Truth.FALSE, ended=EndReason.NO_DATA, seen=False)
            else:
                yield Verdict(key, Truth.STALE, seen=False)

    def _verdict(self, key: str) -> Verdict | None:
        known = key in self.known
        if self._excluded(key):
            gone = EndReason.REMOVED
            return Verdict(key, Truth.FALSE, ended=gone, seen=False) if known else None
        names, lacking = self._names(key)
        value, held = self._levels(key, names)
        count = self._count(key)
        levels = tuple(one is True for one in held) if self.rule.levels else ()
        # Of what is gone the last numbers are told, not that there are none.
        measures = {name: names[name] for name in self.measures} if value is not None else {}

        def say(truth: Truth, ended: EndReason = EndReason.UNDER_LIMIT) -> Verdict:
            seen = count > 0 or not lacking
            return Verdict(
                key, truth, self._entity(key), value, count, ended, seen,
                levels=levels if truth is Truth.TRUE else (), measures=measures,
            )  # fmt: skip

        if True in held:
            if self.rule.valid is not None and holds(self.rule.valid, names) is not True:
                return say(Truth.INSUFFICIENT)
            if not self._lives(key):
                return None
            return say(Truth.TRUE if self._covered(key, self.unsure) else Truth.INSUFFICIENT)
        if not known and key != WHOLE:
            # It could be true, by all that a look tells; a closer look does not tell.
            return say(Truth.INSUFFICIENT) if None in held and not lacking else None
        if lacking:
            return self._without(key, lacking, say)
        if None in held or (
            self.rule.valid is not None and holds(self.rule.valid, names) is not True
        ):
            nothing = self._nothing(key)
            return self._without(key, nothing, say) if nothing else say(Truth.INSUFFICIENT)
        covered = self._covered(key, self.undone, at_least=ANY)
        return say(Truth.FALSE if covered else Truth.INSUFFICIENT)

    def _nothing(self, key: str) -> list[str]:
        """All measures of the entity alone, if there is not one document of it."""
        own = [t for t in self.tables if t.by == self.rule.group_by]
        for table in own:
            reading = self.of[id(table)].of(key)
            values = reading.values.values() if reading is not None else ()
            if any(value is not Lack.ABSENT for value in values):
                return []
        return [name for table in own for name in table.names()]

    def _without(self, key: str, lacking: Collection[str], say: Callable[..., Verdict]) -> Verdict:
        """Of an entity that lacks documents where the rule needs them: gone, or, where they
        don't come evenly, with nothing to be counted."""
        gone = False
        for name in lacking:
            table = self.home[name]
            known = self.of[id(table)]
            at_key = self._project(table, key)
            there = self._cover(known, name, at_key)
            shown = sampled(table.span.index)
            if there > 0:
                if shown and there < COVERAGE:
                    return say(Truth.INSUFFICIENT)
                continue
            if not shown and self.measures[name].function in ZERO:
                continue
            if shown and self._still_there(name, key):
                return say(Truth.INSUFFICIENT)
            gone = True
            # Of the whole there is no second look: its stream lives and has nothing of it.
            if key != WHOLE and shown and known.whole < COVERAGE:
                return say(Truth.INSUFFICIENT)
        return say(Truth.FALSE, EndReason.GONE if gone else EndReason.UNDER_LIMIT)

    def _still_there(self, name: str, key: str) -> bool:
        """Whether a stream that comes evenly has documents of an entity and only this measure
        lacks its field: not gone, its value is unknown."""
        table = self.home[name]
        known = self.of[id(table)]
        at_key = self._project(table, key)
        reading = known.exact.get(at_key)
        of_series = known.there.get(at_key, {})
        there = of_series if table.series or reading is None else reading.there
        return there.get(name, 0.0) > 0 or any(
            self._has(other, key) for other in self.tables if _as_recent(other.span, table.span)
        )

    def _has(self, table: Table, key: str) -> bool:
        """Whether any measure found documents of the very entity."""
        reading = self.of[id(table)].of(key) if table.by == self.rule.group_by else None
        values = reading.values.values() if reading is not None else ()
        return any(value is not Lack.ABSENT for value in values)

    def _lives(self, key: str) -> bool:
        """Whether no silent stream could undo what is true."""
        for name, measure in self.measures.items():
            stream = self.alive[self.home[name].span.index]
            if stream.silent and (name in self.unsure or measure.function in NEWEST):
                return False
        return True

    def _covered(self, key: str, names: Collection[str], *, at_least: float = COVERAGE) -> bool:
        """Whether the windows of these measures are covered by the entity's documents. What no
        documents mean is said by `missing`: there it is the stream that must have been there,
        in a share of `at_least`."""
        for name in names:
            table = self.home[name]
            if not sampled(table.span.index):
                continue
            known = self.of[id(table)]
            measure = self.measures[name]
            share = self._cover(known, name, self._project(table, key))
            if measure.missing is not None:
                # Of the past there will be no more.
                share = 1.0 if measure.ends > 0 else max(share, known.whole)
                if share < at_least:
                    return False
                continue
            if share == 0 and key == WHOLE:
                share = 1.0
            if share < COVERAGE:
                return False
        return True

    def _cover(self, known: Known, name: str, key: str) -> float:
        if known.table.series:
            return known.covered.get(key, {}).get(name, 0.0)
        reading = known.exact.get(key)
        return reading.covered.get(name, 0.0) if reading is not None else 0.0

    def _count(self, key: str) -> int:
        for table in self.tables:
            reading = self.of[id(table)].of(self._project(table, key))
            if reading is not None:
                return reading.count
        return 0


def _as_recent(one: Span, other: Span) -> bool:
    """Whether the documents of one span are of the same stream as another's, and no older."""
    return one.index == other.index and one.start >= other.start
