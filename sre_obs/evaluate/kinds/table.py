"""A rule's measures by where they are asked: one table a stream, window and set of keys.

A table is asked twice at most: a *look* over all entities (or those that could matter), and
the *exact* figures of the few in question. `Reading` is what it says of one entity.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sre_obs.evaluate.kinds.measures import PRIMITIVES, Lack, Placed, Primitive, Value
from sre_obs.evaluate.kinds.measures.series import combine, combined_reach, neutral
from sre_obs.evaluate.kinds.reach import ANYWHERE, Reach, at, either, number
from sre_obs.evaluate.kinds.stream import end, slots
from sre_obs.evaluate.needs import Entities, Figure, Of, Row, Span, covered, figure, key_of
from sre_obs.model.expression import Binary, Call, Expression, Name, Number
from sre_obs.model.rule import EVERYTHING, Function, Measure, Rule

# Above so many it is cheaper to ask for all entities than to name them.
NAMED = 500


@dataclass(frozen=True, slots=True)
class Reading:
    """What a table says of an entity: a value by each measure's name, the documents, bounds of
    what the look leaves open, and (where asked) which share of each measure's window has
    documents with its field, whether they match or not, and how many match, whether they have
    its field or not."""

    values: Mapping[str, Value]
    count: int = 0
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    covered: Mapping[str, float] = field(default_factory=dict)
    there: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """Measures with one stream, window, filter and set of keys."""

    span: Span
    by: tuple[str, ...]
    series: tuple[str, ...]
    nameless: bool
    placed: tuple[Placed, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """What its rows are named by."""
        return (*self.by, *self.series)

    @property
    def length(self) -> float:
        """Seconds of its window."""
        return self.span.end - self.span.start

    def names(self) -> list[str]:
        """Of its measures."""
        return [one.measure.name for one in self.placed]

    def reaches(self) -> dict[str, Reach]:
        """The reach of each measure over the figures of the look."""
        found: dict[str, Reach] = {}
        at_figure = 0
        for one in self.placed:
            primitive = primitive_of(one)
            figures = [Name(figure(at_figure + n)) for n in range(len(primitive.look(one)))]
            at_figure += len(figures)
            found[one.measure.name] = _or_missing(one, primitive.reach(one, figures), figures)
        return found

    def moved(self) -> Expression | bool:
        """What a series must meet to matter, where one at 0 adds nothing to the entity;
        True where each one matters."""
        found: Expression | bool = False
        for one, reach in zip(self.placed, self.reaches().values(), strict=True):
            if not neutral(one.measure.over, primitive_of(one).least) or reach.high is None:
                return True
            found = either(found, Binary(">", reach.high, Number(0.0)))
        return found

    def look(self, keep: Expression | None, among: Collection[str] | None) -> Entities:
        """The need of a look at all entities, or some."""
        figures = [one for p in self.placed for one in primitive_of(p).look(p)]
        return self._need(figures, keep, among)

    def exact(self, among: Collection[str] | None, *, cover: bool, there: bool) -> Entities:
        """The need of the exact figures; `cover` asks for coverage beside, `there` as well for
        how many documents there are."""
        figures = [one for p in self.placed for one in primitive_of(p).exact(p)]
        if cover and not self.series:
            figures += self._slots(there=there)
        return self._need(figures, None, among)

    def coverage(self, among: Collection[str] | None, *, there: bool) -> Entities:
        """The need of the coverage alone: of an entity its series together."""
        return self._need(self._slots(there=there), None, among, keys=self.by)

    def whole(self) -> Entities:
        """The need of how much of the window the stream itself covers."""
        return Entities(self.span, figures=(slots(self.span),))

    def read_look(self, rows: Sequence[Row]) -> dict[str, Reading]:
        """What a look tells, by the key of `by`."""
        return self._read(rows, exact=False)

    def part(self, reading: Reading) -> Reading:
        """What a reading of tables `joined` says of this one."""
        own = self.names()
        values = {name: reading.values[name] for name in own}
        bounds = {name: reading.bounds[name] for name in own if name in reading.bounds}
        return Reading(values, reading.count, bounds)

    def read_exact(self, rows: Sequence[Row]) -> dict[str, Reading]:
        """What the exact figures tell, by the key of `by`."""
        return self._read(rows, exact=True)

    def read_coverage(self, row: Row) -> dict[str, float]:
        """By measure, of a row of `coverage`."""
        return self._each(row, 0)

    def read_there(self, row: Row) -> dict[str, float]:
        """How many documents there are by measure, of a row of `coverage`, if it was asked."""
        return self._each(row, len(self.placed))

    def _read(self, rows: Sequence[Row], *, exact: bool) -> dict[str, Reading]:
        by_key: dict[str, list[Row]] = {}
        if not self.series:
            return {row.key: self._reading([row], exact=exact) for row in rows}
        for row in rows:
            by_key.setdefault(key_of(row.values[: len(self.by)]), []).append(row)
        return {key: self._reading(found, exact=exact) for key, found in by_key.items()}

    def _reading(self, rows: Sequence[Row], *, exact: bool) -> Reading:
        values: dict[str, Value] = {}
        bounds: dict[str, tuple[float, float]] = {}
        start = 0
        for one in self.placed:
            primitive = primitive_of(one)
            length = len(primitive.exact(one) if exact else primitive.look(one))
            told = primitive.value if exact else primitive.told
            each = [told(one, row.found[start : start + length]) for row in rows]
            values[one.measure.name] = combine(each, one.measure.over) if self.series else each[0]
            if values[one.measure.name] is Lack.UNTOLD and not self.series:
                within = primitive.bounds(rows[0].found[start : start + length])
                if within is not None:
                    bounds[one.measure.name] = within
            start += length
        cover: dict[str, float] = {}
        there: dict[str, float] = {}
        if exact and not self.series:
            cover = self._each(rows[0], start)
            there = self._each(rows[0], start + len(self.placed))
        return Reading(values, sum(row.count for row in rows), bounds, cover, there)

    def _each(self, row: Row, start: int) -> dict[str, float]:
        """A number of each measure, from this figure on; nothing if the row has none."""
        asked = self.placed[: max(0, len(row.found) - start)]
        return {one.measure.name: covered(row, start + n) for n, one in enumerate(asked)}

    def _slots(self, *, there: bool) -> list[Figure]:
        found = [slots(p.span, field=p.measure.field) for p in self.placed]
        if there:
            found += [Figure(Of.COUNT, filters=p.filters, span=p.span) for p in self.placed]
        return found

    def _need(
        self,
        figures: Sequence[Figure],
        keep: Expression | None,
        among: Collection[str] | None,
        keys: tuple[str, ...] | None = None,
    ) -> Entities:
        group_by = self.keys if keys is None else keys
        named = None
        if among is not None and self.by and len(among) <= NAMED:
            named = tuple(sorted(among))
        span = self.span
        spans = [one.span or self.span for one in figures]
        span = Span(span.index, min(s.start for s in spans), max(s.end for s in spans))
        return Entities(span, (), group_by, tuple(figures), keep, named, self.nameless)


def joined(tables: Sequence[Table]) -> Table | None:
    """Tables of one set of keys as one, so that the server joins what they say of an entity;
    None where it can't tell their streams apart."""
    index = tuple(dict.fromkeys(name for table in tables for name in table.span.index))
    if any(":" in name or name.startswith(("-", "<")) for name in index):
        return None
    span = Span(index, min(t.span.start for t in tables), max(t.span.end for t in tables))
    first = tables[0]
    placed = tuple(one for table in tables for one in table.placed)
    return Table(span, first.by, (), first.nameless, placed)


