"""Measures of each entity's documents, or a value made of them, against limits.

In two steps at most. First a look, over all entities, that is cheap and leaves out whoever
cannot be true whatever a closer look would say (`reach`): what is fine has no row. Then the
exact figures, of those still in question and of those that were true before.

What more samples can't undo (a count, an increase, a maximum over its limit) is true at
once, whatever the stream does. Everything else rests on samples that might be missing: it is
true, or false for an entity that was true, only while its streams are alive and, on metric
streams, the window covered (`sure`).

An entity that was true and has no documents any more where the rule needs them is gone. On
log and trace streams a count, sum or cardinality of nothing is 0, and that is under the
limit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from sre_obs.evaluate.keep import met
from sre_obs.evaluate.kinds import limits
from sre_obs.evaluate.kinds.measures import Lack
from sre_obs.evaluate.kinds.once import Once
from sre_obs.evaluate.kinds.reach import ANYWHERE, BEYOND, Reach, number, possible
from sre_obs.evaluate.kinds.stream import (
    COVERAGE,
    Judgement,
    Steps,
    Stream,
    end,
    life,
    sampled,
    stream_of,
)
from sre_obs.evaluate.kinds.sure import NEWEST, unsure
from sre_obs.evaluate.kinds.table import (
    Reading,
    Table,
    absent,
    joined,
    measures_of,
    natural,
    tables_of,
)
from sre_obs.evaluate.levels import tuned_of
from sre_obs.evaluate.needs import (
    WHOLE,
    Answer,
    Entities,
    covered,
    entity_of,
    key_of,
    values_of,
)
from sre_obs.evaluate.states import Truth, Verdict
from sre_obs.model.alert import EndReason
from sre_obs.model.evaluation import EntityState
from sre_obs.model.expression import NOW, Binary, Expression, Name, Number
from sre_obs.model.rule import Function, Measure, NoData, Rule, RuleKind
from sre_obs.query.expression import holds

# A share of the window that any document makes.
ANY = 1e-9
# Windows so many times longer than the shortest are looked at after it.
NEAR = 4
_ZERO = (Function.COUNT, Function.CARDINALITY, Function.SUM)


def judge(rule: Rule, at: float, known: Mapping[str, EntityState]) -> Steps:
    """True for each entity whose value meets a limit of the rule."""
    asked = _Asked(rule, at, known)
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


class About(Enum):
    """What a question to a table is about."""

    LOOK = "look"
    JOINT = "joint"  # a look at several tables as one
    EXACT = "exact"
    COVERAGE = "coverage"  # of entities with series
    STREAM = "stream"  # coverage of the stream itself


@dataclass(frozen=True, slots=True)
class Question:
    """A need, and which table wants to know what."""

    table: Table
    about: About
    need: Entities


@dataclass(slots=True)
class _Known:
    """What is known of a table."""

    table: Table
    complete: bool = False  # an entity without a reading has no documents
    look: dict[str, Reading] = field(default_factory=dict)
    exact: dict[str, Reading] = field(default_factory=dict)
    covered: dict[str, Mapping[str, float]] = field(default_factory=dict)
    whole: float = 1.0
    asked: bool = False

    def of(self, key: str) -> Reading | None:
        """The best reading of an entity."""
        return self.exact.get(key) or self.look.get(key)


class _Asked:
    """One rule at one evaluation: what it asks, what it learnt, what follows."""

    def __init__(self, rule: Rule, at: float, known: Mapping[str, EntityState]) -> None:
        self.rule = rule
        self.known = known
        self.tables = tables_of(rule, at)
        self.end = end(rule, at)
        self.at = at
        fixed = _FIXED(rule)
        self.fixed = fixed
        self.measures = fixed.measures
        self.first_name = next(iter(fixed.measures))
        self.constants = limits.constants(rule, self.end)
        self.condition = fixed.condition
        self.unsure, self.undone = fixed.unsure, fixed.undone
        self.of = {id(table): _Known(table) for table in self.tables}
        self.home = {name: table for table in self.tables for name in table.names()}
        self.joined: Sequence[Table] = ()
        self.alive: dict[tuple[str, ...], Stream] = {}
        self.candidates: list[str] = []
        self.survivors: set[str] = set()
        self.fields = {
            id(table): tuple(rule.group_by.index(name) for name in table.by)
            for table in self.tables
        }

    # -- what is asked

    def streams(self) -> list[tuple[str, ...]]:
        """The streams that must be alive, the rule's own first."""
        own = [self.rule.index] if any(t.span.index == self.rule.index for t in self.tables) else []
        return list(dict.fromkeys([*own, *(table.span.index for table in self.tables)]))

    def first(self) -> list[Question]:
        """The look at all entities, or at those that could be true."""
        if not self.rule.group_by:
            return list(self._all_of_it())
        full = [table for table in self.tables if table.by == self.rule.group_by]
        sharp = [(table, keep) for table in full for keep in self._gate(table)]
        if not sharp:
            joint = self._joint([table for table in full if not table.series])
            if joint is not None:
                return [joint]
            return [Question(t, About.LOOK, t.look(None, None)) for t in full or self.tables]
        # Hours are looked at for those alone that minutes leave in question.
        shortest = min(table.length for table, _ in sharp)
        first = {id(t): keep for t, keep in sharp if t.length <= NEAR * shortest}
        found: list[Question] = []
        joint = self._joint([t for t in full if id(t) in first and not t.series])
        if joint is not None:
            found.append(joint)
        return found + [
            Question(table, About.LOOK, table.look(first[id(table)], None))
            for table in full
            if id(table) in first and table not in self.joined
        ]

    def _joint(self, tables: Sequence[Table]) -> Question | None:
        """One look at several streams, where only together they tell who could be true."""
        if len(tables) < 2:
            return None
        table = joined(tables)
        others = self._others(table)
        lacking = {one.measure.name: absent(one.measure) for t in tables for one in t.placed}
        if table is None or _could(self.condition, {**others, **lacking}):
            return None
        keep = possible(self.condition, {**others, **table.reaches()})
        if isinstance(keep, bool):
            return None
        self.joined = tables
        return Question(table, About.JOINT, table.look(keep, None))

    def _all_of_it(self) -> Iterator[Question]:
        for table in self.tables:
            if table.series:
                yield Question(table, About.EXACT, table.exact(None, cover=False))
                yield Question(table, About.COVERAGE, table.coverage(None))
            else:
                shown = sampled(table.span.index)
                yield Question(table, About.EXACT, table.exact(None, cover=shown))

    def _gate(self, table: Table) -> Iterator[Expression | None]:
        """What an entity must meet in this table for the rule to be true of it, if anything;
        none where an entity without a row could be true as well."""
        placed = [one.measure for one in table.placed]
        if not self.fixed.gates[self.tables.index(table)]:
            return
        if table.series:
            moved = table.moved()
            if not isinstance(moved, bool):
                yield moved
            return
        others = self._others(table)
        keep = possible(self.condition, {**others, **table.reaches()})
        if not isinstance(keep, bool):
            yield None if _any_row(keep, placed) else keep

    def _others(self, table: Table | None) -> dict[str, Reach]:
        found = {name: number(value) for name, value in self.constants.items()}
        own = table.names() if table is not None else ()
        return {**found, **_naturals(self.measures, own)}

    # -- what comes back

    def take(self, question: Question, answer: Answer) -> None:
        """What a question came to."""
        table = question.table
        if question.about is About.JOINT:
            readings = table.read_look(answer.rows)
            for one in self.joined:
                joint = self.of[id(one)]
                joint.asked = True
                joint.look = {key: one.part(reading) for key, reading in readings.items()}
            return
        known = self.of[id(table)]
        match question.about:
            case About.LOOK:
                known.asked, known.complete = True, question.need.keep is None
                known.look = table.read_look(answer.rows)
            case About.EXACT:
                known.exact = table.read_exact(answer.rows)
            case About.COVERAGE:
                known.covered = {row.key: table.read_coverage(row) for row in answer.rows}
            case About.STREAM:
                known.whole = covered(answer.rows[0])

    def narrow(self) -> None:
        """Who is still in question."""
        rule = self.rule
        if not rule.group_by:
            self.candidates, self.survivors = [WHOLE], {WHOLE}
            return
        full = [k for k in self.of.values() if k.asked and k.table.by == rule.group_by]
        gates = [set(k.look) for k in full if not k.complete or len(full) == 1]
        found = set.intersection(*gates) if gates else set().union(*(k.look for k in full))
        if len(full) > 1 or any(k.complete for k in full):
            found = self._possible(found)
        if rule.tuned:
            found = {key for key in found if not self._excluded(key)}
        self.survivors = found
        held = set() if self._silent() else set(self.known)
        self.candidates = sorted(found | held)

    def _possible(self, keys: set[str]) -> set[str]:
        """Those that could be true by all that is known so far."""
        names = self._others(None)
        asked = [k for k in self.of.values() if k.asked and k.table.by == self.rule.group_by]
        for known in asked:
            for name in known.table.names():
                names[name] = Reach(Name(f"{name} low"), Name(f"{name} high"))
        tree = possible(self.condition, names)
        if isinstance(tree, bool):
            return keys if tree else set()
        found: set[str] = set()
        for key in keys:
            numbers: dict[str, float | None] = {}
            for known in asked:
                reading = known.look.get(key)
                for name in known.table.names():
                    low, high = _bounds(self.measures[name], reading)
                    numbers[f"{name} low"], numbers[f"{name} high"] = low, high
            if met(tree, numbers):
                found.add(key)
        return found

    def _silent(self) -> bool:
        return any(stream.silent for stream in self.alive.values())

    # -- the second step

    def second(self) -> list[Question]:
        """The exact figures of those in question."""
        if not self.rule.group_by or not self.candidates:
            return []
        needs: list[Question] = []
        doubtful = [
            key for key in self.candidates if key in self.known and not self._true_by_look(key)
        ]
        for table in self.tables:
            known = self.of[id(table)]
            unsure = any(name in self.unsure for name in table.names())
            shown = sampled(table.span.index)
            lacking = {
                self._project(table, key)
                for key in self.survivors
                if (unsure and shown) or self._open(known, self._project(table, key))
            }
            of_known = {self._project(table, key) for key in doubtful if not self._zero(known, key)}
            among = lacking | of_known
            if not among:
                continue
            cover = bool(of_known) or (unsure and shown)
            needs.append(Question(table, About.EXACT, table.exact(among, cover=cover)))
            if cover and table.series:
                needs.append(Question(table, About.COVERAGE, table.coverage(among)))
            if cover and shown and table.by:
                needs.append(Question(table, About.STREAM, table.whole()))
        return needs

    def _open(self, known: _Known, key: str) -> bool:
        reading = known.look.get(key)
        if reading is None:
            return not (known.asked and known.complete)
        return Lack.UNTOLD in reading.values.values()

    def _zero(self, known: _Known, key: str) -> bool:
        """Whether nothing but a count of nothing is to be learnt."""
        table = known.table
        if not known.asked or table.by != self.rule.group_by or sampled(table.span.index):
            return False
        if any(one.measure.function not in _ZERO for one in table.placed):
            return False
        reading = known.look.get(key)
        # What the limit kept on the server was there, and is under it.
        return reading is not None or len(self.tables) == 1

    def _true_by_look(self, key: str) -> bool:
        if key not in self.survivors:
            return False
        names, _ = self._names(key)
        _, held = self._levels(key, names)
        return True in held

    # -- what follows

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
            if not shown and self.measures[name].function in _ZERO:
                continue
            gone = True
            # Of the whole there is no second look: its stream lives and has nothing of it.
            if key != WHOLE and shown and known.whole < COVERAGE:
                return say(Truth.INSUFFICIENT)
        return say(Truth.FALSE, EndReason.GONE if gone else EndReason.UNDER_LIMIT)

    def _names(self, key: str) -> tuple[dict[str, float | None], list[str]]:
        """The numbers of an entity, and the measures that lack documents of it."""
        names: dict[str, float | None] = dict(self.constants)
        lacking: list[str] = []
        for name, measure in self.measures.items():
            table = self.home[name]
            known = self.of[id(table)]
            reading = known.of(self._project(table, key))
            value = reading.values[name] if reading is not None else Lack.ABSENT
            if isinstance(value, float):
                names[name] = value
                continue
            names[name] = measure.missing if value is Lack.ABSENT else None
            if value is Lack.ABSENT and measure.missing is None:
                if self._zero(known, key):
                    names[name] = 0.0
                lacking.append(name)
        return names, lacking

    def _levels(
        self, key: str, names: Mapping[str, float | None]
    ) -> tuple[float | None, tuple[bool | None, ...]]:
        return limits.levels_held(
            self.rule, self._entity(key), self.known.get(key), names, self.first_name
        )

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

    def _cover(self, known: _Known, name: str, key: str) -> float:
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

    def _entity(self, key: str) -> Mapping[str, str]:
        state = self.known.get(key)
        return state.entity if state is not None else entity_of(self.rule.group_by, values_of(key))

    def _excluded(self, key: str) -> bool:
        if not self.rule.tuned:
            return False
        tuned = tuned_of(self.rule, self._entity(key))
        return tuned is not None and tuned.exclude

    def _project(self, table: Table, key: str) -> str:
        """The key of an entity in a table of a coarser scope."""
        if table.by == self.rule.group_by:
            return key
        values = values_of(key)
        return key_of([values[n] for n in self.fields[id(table)]])


