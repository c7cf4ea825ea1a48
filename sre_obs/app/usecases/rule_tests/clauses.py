"""Which clause of a rule its cases have seen true and seen false.

A clause that was never true, or never false, could be missing or misspelt and no test would
notice. There are three sorts: what a query asks of a document (seen on the documents of
the cases), a comparison in `when` or `valid`, and the limits of the threshold and its levels
(seen on what the entities' measures came to).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as File
from typing import TypeAlias

from sre_obs.app.usecases.rule_tests.leaves import Leaf, leaves, moves
from sre_obs.app.usecases.rule_tests.nearest import FAR, loosened
from sre_obs.app.usecases.rule_tests.play import TimedSource
from sre_obs.content import yaml
from sre_obs.content.shape import find
from sre_obs.evaluate.evaluate import evaluate
from sre_obs.evaluate.ports import Renderer, Request
from sre_obs.model.expression import Binary, Call, Expression, Unary
from sre_obs.model.problem import Location
from sre_obs.model.rule import EVERYTHING, Comparison, Query, Rule, RuleKind

Path: TypeAlias = tuple[str | int, ...]

# At so many of a case's evaluations clauses are looked at first.
GLANCES = 6
_COMPARISONS = frozenset(("<", "<=", ">", ">=", "==", "!="))


@dataclass(slots=True)
class Clause:
    """One clause: where it is in the rule file, and whether it was seen true and false."""

    path: Path
    text: str
    start: int = 0
    length: int = 0
    seen: set[bool] = field(default_factory=set)

    @property
    def done(self) -> bool:
        """Whether it was seen both ways."""
        return len(self.seen) == 2


@dataclass(frozen=True, slots=True)
class Unseen:
    """A clause that the cases leave open; `never` is "true", "false" or both."""

    location: Location
    never: str
    text: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """A clause of a query, the documents that it is about: indices, and how far back from
    an evaluation, in seconds."""

    clause: Clause
    leaf: Leaf
    index: tuple[str, ...]
    begins: float
    ends: float


@dataclass(frozen=True, slots=True)
class _Compared:
    """A comparison of two expressions over measures."""

    clause: Clause
    operator: str
    left: Expression
    right: Expression


class Coverage:
    """The clauses of one rule."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._asked = list(_asked(rule))
        self._compared = [
            _Compared(Clause(("when",), "", node.start, node.length), node.operator, node.left,
                      node.right)
            for node in _comparisons(rule.when)
        ] + [
            _Compared(Clause(("valid",), "", node.start, node.length), node.operator, node.left,
                      node.right)
            for node in _comparisons(rule.valid)
        ]  # fmt: skip
        self._limits = list(_limits(rule))

    @property
    def clauses(self) -> list[Clause]:
        """All of them, in the order of the file as far as it is usual."""
        return [
            *(asked.clause for asked in self._asked),
            *(compared.clause for compared in self._compared),
            *(clause for clause, _, _ in self._limits),
        ]

    def add(self, seen: Sequence[set[bool]]) -> None:
        """Take over what another `Coverage` of the same rule has seen, clause by clause."""
        for clause, more in zip(self.clauses, seen, strict=True):
            clause.seen |= more

    @property
    def done(self) -> bool:
        """Whether every clause was seen both ways."""
        return all(clause.done for clause in self.clauses)

    def watch(
        self, rule: Rule, source: TimedSource, renderer: Renderer, times: Sequence[float]
    ) -> None:
        """Look at one case: `rule` as it was evaluated at these times, since the epoch."""
        self._watch_documents(source, times)
        self._watch_entities(rule, source, renderer, times)

    def glance(
        self, rule: Rule, source: TimedSource, renderer: Renderer, times: Sequence[float]
    ) -> None:
        """Look at a few of a case's times: nearly all is seen at them, at a fraction of what
        it costs to evaluate everything twice."""
        step = max(1, len(times) // GLANCES)
        self.watch(rule, source, renderer, [*times[:-1:step], times[-1]])

    def unseen(self, file: File) -> list[Unseen]:
        """The clauses that are left open, with their places in the rule's file."""
        open_ = [clause for clause in self.clauses if not clause.done]
        if not open_:
            return []
        document, _ = yaml.load(file, name=self._rule.location.file)
        found = []
        for clause in open_:
            never = " or ".join(
                word for word, way in (("true", True), ("false", False)) if way not in clause.seen
            )
            place, text = _place(document, clause, self._rule)
            found.append(Unseen(place, never, text))
        return sorted(found, key=lambda one: one.location)

    def _watch_documents(self, source: TimedSource, times: Sequence[float]) -> None:
        fixed: dict[tuple[tuple[str, ...], float, float], list[_Asked]] = {}
        for asked in self._asked:
            if asked.clause.done:
                continue
            if moves(asked.leaf.dsl):
                self._moving(asked, source, times)
            else:
                fixed.setdefault((asked.index, asked.begins, asked.ends), []).append(asked)
        source.now = times[-1]
        for (index, begins, ends), group in fixed.items():
            self._count(source, index, (times[0] - begins, times[-1] - ends), group)

    def _moving(self, asked: _Asked, source: TimedSource, times: Sequence[float]) -> None:
        """A clause on ``now`` means something else at each run."""
        for at in times:
            source.now = at - asked.ends
            self._count(source, asked.index, (at - asked.begins, at - asked.ends), [asked])
            if asked.clause.done:
                return

    def _count(
        self,
        source: TimedSource,
        index: tuple[str, ...],
        span: tuple[float, float],
        group: Sequence[_Asked],
    ) -> None:
        between = {
            "gte": str(round(span[0] * 1000)),
            "lt": str(round(span[1] * 1000)),
            "format": "epoch_millis",
        }
        filters = {str(number): asked.leaf.dsl for number, asked in enumerate(group)}
        body = {
            "size": 0,
            "track_total_hits": True,
            "query": {"bool": {"filter": [{"range": {"@timestamp": between}}]}},
            "aggs": {"clauses": {"filters": {"filters": filters}}},
        }
        (answer,) = source.search([Request(index, body)])
        if not isinstance(answer, Mapping) or "aggregations" not in answer:
            return  # the evaluation itself says what is wrong
        total = answer["hits"]["total"]["value"]
        buckets = answer["aggregations"]["clauses"]["buckets"]
        for number, asked in enumerate(group):
            count = buckets[str(number)]["doc_count"]
            if count:
                asked.clause.seen.add(True)
            if count < total:
                asked.clause.seen.add(False)

    def _watch_entities(
        self, rule: Rule, source: TimedSource, renderer: Renderer, times: Sequence[float]
    ) -> None:
        if rule.kind is not RuleKind.THRESHOLD:
            return
        for at in times:
            probes: dict[str, tuple[Rule, list[tuple[Clause, str, float]]]] = {}
            limits = [
                (clause, *_limit_of(rule, n)) for n, (clause, _, _) in enumerate(self._limits)
            ]
            wanted = [one for one in limits if not one[0].done]
            loose = replace(loosened(rule), valid=rule.valid)
            if wanted:
                probes["limits"] = (replace(loose, id="probe/limits"), wanted)
            for number, compared in enumerate(self._compared):
                if not compared.clause.done:
                    probe = _probe(rule, compared, f"probe/{number}")
                    probes[probe.id] = (probe, [(compared.clause, compared.operator, 0.0)])
            if not probes:
                return
            source.now = at
            rules = [probe for probe, _ in probes.values()]
            changes = evaluate(rules, at, source, {}, renderer, timer=lambda: 0.0)
            told = {probe.id: clauses for probe, clauses in probes.values()}
            for state in changes.entities:
                if state.value is None:
                    continue
                for clause, operator, limit in told[state.rule]:
                    clause.seen.add(_holds(operator, state.value, limit))


def _asked(rule: Rule) -> Iterator[_Asked]:
    queries: list[tuple[Path, Query, tuple[str, ...], float, float]] = []
    if rule.query != EVERYTHING:
        queries.append((("query",), rule.query, rule.index, rule.window, 0.0))
    for measure in rule.measures:
        if measure.query != EVERYTHING:
            path: Path = ("measures", measure.name, "query")
            window = measure.window or rule.window
            queries.append((path, measure.query, measure.index or rule.index, window, measure.ends))
    for path, query, index, window, ends in queries:
        for leaf in leaves(query, rule.variables):
            clause = Clause(path, leaf.text, leaf.start, leaf.length)
            delay = rule.query_delay + ends
            yield _Asked(clause, leaf, index, window + delay, delay)


def _limits(rule: Rule) -> Iterator[tuple[Clause, str, float]]:
    if rule.kind is not RuleKind.THRESHOLD:
        return
    for number in range(1 + len(rule.levels)):
        operator, limit = _limit_of(rule, number)
        path: Path = ("threshold", "limit") if number == 0 else ("levels", number - 1, "limit")
        if number and rule.levels[number - 1].limit is None:
            continue  # differs by its time alone
        yield Clause(path, f"{operator} {limit:.12g}"), operator, limit


def _limit_of(rule: Rule, number: int) -> tuple[str, float]:
    """Comparison and limit of the threshold, or of a level."""
    threshold = rule.threshold
    if number == 0:
        return threshold.comparison.value, threshold.limit
    if number > len(rule.levels):
        return threshold.comparison.value, threshold.limit
    level = rule.levels[number - 1]
    comparison = level.comparison or threshold.comparison
    return comparison.value, threshold.limit if level.limit is None else level.limit


def _comparisons(expression: Expression | None) -> Iterator[Binary]:
    match expression:
        case Binary() if expression.operator in _COMPARISONS:
            yield expression
        case Binary():
            yield from _comparisons(expression.left)
            yield from _comparisons(expression.right)
        case Unary():
            yield from _comparisons(expression.operand)
        case Call():
            for argument in expression.arguments:
                yield from _comparisons(argument)
        case _:
            return


def _probe(rule: Rule, compared: _Compared, id_: str) -> Rule:
    """A rule that tells how far the two sides of a comparison are apart."""
    loose = loosened(rule)
    return replace(
        loose,
        id=id_,
        value=Binary("-", compared.left, compared.right),
        valid=None,
        threshold=replace(loose.threshold, comparison=Comparison.GTE, limit=-FAR),
    )


def _holds(operator: str, value: float, limit: float) -> bool:
    if operator == "==":
        return value == limit
    if operator == "!=":
        return value != limit
    return Comparison(operator).holds(value, limit)


def _place(document: yaml.Document, clause: Clause, rule: Rule) -> tuple[Location, str]:
    """Where a clause stands, and how it is written there."""
    if document.root is None:
        return rule.location, clause.text
    node = find(document.root, clause.path)
    if not clause.length or not isinstance(node, yaml.Scalar):
        return document.place(node), clause.text
    text = node.text[clause.start : clause.start + clause.length]
    return document.place(node, clause.start, clause.length), " ".join(text.split())
