"""Breaks every bundled rule in every small way, and shows which breaks its tests miss.

A mutant is a rule with one fact changed: a clause of a query that always or never holds, a
bound that is passed one step earlier or later, a comparison with or without its equal sign,
a condition of `when` or `valid` that always or never holds, a limit, a level, a wait, a
window, a function. It is *killed* when a case of the rule's own tests fails. Thresholds and
clauses must all be killed; the rest is told beside them.

::

    python -m tests.bench.mutations                    # all rules
    python -m tests.bench.mutations rules/apm          # some
    python -m tests.bench.mutations --survivors        # only what lived
"""

from __future__ import annotations

import argparse
import copy
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sre_obs.adapters.templates import BoundedRenderer
from sre_obs.app.usecases.rule_tests.compare import differences
from sre_obs.app.usecases.rule_tests.files import find_tests, tested_rule
from sre_obs.app.usecases.rule_tests.play import play
from sre_obs.app.usecases.rule_tests.run import contract_types
from sre_obs.app.usecases.rule_tests.source import CaseSource, Stage
from sre_obs.content.tests.load import load_suite
from sre_obs.content.tests.suite import Suite
from sre_obs.model.expression import Binary, Call, Expression, Number, Unary
from sre_obs.model.rule import Comparison, Function, Measure, Query, Rule, RuleKind

REPOSITORY = Path(__file__).parents[2]
RECORDINGS = REPOSITORY / "sre_obs" / "app" / "demo" / "telemetry"

# What must be killed, and what is only told.
REQUIRED = ("clause", "bound", "threshold", "condition", "level")

_EQUAL = {
    Comparison.GTE: Comparison.GT,
    Comparison.GT: Comparison.GTE,
    Comparison.LTE: Comparison.LT,
    Comparison.LT: Comparison.LTE,
}
_SIGNS = {">=": ">", ">": ">=", "<=": "<", "<": "<=", "==": "!=", "!=": "=="}
_BOUNDS = {"gte": "gt", "gt": "gte", "lte": "lt", "lt": "lte"}
_COMPOUND = ("bool", "nested", "constant_score")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A rule with one fact changed, in words."""

    sort: str
    words: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one rule's mutants."""

    rule: str
    made: Mapping[str, int]
    survivors: tuple[tuple[str, str], ...]
    wrong: str = ""
    seconds: float = 0.0


def mutants(rule: Rule) -> Iterator[Mutant]:
    """Every mutant of a rule."""
    for words, query in _queries(rule.query):
        yield Mutant(words[0], f"query: {words[1]}", replace(rule, query=query))
    for number, measure in enumerate(rule.measures):
        yield from _of_measure(rule, number, measure)
    for name in ("when", "valid", "value"):
        tree: Expression | None = getattr(rule, name)
        for words, changed in _conditions(tree) if tree is not None else ():
            yield Mutant("condition", f"{name}: {words}", replace(rule, **{name: changed}))
    yield from _thresholds(rule)
    yield from _times(rule)
    if len(rule.group_by) > 1:
        for field in rule.group_by:
            left = tuple(one for one in rule.group_by if one != field)
            measures = tuple(_without(measure, field) for measure in rule.measures)
            changed = replace(rule, group_by=left, measures=measures)
            yield Mutant("group", f"group_by without {field}", changed)


def _without(measure: Measure, field: str) -> Measure:
    if measure.by is None:
        return measure
    return replace(measure, by=tuple(one for one in measure.by if one != field))


def _queries(query: Query) -> Iterator[tuple[tuple[str, str], Query]]:
    for words, dsl in _clauses(query.dsl):
        yield words, replace(query, dsl=dsl)


