"""A query, or a part of it, that no document can fulfil."""

from __future__ import annotations

import math
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from sre_obs.content.mistakes import shown
from sre_obs.content.rules.checks.clauses import All, Any, Clause, Leaf, No
from sre_obs.content.rules.checks.subject import Asked, Subject
from sre_obs.content.yaml import Map
from sre_obs.model.problem import Problem, Severity
from sre_obs.model.telemetry import covers
from sre_obs.query.kql.fields import Use

SLUG = "rules/never-matches"


@dataclass(frozen=True, slots=True)
class _Known:
    """What the clauses above say of one field: bounds, a value, what it is not."""

    low: float = -math.inf
    low_open: bool = False
    high: float = math.inf
    high_open: bool = False
    value: str | None = None
    there: bool = False
    absent: bool = False
    refused: frozenset[str] = field(default_factory=frozenset)


_OPEN = _Known()


def check(subject: Subject) -> Iterator[Problem]:
    """Each clause that contradicts what must be true beside it, or asks for a value that its
    field never has."""
    for asked in subject.asked:
        yield from _Look(subject, asked).look(asked.tree, {}, negated=False)
    queries = [(subject.rule.query, subject.written.root)]
    for measured in subject.measures:
        if isinstance(block := subject.block(*measured.path), Map):
            queries.append((measured.measure.query, block))
    for query, block in queries:
        node = block.get("query")
        if query.language == "dsl" and node is not None and _constant(query.dsl) is False:
            message = "no document fits: the query is true of none"
            place = subject.document.place(node)
            yield subject.problem(SLUG, place, message, "mend the query", Severity.ERROR)


def _constant(clause: typing.Any) -> bool | None:
    """What a clause of Elasticsearch says of every document; None where that depends on it."""
    if not isinstance(clause, Mapping) or len(clause) != 1:
        return None
    ((name, body),) = clause.items()
    match name:
        case "match_all":
            return True
        case "match_none":
            return False
        case "terms" if isinstance(body, Mapping):
            return False if any(value == [] for value in body.values()) else None
        case "constant_score" if isinstance(body, Mapping):
            return _constant(body.get("filter"))
        case "bool" if isinstance(body, Mapping):
            return _bool(body)
    return None


def _bool(body: Mapping[str, typing.Any]) -> bool | None:
    needed = [_constant(clause) for key in ("filter", "must") for clause in _list(body, key)]
    refused = [_constant(clause) for clause in _list(body, "must_not")]
    choices = [_constant(clause) for clause in _list(body, "should")]
    if False in needed or True in refused:
        return False
    # How many of its alternatives must be true has rules of its own beside other clauses.
    alone = not needed and not refused and "minimum_should_match" not in body
    if choices:
        return False if alone and all(choice is False for choice in choices) else None
    if "minimum_should_match" in body:
        return None
    return True if all(needed) and not any(c is not False for c in refused) else None


def _list(body: Mapping[str, typing.Any], key: str) -> list[typing.Any]:
    value = body.get(key)
    return value if isinstance(value, list) else [] if value is None else [value]


