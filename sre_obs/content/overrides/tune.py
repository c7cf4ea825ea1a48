"""Overrides and rules -> tuned rules, each value with the place that set it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from sre_obs.content.mistakes import shown
from sre_obs.content.overrides.load import Override
from sre_obs.content.overrides.schema import WORDS, OverrideShape
from sre_obs.content.rules.build import check_times, flapping_of, levels_of, refuse_label
from sre_obs.content.rules.levels import Fault, faults
from sre_obs.content.rules.queries import compile_query, narrowed, read_query
from sre_obs.content.rules.written import Written
from sre_obs.content.shape import read_shape
from sre_obs.content.yaml import Document, Map, Node, Scalar
from sre_obs.model.errors import QueryError
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.rule import Query, Rule, RuleKind, Runs, Tuned

# Field of the shape -> field of the rule, for what is taken as it is.
_PLAIN = {
    "from_": "window",
    "for_": "for_",
    **{
        name: name
        for name in (
            *("interval", "query_delay", "keep_firing_for", "stale_after", "forget_after"),
            *("no_data", "state", "severity", "owner", "runbook"),
        )
    },
}


def apply_overrides(
    rules: Sequence[Rule], overrides: Sequence[Override]
) -> tuple[tuple[Rule, ...], list[Problem]]:
    """The tuned rules, and what is wrong.

    An override that no rule matches is a warning, since the rule may come with the next
    version. A rule for which something is wrong stays as its file says.
    """
    problems: list[Problem] = []
    used: set[int] = set()
    variables: set[str] = set()
    tuned = []
    for rule in rules:
        variables.update(rule.variables)
        matching = [o for o in overrides if o.general or fnmatchcase(rule.id, o.pattern)]
        used.update(map(id, matching))
        if matching:
            rule, wrong = _Tuning(rule, matching).tuned()
            problems += [p for p in wrong if p not in problems]
        tuned.append(rule)
    for override in overrides:
        if override.general:
            problems += _unknown_variables(override, variables)
        elif id(override) not in used:
            message = f"no rule has the id {shown(override.pattern)}"
            near = get_close_matches(override.pattern, [rule.id for rule in rules], n=1)
            remedy = "write <service>/<slug>, as the rule's folder and file are called"
            problems.append(
                override.document.problem(
                    "overrides/unknown-rule",
                    override.location,
                    message,
                    f"write {near[0]}" if near else remedy,
                    Severity.WARNING,
                )
            )
    return tuple(tuned), problems


def tune(rule: Rule, document: Document, node: Node) -> tuple[Rule, list[Problem]]:
    """The rule with the values of one block, as it stands under a rule's id in
    `overrides.yml`; as it was where something is wrong."""
    shape, problems = read_shape(document, OverrideShape, WORDS, node)
    if shape is None or not isinstance(node, Map):
        return rule, problems
    override = Override(rule.id, shape, node, document, document.location(node.start))
    return _Tuning(rule, [override]).tuned()


class _Tuning:
    """What several overrides make of one rule."""

    def __init__(self, rule: Rule, overrides: Sequence[Override]) -> None:
        self._rule = rule
        self._overrides = overrides
        self._values: dict[str, Any] = {}
        self._labels = dict(rule.labels)
        self._variables = dict(rule.variables)
        self._threshold = rule.threshold
        self._entities: list[tuple[Tuned, Written, int]] = []
        self._exclude: list[Written] = []
        self._levels: Written | None = None
        self._origins = dict(rule.origins)
        self._problems: list[Problem] = []

    def tuned(self) -> tuple[Rule, list[Problem]]:
        """The rule, tuned unless a problem forbids it."""
        for override in self._overrides:
            written = Written(override.document, override.node)
            self._take(override, written)
            self._problems += written.problems
        if len(self._origins) == len(self._rule.origins) and not self._problems:
            return self._rule, []
        rule = replace(
            self._rule,
            **self._values,
            labels=self._labels,
            variables=self._variables,
            threshold=self._threshold,
            tuned=(*(tuned for tuned, _, _ in self._entities), *self._rule.tuned),
            origins=self._origins,
        )
        rule = self._queries(rule)
        for fault in faults(rule):
            document, place = self._where(fault)
            self._problems.append(
                document.problem("overrides/wrong-value", place, fault.message, fault.remedy)
            )
        if self._problems:
            return self._rule, self._problems
        last = self._overrides[-1]
        return rule, check_times(rule, last.location, last.document)

    def _take(self, override: Override, written: Written) -> None:
        shape, rule = override.shape, self._rule
        for name in shape.model_fields_set:
            if name in _PLAIN:
                self._values[_PLAIN[name]] = getattr(shape, name)
                self._origin(written, name.removesuffix("_"))
        if "runs" in shape.model_fields_set and shape.runs is not None:
            self._values["runs"] = Runs(*shape.runs)
            self._origin(written, "runs")
        if "flapping" in shape.model_fields_set:
            self._values["flapping"] = flapping_of(shape.flapping)
            self._origin(written, "flapping")
        if shape.levels is not None:
            self._values["levels"] = levels_of(shape.levels)
            self._levels = written
            self._origin(written, "levels")
        if shape.threshold is not None:
            self._limit(override, written)
        for name, text in (shape.labels or {}).items():
            reason = refuse_label(name)
            if reason is not None:
                self._add(override, written.key("labels", name), *reason)
            self._labels[name] = text
            self._origin(written, "labels", name)
        self._take_variables(override, written)
        if shape.exclude is not None:
            self._exclude.append(written)
            self._origin(written, "exclude")
        entities = shape.entities or []
        if entities:
            self._origin(written, "entities")
        mine = []
        for number, one in enumerate(entities):
            for field in one.match:
                if field not in rule.group_by:
                    place = written.key("entities", number, "match", field)
                    message = f"{shown(field)} is not in the rule's group_by"
                    remedy = ", ".join(rule.group_by) or "it has none"
                    self._add(override, place, message, f"of: {remedy}")
            place = written.key("entities", number)
            tuned = Tuned(one.match, one.limit, one.for_, one.severity, one.exclude, place)
            mine.append((tuned, written, number))
        # What comes later wins, and of entities the first that matches counts.
        self._entities = mine + self._entities

    def _limit(self, override: Override, written: Written) -> None:
        shape = override.shape.threshold
        assert shape is not None
        if self._rule.kind is not RuleKind.THRESHOLD:
            if override.pattern == self._rule.id:
                message = f"{self._rule.id} is of kind {self._rule.kind} and has no limit"
                self._add(override, override.location, message, "remove threshold")
            return
        for key in ("limit", "clear"):
            number = getattr(shape, key)
            if number is not None:
                self._threshold = replace(self._threshold, **{key: number})
                self._origin(written, "threshold", key)

    def _take_variables(self, override: Override, written: Written) -> None:
        own = self._rule.variables
        for name, value in (override.shape.variables or {}).items():
            place = written.key("variables", name)
            if name not in own:
                if override.pattern == self._rule.id:
                    near = get_close_matches(name, own, n=1)
                    remedy = f"it has: {', '.join(own)}" if own else "remove it"
                    self._add(
                        override,
                        place,
                        f"{self._rule.id} has no variable {shown(name)}",
                        f"write {near[0]}" if near else remedy,
                    )
                continue
            if isinstance(own[name], str):
                value = _text(written, name)
            elif isinstance(value, str):
                message = f"{shown(name)} is a number in {self._rule.id}"
                self._add(override, place, message, "write a number")
                continue
            self._variables[name] = value
            self._origin(written, "variables", name)

    def _queries(self, rule: Rule) -> Rule:
        """The rule with its queries as the variables and exclusions have them."""
        query = self._again(rule.query)
        for written in self._exclude:
            language, node = rule.query.language, written.root["exclude"]
            own = Written(written.document, written.root)
            without = read_query(own, node, language, rule.variables, key="exclude")
            self._problems += own.problems
            if without is not None:
                query = narrowed(query, without)
        measures = tuple(replace(m, query=self._again(m.query)) for m in rule.measures)
        return replace(rule, query=query, measures=measures)

    def _again(self, query: Query) -> Query:
        if "${" not in query.text or query.language == "dsl":
            return query
        try:
            return compile_query(query.text, query.language, self._variables)
        except QueryError as error:
            # It was read before, with other values: they are what is wrong.
            last = self._overrides[-1]
            self._add(last, last.location, error.message, error.remedy)
            return query

    def _origin(self, written: Written, *path: str) -> None:
        self._origins[".".join(path)] = written.key(*path)

    def _add(self, override: Override, place: Location, message: str, remedy: str) -> None:
        problem = override.document.problem("overrides/wrong-value", place, message, remedy)
        self._problems.append(problem)

    def _where(self, fault: Fault) -> tuple[Document, Location]:
        """Where an override set what is wrong now."""
        first, *rest = fault.path
        if first == "entities" and isinstance(rest[0], int) and rest[0] < len(self._entities):
            _, written, number = self._entities[rest[0]]
            return written.document, written.key("entities", number, *rest[1:])
        if first == "levels" and self._levels is not None:
            return self._levels.document, self._levels.key(*fault.path)
        path = fault.path if first == "threshold" else ("threshold", "limit")
        for override in reversed(self._overrides):
            if override.shape.threshold is not None:
                written = Written(override.document, override.node)
                return override.document, written.key(*path)
        last = self._overrides[-1]
        return last.document, last.location


def _text(written: Written, name: str) -> str:
    node = written.root["variables"]
    assert isinstance(node, Map)
    value = node[name]
    assert isinstance(value, Scalar)
    return value.text


def _unknown_variables(override: Override, known: Iterable[str]) -> list[Problem]:
    written = Written(override.document, override.node)
    found = []
    for name in override.shape.variables or {}:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            found.append(
                override.document.problem(
                    "overrides/unknown-variable",
                    written.key("variables", name),
                    f"no rule has the variable {shown(name)}",
                    f"write {near[0]}" if near else "remove it",
                    Severity.WARNING,
                )
            )
    return found