def _clauses(dsl: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
    """Each clause replaced by what always, and by what never holds; each bound moved."""
    for path, clause in _leaves(dsl, ()):
        short = str(clause)[:90]
        for always in ({"match_all": {}}, {"match_none": {}}):
            words = "always" if "match_all" in always else "never"
            yield ("clause", f"{words} {short}"), _put(dsl, path, always)
        if "range" in clause:
            ((field, bounds),) = clause["range"].items()
            for bound in set(bounds) & set(_BOUNDS):
                moved = {k: v for k, v in bounds.items() if k != bound}
                moved[_BOUNDS[bound]] = bounds[bound]
                words = f"{_BOUNDS[bound]} for {bound} in {short}"
                yield ("bound", words), _put(dsl, path, {"range": {field: moved}})


def _leaves(
    clause: Any, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    if not isinstance(clause, Mapping) or len(clause) != 1:
        return
    ((name, body),) = clause.items()
    if name == "match_all":
        return
    if name not in _COMPOUND:
        yield path, clause
        return
    for key in ("filter", "must", "must_not", "should", "query"):
        inner = body.get(key)
        if isinstance(inner, list):
            for number, one in enumerate(inner):
                yield from _leaves(one, (*path, name, key, number))
        elif inner is not None:
            yield from _leaves(inner, (*path, name, key))


def _put(dsl: Mapping[str, Any], path: Sequence[str | int], clause: Any) -> Mapping[str, Any]:
    if not path:
        found: Mapping[str, Any] = clause
        return found
    changed = copy.deepcopy(dict(dsl))
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = clause
    return changed


def _of_measure(rule: Rule, number: int, measure: Measure) -> Iterator[Mutant]:
    def changed(**values: Any) -> Rule:
        measures = list(rule.measures)
        measures[number] = replace(measure, **values)
        return replace(rule, measures=tuple(measures))

    name = f"measure {measure.name}"
    for (sort, words), query in _queries(measure.query):
        yield Mutant(sort, f"{name}: {words}", changed(query=query))
    other = {
        Function.AVG: Function.MAX,
        Function.MAX: Function.MIN,
        Function.MIN: Function.MAX,
        Function.SUM: Function.MAX,
        Function.INCREASE: Function.MAX,
        Function.LATEST: Function.MIN,
        Function.PERCENTILE: Function.MIN,
        Function.SLOPE: Function.MAX,
        Function.CARDINALITY: Function.MAX,
        Function.CHANGES: Function.CARDINALITY,
    }.get(measure.function)
    if other is not None:
        yield Mutant("function", f"{name}: {other} for {measure.function}", changed(function=other))
    window = measure.window or rule.window
    for factor in (0.5, 2.0):
        longer = window * factor
        yield Mutant("window", f"{name}: window {longer:g} s", changed(window=longer))
    if measure.missing is not None:
        yield Mutant("missing", f"{name}: unknown where missing", changed(missing=None))


def _conditions(tree: Expression) -> Iterator[tuple[str, Expression]]:
    """Each comparison always, never, and with its boundary moved; each operator and number
    changed."""
    for put, node in _parts(tree, lambda changed: changed):
        if isinstance(node, Binary) and node.operator in _SIGNS:
            yield f"always {_told(node)}", put(Number(1.0))
            yield f"never {_told(node)}", put(Number(0.0))
            sign = _SIGNS[node.operator]
            yield f"{sign} for {_told(node)}", put(replace(node, operator=sign))
        if isinstance(node, Binary) and node.operator in ("and", "or"):
            swapped = "or" if node.operator == "and" else "and"
            yield f"{swapped} for {_told(node)}", put(replace(node, operator=swapped))


def _parts(
    node: Expression, put: Callable[[Expression], Expression]
) -> Iterator[tuple[Callable[[Expression], Expression], Expression]]:
    yield put, node
    match node:
        case Binary():
            yield from _parts(node.left, lambda one: put(replace(node, left=one)))
            yield from _parts(node.right, lambda one: put(replace(node, right=one)))
        case Unary():
            yield from _parts(node.operand, lambda one: put(replace(node, operand=one)))
        case Call():
            for number, argument in enumerate(node.arguments):

                def place(one: Expression, at: int = number) -> Expression:
                    arguments = list(node.arguments)
                    arguments[at] = one
                    return put(replace(node, arguments=tuple(arguments)))

                yield from _parts(argument, place)
        case _:
            pass


def _told(node: Expression) -> str:
    match node:
        case Binary():
            return f"{_told(node.left)} {node.operator} {_told(node.right)}"
        case Unary():
            return f"{node.operator} {_told(node.operand)}"
        case Call():
            return f"{node.function}({', '.join(map(_told, node.arguments))})"
        case Number():
            return f"{node.value:g}"
        case _:
            return node.name


def _thresholds(rule: Rule) -> Iterator[Mutant]:
    limit = rule.threshold
    if rule.kind is RuleKind.THRESHOLD:
        for words, moved in _nudged(limit.limit):
            changed = replace(limit, limit=moved)
            yield Mutant("threshold", f"limit {words}", replace(rule, threshold=changed))
        sign = _EQUAL[limit.comparison]
        changed = replace(limit, comparison=sign)
        yield Mutant("threshold", f"{sign} limit", replace(rule, threshold=changed))
        if limit.clear is not None:
            gone = replace(limit, clear=None)
            yield Mutant("level", "clear dropped", replace(rule, threshold=gone))
    for name, value in rule.variables.items():
        if isinstance(value, str):
            continue
        for words, moved in _nudged(value):
            variables = {**rule.variables, name: moved}
            changed_rule = replace(rule, variables=variables)
            yield Mutant("threshold", f"variable {name} {words}", changed_rule)
    for number, level in enumerate(rule.levels):

        def levels(at: int = number, **values: Any) -> Rule:
            found = list(rule.levels)
            found[at] = replace(found[at], **values)
            return replace(rule, levels=tuple(found))

        left = rule.levels[:number] + rule.levels[number + 1 :]
        yield Mutant("level", f"without {level.severity}", replace(rule, levels=left))
        if level.limit is not None:
            for words, moved in _nudged(level.limit):
                yield Mutant("level", f"{level.severity} limit {words}", levels(limit=moved))
            sign = _EQUAL[level.comparison or limit.comparison]
            yield Mutant("level", f"{level.severity} {sign}", levels(comparison=sign))
        if level.for_:
            wait = level.for_ - rule.interval
            yield Mutant("level", f"{level.severity} for {wait:g} s", levels(for_=max(wait, 0.0)))
            wait = level.for_ + rule.interval
            yield Mutant("level", f"{level.severity} for {wait:g} s", levels(for_=wait))


def _nudged(value: float) -> Iterator[tuple[str, float]]:
    """A whole number by one, another by 2%: a test must hold a value that near."""
    step = 1.0 if float(value).is_integer() and abs(value) < 100 else abs(value) * 0.02
    yield f"{value + step:g} for {value:g}", value + step
    yield f"{value - step:g} for {value:g}", value - step


def _times(rule: Rule) -> Iterator[Mutant]:
    if rule.for_:
        for wait in (max(rule.for_ - rule.interval, 0.0), rule.for_ + rule.interval):
            yield Mutant("wait", f"for {wait:g} s", replace(rule, for_=wait))
    if rule.keep_firing_for:
        yield Mutant("wait", "keep_firing_for 0", replace(rule, keep_firing_for=0.0))
    for factor in (0.5, 2.0):
        window = rule.window * factor
        yield Mutant("window", f"window {window:g} s", replace(rule, window=window))


def judge(path: Path) -> Verdict:
    """One test file: its rule's mutants, each against every case until one fails."""
    began = time.perf_counter()
    suite, problems = load_suite(path, recordings=RECORDINGS)
    if suite is None:
        return Verdict(str(path), {}, (), f"{problems[0].location}: {problems[0].message}")
    rule, problems = tested_rule(suite, str(path))
    if rule is None:
        return Verdict(str(path), {}, (), f"{problems[0].location}: {problems[0].message}")
    renderer = BoundedRenderer()
    made: Counter[str] = Counter()
    survivors: list[tuple[str, str]] = []
    try:
        sources = _sources(suite, rule)
        if failing := _failing(rule, rule, suite, sources, renderer):
            return Verdict(rule.id, {}, (), f"fails unchanged: {failing}")
        for mutant in mutants(rule):
            made[mutant.sort] += 1
            if not _failing(rule, mutant.rule, suite, sources, renderer):
                survivors.append((mutant.sort, mutant.words))
    finally:
        renderer.close()
    return Verdict(rule.id, dict(made), tuple(survivors), "", time.perf_counter() - began)


def _sources(suite: Suite, rule: Rule) -> list[CaseSource]:
    types = contract_types(suite.rule)
    return [Stage.of(rule, case, types, suite.start).source(rule.source) for case in suite.cases]


def _failing(
    rule: Rule,
    mutant: Rule,
    suite: Suite,
    sources: Sequence[CaseSource],
    renderer: BoundedRenderer,
) -> str:
    """The first case that tells the mutant from the rule; empty when none does."""
    for case, source in zip(suite.cases, sources, strict=True):
        try:
            played = play(
                mutant, case, source, renderer, start=suite.start, timer=time.perf_counter
            )
        except Exception as error:  # noqa: BLE001  (a mutant that breaks the engine is dead)
            return f"{case.name}: {type(error).__name__}: {error}"
        if differences(rule, case, played, suite.start):
            return case.name
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", nargs="*", type=Path, default=[REPOSITORY / "rules"])
    parser.add_argument("--survivors", action="store_true", help="print only what lived")
    parser.add_argument("--quick", action="store_true", help="three rules, to see that it runs")
    chosen = parser.parse_args()
    files = [found.path for found in find_tests(chosen.path)]
    if chosen.quick:
        files = files[:3]
    made: Counter[str] = Counter()
    lived: Counter[str] = Counter()
    wrong = 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for verdict in pool.map(judge, files):
            made.update(verdict.made)
            lived.update(sort for sort, _ in verdict.survivors)
            wrong += bool(verdict.wrong)
            total = sum(verdict.made.values())
            if verdict.wrong:
                print(f"{verdict.rule}: {verdict.wrong}", flush=True)
            elif verdict.survivors or not chosen.survivors:
                killed = total - len(verdict.survivors)
                print(f"{verdict.rule}: {killed} of {total}, {verdict.seconds:.1f} s", flush=True)
            for sort, words in verdict.survivors:
                mark = "!" if sort in REQUIRED else " "
                print(f"  {mark} {sort}: {words}", flush=True)
    print()
    for sort in sorted(made, key=lambda sort: (sort not in REQUIRED, sort)):
        print(f"{sort:<10} {made[sort] - lived[sort]:>5} of {made[sort]:>5} killed")
    missed = sum(lived[sort] for sort in REQUIRED)
    print(
        f"{len(files)} rules, {missed} of the required mutants lived, {wrong} could not be judged"
    )
    return 1 if missed or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