class _Look:
    """One query's walk."""

    def __init__(self, subject: Subject, asked: Asked) -> None:
        self._subject = subject
        self._asked = asked

    def look(self, node: Clause, above: dict[str, _Known], *, negated: bool) -> Iterator[Problem]:
        """What is wrong in a part; `above` is what must be true beside it."""
        match node:
            case Leaf():
                yield from self._value(node, negated=negated)
                if not negated:
                    yield from self._leaf(node, above)
            case No():
                if isinstance(node.node, Leaf) and not negated:
                    yield from self._refused(node.node, above)
                yield from self.look(node.node, {}, negated=True)
            case All():
                here = {} if negated else dict(above)
                later = []
                # Single clauses first: an alternative is held against all of them.
                for inner in _flat(node):
                    if isinstance(inner, Any):
                        later.append(inner)
                    else:
                        yield from self.look(inner, here, negated=negated)
                for inner in later:
                    yield from self.look(inner, here, negated=negated)
            case Any():
                for inner in node.nodes:
                    yield from self.look(inner, {} if negated else dict(above), negated=negated)

    def _leaf(self, leaf: Leaf, known: dict[str, _Known]) -> Iterator[Problem]:
        """Hold a clause against what is known, then know it as well."""
        if leaf.pattern:
            return
        before = known.get(leaf.field, _OPEN)
        after = replace(before, there=True)
        text = _text(leaf.value)
        wrong = ""
        if before.absent:
            wrong = "it must not be there at all"
        elif leaf.use in (Use.TERM, Use.PHRASE):
            if text in before.refused:
                wrong = "the same is excluded beside it"
            elif self._single(leaf):
                number = _number(leaf.value)
                if before.value is not None and before.value != text:
                    wrong = f"it must be {shown(before.value)} beside it"
                elif number is not None and not _within(number, before):
                    wrong = f"it must be {_bounds(before)} beside it"
            after = replace(after, value=text)
        elif leaf.use is Use.RANGE and (number := _number(leaf.value)) is not None:
            after = _narrowed(after, leaf.op, number)
            value = None if before.value is None else _number(before.value)
            empty = after.low > after.high or (
                after.low == after.high and (after.low_open or after.high_open)
            )
            if empty:
                wrong = f"it must be {_bounds(before)} beside it"
            elif value is not None and self._single(leaf) and not _within(value, after):
                wrong = f"it must be {shown(str(before.value))} beside it"
        known[leaf.field] = after
        if wrong:
            yield self._problem(leaf, f"no document fits: {shown(leaf.field)}: {wrong}")

    def _refused(self, leaf: Leaf, known: dict[str, _Known]) -> Iterator[Problem]:
        if leaf.pattern:
            return
        before = known.get(leaf.field, _OPEN)
        wrong = False
        if leaf.use is Use.EXISTS:
            wrong = before.there
            known[leaf.field] = replace(before, absent=True)
        elif leaf.use in (Use.TERM, Use.PHRASE):
            text = _text(leaf.value)
            wrong = before.value == text
            known[leaf.field] = replace(before, refused=before.refused | {text})
        if wrong:
            message = f"no document fits: the same on {shown(leaf.field)} must be true beside it"
            yield self._problem(leaf, message)

    def _value(self, leaf: Leaf, *, negated: bool) -> Iterator[Problem]:
        """A value that the field never has."""
        if leaf.pattern or leaf.use not in (Use.TERM, Use.PHRASE, Use.WILDCARD):
            return
        fields = self._subject.known(self._asked.indices, leaf.field)
        if not fields or not all(known.values for known in fields):
            return
        values = list(dict.fromkeys(v for known in fields for v in known.values))
        text = _text(leaf.value)
        fits = any(covers(text, v) for v in values) if leaf.use is Use.WILDCARD else text in values
        if fits:
            return
        same = [v for v in values if v.lower() == text.lower()]
        near = same or get_close_matches(text, values, n=1)
        what = "excludes nothing" if negated else "never matches"
        remedy = f"write {near[0]}" if near else "one of: " + ", ".join(values)
        yield self._problem(leaf, f"{shown(leaf.field)} is never {shown(text)}: {what}", remedy)

    def _single(self, leaf: Leaf) -> bool:
        """Whether a document has one value of the field, as far as anybody knows."""
        fields = self._subject.known(self._asked.indices, leaf.field)
        texts = ("text", "match_only_text")
        return bool(fields) and not any(f.many or f.type in texts for f in fields)

    def _problem(self, leaf: Leaf, message: str, remedy: str = "") -> Problem:
        place = self._subject.place_in(self._asked, leaf.start, leaf.stop)
        remedy = remedy or "remove one of them, or write or between them"
        return self._subject.problem(SLUG, place, message, remedy, Severity.ERROR)


def _flat(node: All) -> Iterator[Clause]:
    for inner in node.nodes:
        if isinstance(inner, All):
            yield from _flat(inner)
        elif isinstance(inner, Any) and len(inner.nodes) == 1:
            yield from _flat(All(inner.nodes))
        else:
            yield inner


def _narrowed(known: _Known, op: str, bound: float) -> _Known:
    if op in ("gt", "gte"):
        if bound > known.low or (bound == known.low and op == "gt"):
            return replace(known, low=bound, low_open=op == "gt")
    elif bound < known.high or (bound == known.high and op == "lt"):
        return replace(known, high=bound, high_open=op == "lt")
    return known


def _within(number: float, known: _Known) -> bool:
    above = number > known.low or (number == known.low and not known.low_open)
    below = number < known.high or (number == known.high and not known.high_open)
    return above and below


def _bounds(known: _Known) -> str:
    parts = []
    if known.low > -math.inf:
        parts.append(f"{'>' if known.low_open else '>='} {known.low:g}")
    if known.high < math.inf:
        parts.append(f"{'<' if known.high_open else '<='} {known.high:g}")
    return " and ".join(parts)


def _text(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else value


def _number(value: str | bool | None) -> float | None:
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except ValueError:
        return None
