"""The rules as they are in force: each value with the place that it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from sre_obs.app.settings import BUNDLED, Settings
from sre_obs.app.usecases.load import NEAR, file_of, load_tuned
from sre_obs.content import yaml
from sre_obs.content.duration import format_duration
from sre_obs.content.yaml import Document, Map, Node, Scalar
from sre_obs.model.errors import UsageError
from sre_obs.model.expression import Expression
from sre_obs.model.problem import Location, Problem
from sre_obs.model.rule import Function, Level, Measure, Over, Rule, RuleKind, Tuned
from sre_obs.query.expression import write

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Value:
    """One key of a rule; `place` is None where the value is the default."""

    key: str
    text: str
    place: Location | None

    @property
    def origin(self) -> str:
        """``file:line`` or ``default``."""
        return DEFAULT if self.place is None else f"{self.place.file}:{self.place.line}"


def listed(settings: Settings) -> tuple[tuple[Rule, ...], Sequence[Problem]]:
    """The rules, by id, and what is wrong; the bundled ones where no folder is set."""
    rules, problems, _ = load_tuned(_some(settings))
    return rules, problems


def shown(settings: Settings, name: str) -> tuple[Rule, list[Value], list[Problem]]:
    """A rule by its id or its slug, all its values, and what is wrong with its file or with
    the overrides: with an error in them nothing of them is in force.

    Raises UsageError where there is no such rule.
    """
    settings = _some(settings)
    rules, problems, _ = load_tuned(settings)
    rule = next((r for r in rules if name in (r.id, r.slug)), None)
    if rule is None:
        broken = [p for p in problems if Path(p.location.file).stem == name.rpartition("/")[2]]
        if broken:
            raise UsageError(broken[0].message, where=str(broken[0].location), remedy="mend it")
        near = get_close_matches(name, [n for r in rules for n in (r.id, r.slug)], 1, NEAR)
        raise UsageError(
            f"there is no rule {name}",
            where="ID",
            remedy=f"write {near[0]}" if near else "see: sre-obs rules list",
        )
    document, _ = yaml.load(file_of(settings, rule), name=rule.location.file)
    files = {rule.location.file, str(settings.overrides)}
    about = [p for p in problems if p.location.file in files]
    return rule, list(_Values(rule, document).values()), about


def _some(settings: Settings) -> Settings:
    if settings.rules is not None:
        return settings
    return settings.model_copy(update={"rules": Path(BUNDLED)})


class _Values:
    """All values of one rule, in the order in which its file would have them."""

    def __init__(self, rule: Rule, document: Document) -> None:
        self._rule = rule
        self._document = document

    def values(self) -> Iterator[Value]:
        rule = self._rule
        yield self._value(rule.title, "title")
        yield self._value(rule.kind, "kind")
        yield self._value(rule.state, "state")
        yield self._value(rule.severity, "severity")
        yield self._value(rule.owner, "owner")
        yield self._value(rule.source, "source")
        yield self._value(", ".join(rule.index), "index")
        yield self._value(self._language(), "language")
        query = self._value(rule.query.text, "query")
        # Where the file has no query the overrides' exclusion is all of it.
        yield replace(query, place=query.place or rule.origins.get("exclude"))
        if "exclude" in rule.origins:
            yield self._value("in query", "exclude")
        yield self._value(f"now-{format_duration(rule.window)}", "from")
        yield self._value(format_duration(rule.interval), "interval")
        yield self._value(format_duration(rule.query_delay), "query_delay")
        yield self._value(", ".join(rule.group_by), "group_by")
        for name, variable in rule.variables.items():
            text = variable if isinstance(variable, str) else f"{variable:g}"
            yield self._value(text, "variables", name)
        if rule.kind is RuleKind.THRESHOLD:
            yield from self._threshold()
        for number, level in enumerate(rule.levels):
            yield self._value(_level(rule, level), "levels", number)
        for number, tuned in enumerate(rule.tuned):
            yield Value(f"entities.{number}", _tuned(tuned), tuned.place)
        yield self._value(format_duration(rule.for_), "for")
        yield self._value(format_duration(rule.keep_firing_for), "keep_firing_for")
        runs, flapping = rule.runs, rule.flapping
        yield self._value(f"{runs.hits} of {runs.of}" if runs else "", "runs")
        damped = ""
        if flapping is not None:
            damped = f"{flapping.changes} changes in {flapping.runs} runs, calm {flapping.calm}"
        yield self._value(damped, "flapping")
        yield self._value(rule.no_data, "no_data")
        yield self._value(format_duration(rule.stale_after), "stale_after")
        if rule.kind is RuleKind.ABSENCE:
            yield self._value(format_duration(rule.forget_after), "forget_after")
            yield self._value("; ".join(map(_pairs, rule.entities)), "entities")
        yield self._runbook()
        for name, text in rule.labels.items():
            yield self._value(text, "labels", name)
        for name, text in rule.annotations.items():
            yield self._annotation(name, text)
        yield self._value(", ".join(rule.evidence), "evidence")

    def _threshold(self) -> Iterator[Value]:
        rule, threshold = self._rule, self._rule.threshold
        for measure in rule.measures:
            yield self._value(_measure(measure), "measures", measure.name)
        if rule.measures:
            for key, tree in (("value", rule.value), ("when", rule.when), ("valid", rule.valid)):
                yield self._value(self._written(key, tree), key)
        else:
            yield self._value(threshold.function, "threshold", "function")
            yield self._value(threshold.field, "threshold", "field")
            if threshold.function is Function.PERCENTILE:
                yield self._value(f"{threshold.percent:g}", "threshold", "percent")
        yield self._value(threshold.comparison, "threshold", "comparison")
        yield self._value(f"{threshold.limit:g}", "threshold", "limit")
        yield self._value(threshold.unit, "threshold", "unit")
        clear = threshold.clear
        yield self._value("" if clear is None else f"{clear:g}", "threshold", "clear")

    def _written(self, key: str, tree: Expression | None) -> str:
        node = self._find((key,))[1]
        if isinstance(node, Scalar):
            return node.text
        return "" if tree is None else write(tree)

    def _language(self) -> str:
        return next(
            (q.language for q in (m.query for m in self._rule.measures) if q.language != "kql"),
            self._rule.query.language,
        )

    def _runbook(self) -> Value:
        place = self._rule.origins.get("runbook")
        if place is None:
            place, node = self._find(("runbook", "link"))
            if node is None:
                place, node = self._find(("runbook",))
                place = place if isinstance(node, Scalar) else None
        return Value("runbook", self._rule.runbook, place)

    def _annotation(self, name: str, text: str) -> Value:
        place, node = self._find(("annotations", name))
        if node is None:
            said = {"description": "means", "action": "act"}.get(name, name)
            place, _ = self._find(("runbook", said))
        return Value(f"annotations.{name}", text, place)

    def _value(self, text: str, *path: str | int) -> Value:
        key = ".".join(map(str, path))
        place = self._rule.origins.get(key) or self._rule.origins.get(str(path[0]))
        if place is None:
            place = self._find(path)[0]
        return Value(key, str(text), place)

    def _find(self, path: tuple[str | int, ...]) -> tuple[Location | None, Node | None]:
        """Where a key stands in the file and what is there; nothing where it is not."""
        node: Node | None = self._document.root
        place: Location | None = None
        for step in path:
            if isinstance(node, Map) and isinstance(step, str) and step in node:
                place, node = self._document.key(node, step), node[step]
            elif isinstance(node, list) and isinstance(step, int) and step < len(node):
                node = node[step]
                place = self._document.place(node)
            else:
                return None, None
        return place, node


def _measure(measure: Measure) -> str:
    parts = [measure.function.value]
    if measure.function is Function.PERCENTILE:
        parts[0] += f" {measure.percent:g}"
    if measure.field:
        parts[0] += f" of {measure.field}"
    if measure.query.text:
        parts.append(f"where {measure.query.text}")
    if measure.index:
        parts.append(f"in {', '.join(measure.index)}")
    if measure.window:
        parts.append(f"from now-{format_duration(measure.window + measure.ends)}")
    if measure.ends:
        parts.append(f"to now-{format_duration(measure.ends)}")
    if measure.by is not None:
        parts.append(f"by {', '.join(measure.by) or 'nothing'}")
    if measure.series:
        over = "" if measure.over is Over.SUM else f"{measure.over} "
        parts.append(f"{over}over {', '.join(measure.series)}")
    if measure.order != "@timestamp":
        parts.append(f"newest by {measure.order}")
    if measure.from_zero:
        parts.append("from zero")
    if measure.missing is not None:
        parts.append(f"{measure.missing:g} where missing")
    return ", ".join(parts)


def _level(rule: Rule, level: Level) -> str:
    parts = [level.severity]
    if rule.kind is RuleKind.THRESHOLD:
        limit = rule.threshold.limit if level.limit is None else level.limit
        parts.append(f"{level.comparison or rule.threshold.comparison} {limit:g}")
    if level.clear is not None:
        parts.append(f"clear {level.clear:g}")
    for_ = rule.for_ if level.for_ is None else level.for_
    return " ".join([*parts, f"for {format_duration(for_)}"])


def _tuned(tuned: Tuned) -> str:
    parts = [_pairs(tuned.match) + ":"]
    if tuned.exclude:
        parts.append("excluded")
    if tuned.limit is not None:
        parts.append(f"limit {tuned.limit:g}")
    if tuned.for_ is not None:
        parts.append(f"for {format_duration(tuned.for_)}")
    if tuned.severity is not None:
        parts.append(tuned.severity)
    return " ".join(parts)


def _pairs(fields: object) -> str:
    assert isinstance(fields, dict)
    return ", ".join(f"{name}={text}" for name, text in fields.items())