def tables_of(rule: Rule, at: float) -> list[Table]:
    """The tables of a rule, in the order of its measures."""
    until = end(rule, at)
    grouped: dict[Any, list[Placed]] = {}
    for measure in measures_of(rule):
        index = measure.index or rule.index
        stop = until - measure.ends
        span = Span(index, stop - (measure.window or rule.window), stop)
        by = (
            rule.group_by
            if measure.by is None
            else tuple(name for name in rule.group_by if name in measure.by)
        )
        placed = _placed(rule, measure, span, by)
        grouped.setdefault((index, span.start, span.end, by, measure.series), []).append(placed)
    return [
        Table(
            found[0].span,
            found[0].by,
            found[0].measure.series,
            # Entities of a coarser scope are those of the rule, whatever they are called.
            nameless=found[0].by != rule.group_by or not rule.group_by,
            placed=tuple(found),
        )
        for found in grouped.values()
    ]


def measures_of(rule: Rule) -> tuple[Measure, ...]:
    """The rule's measures; of a simple threshold the one that it names."""
    if rule.measures:
        return rule.measures
    threshold = rule.threshold
    return (Measure("value", threshold.function, threshold.field, threshold.percent),)


def _placed(rule: Rule, measure: Measure, span: Span, by: tuple[str, ...]) -> Placed:
    filters: list[Mapping[str, Any]] = []
    if not measure.index and rule.query.dsl != EVERYTHING.dsl:
        filters.append(rule.query.dsl)
    if measure.function is not Function.MATCHES and measure.query.dsl != EVERYTHING.dsl:
        filters.append(measure.query.dsl)
    return Placed(measure, span, tuple(filters), measure.query.dsl, by)


def primitive_of(placed: Placed) -> Primitive:
    """The function of a measure."""
    return PRIMITIVES[placed.measure.function]


def natural(measure: Measure) -> Reach:
    """Between what a measure is that was not asked yet."""
    primitive = PRIMITIVES[measure.function]
    low, high = primitive.least, primitive.most
    if measure.series:
        found = combined_reach(low, high, measure.over)
    else:
        found = Reach(None if low is None else Number(low), None if high is None else Number(high))
    missing = measure.missing
    if missing is None:
        return found
    return Reach(
        None if not isinstance(found.low, Number) else Number(min(found.low.value, missing)),
        None if not isinstance(found.high, Number) else Number(max(found.high.value, missing)),
    )


def absent(measure: Measure) -> Reach:
    """What a measure is for an entity without documents: unknown unless `missing` says."""
    return at(Name("?")) if measure.missing is None else number(measure.missing)


def _or_missing(placed: Placed, reach: Reach, figures: Sequence[Expression]) -> Reach:
    missing = placed.measure.missing
    if missing is None or reach == ANYWHERE:
        return reach
    default = Number(missing)
    if placed.measure.function is Function.COUNT:
        if missing == 0:
            return reach
        there = Binary(">", figures[0], Number(0.0))
    else:
        # Of documents without the field there is no least, no most, no date.
        there = Binary(">", Call("known", (figures[0], Number(-_NOWHERE))), Number(-_NOWHERE))

    def either_way(tree: Expression | None) -> Expression | None:
        return None if tree is None else Call("if", (there, tree, default))

    low = either_way(reach.low)
    return Reach(low, low if reach.exact else either_way(reach.high))


# Below any number that is measured.
_NOWHERE = 1e300