@dataclass(frozen=True, slots=True)
class _Fixed:
    """What follows from a rule alone."""

    measures: Mapping[str, Measure]
    condition: Expression
    unsure: frozenset[str]
    undone: frozenset[str]
    # By the order of its tables: whether an entity without a row in it can't be true.
    gates: tuple[bool, ...]


def _fixed(rule: Rule) -> _Fixed:
    measures = {measure.name: measure for measure in measures_of(rule)}
    condition = limits.condition(rule, next(iter(measures)))
    functions = {name: measure.function for name, measure in measures.items()}
    constants = {name: number(value) for name, value in limits.constants(rule, 0.0).items()}
    # Whatever the time is.
    constants[NOW] = ANYWHERE
    gates: list[bool] = []
    for table in tables_of(rule, 0.0):
        others = {**constants, **_naturals(measures, table.names())}
        own = [one.measure for one in table.placed]
        without = _could(condition, {**others, **{one.name: absent(one) for one in own}})
        still = {one.name: number(0.0) for one in own}
        gates.append(not without and not (table.series and _could(condition, {**others, **still})))
    return _Fixed(
        measures,
        condition,
        unsure(condition, functions),
        unsure(condition, functions, wanted=False),
        tuple(gates),
    )


_FIXED = Once(_fixed)


