"""What a threshold rule asks, in which order, of whom, and what it then knows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from sre_obs.evaluate.keep import met
from sre_obs.evaluate.kinds import limits
from sre_obs.evaluate.kinds.measures import Lack
from sre_obs.evaluate.kinds.once import Once
from sre_obs.evaluate.kinds.reach import ANYWHERE, BEYOND, Reach, number, possible
from sre_obs.evaluate.kinds.stream import (
    Stream,
    end,
    sampled,
)
from sre_obs.evaluate.kinds.sure import unsure
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
from sre_obs.model.evaluation import EntityState
from sre_obs.model.expression import NOW, Binary, Expression, Name, Number
from sre_obs.model.rule import Function, Measure, Rule

# Windows so many times longer than the shortest are looked at after it.
NEAR = 4
# Of nothing these are 0, where documents don't come evenly.
ZERO = (Function.COUNT, Function.CARDINALITY, Function.SUM)


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
class Known:
    """What is known of a table."""

    table: Table
    complete: bool = False  # an entity without a reading has no documents
    look: dict[str, Reading] = field(default_factory=dict)
    exact: dict[str, Reading] = field(default_factory=dict)
    covered: dict[str, Mapping[str, float]] = field(default_factory=dict)
    there: dict[str, Mapping[str, float]] = field(default_factory=dict)
    whole: float = 1.0
    asked: bool = False

    def of(self, key: str) -> Reading | None:
        """The best reading of an entity."""
        return self.exact.get(key) or self.look.get(key)


class Inquiry:
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
        self.of = {id(table): Known(table) for table in self.tables}
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
            shown = sampled(table.span.index)
            there = shown and WHOLE in self.known
            cover = shown and not table.series
            exact = table.exact(None, cover=cover, there=there)
            yield Question(table, About.EXACT, exact)
            if table.series:
                yield Question(table, About.COVERAGE, table.coverage(None, there=there))

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
                known.there = {row.key: table.read_there(row) for row in answer.rows}
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
            # Who was true before may still be there without what is measured.
            there = shown and bool(of_known)
            exact = table.exact(among, cover=cover, there=there)
            needs.append(Question(table, About.EXACT, exact))
            if cover and table.series:
                coverage = table.coverage(among, there=there)
                needs.append(Question(table, About.COVERAGE, coverage))
            if cover and shown and table.by:
                needs.append(Question(table, About.STREAM, table.whole()))
        return needs

    def _open(self, known: Known, key: str) -> bool:
        reading = known.look.get(key)
        if reading is None:
            return not (known.asked and known.complete)
        return Lack.UNTOLD in reading.values.values()

    def _zero(self, known: Known, key: str) -> bool:
        """Whether nothing but a count of nothing is to be learnt."""
        table = known.table
        if not known.asked or table.by != self.rule.group_by or sampled(table.span.index):
            return False
        if any(one.measure.function not in ZERO for one in table.placed):
            return False
        reading = known.look.get(key)
        # What the limit kept on the server was there, and is under it.
        return reading is not None or len(self.tables) == 1

    def _true_by_look(self, key: str) -> bool:
        if key not in self.survivors:
            return False
        # What was not asked yet is not "no documents": it would be taken for `missing`.
        if any(self._open(self.of[id(t)], self._project(t, key)) for t in self.tables):
            return False
        names, _ = self._names(key)
        _, held = self._levels(key, names)
        return True in held

    # -- what is known of an entity

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