def _naturals(measures: Mapping[str, Measure], but: Collection[str]) -> dict[str, Reach]:
    return {name: natural(measure) for name, measure in measures.items() if name not in but}


def _could(condition: Expression, names: Mapping[str, Reach]) -> bool:
    found = possible(condition, names)
    return found if isinstance(found, bool) else met(found, {})


def _any_row(keep: Expression, measures: Sequence[Measure]) -> bool:
    """Whether each row meets it: any group has a document."""
    return (
        len(measures) == 1
        and measures[0].function is Function.COUNT
        and isinstance(keep, Binary)
        and keep.operator == ">="
        and isinstance(keep.right, Number)
        and keep.right.value <= 1
        and isinstance(keep.left, Name)
    )


def _bounds(measure: Measure, reading: Reading | None) -> tuple[float | None, float | None]:
    value = reading.values[measure.name] if reading is not None else Lack.ABSENT
    if isinstance(value, float):
        return value, value
    if value is Lack.ABSENT:
        return measure.missing, measure.missing
    within = reading.bounds.get(measure.name) if reading is not None else None
    return within if within is not None else _natural_numbers(measure)


def _natural_numbers(measure: Measure) -> tuple[float, float]:
    reach = natural(measure)
    low = reach.low.value if isinstance(reach.low, Number) else -BEYOND
    high = reach.high.value if isinstance(reach.high, Number) else BEYOND
    return low, high
