"""A share from 0 to 1 held against a limit of percent, or the other way round."""

from __future__ import annotations

from collections.abc import Iterator

from sre_obs.content.mistakes import shown
from sre_obs.content.rules.checks import bounds
from sre_obs.content.rules.checks.clauses import leaves
from sre_obs.content.rules.checks.subject import Subject
from sre_obs.content.shape import find
from sre_obs.content.yaml import Scalar
from sre_obs.model.expression import Binary, Call, Expression, Name, Number, Unary
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.rule import Function
from sre_obs.query.kql.fields import Use

SLUG = "rules/fraction-as-percent"

# What is of the same unit as its field.
_SAME = (*(Function.AVG, Function.MIN, Function.MAX, Function.PERCENTILE, Function.LATEST),)


def check(subject: Subject) -> Iterator[Problem]:
    """Each limit and each bound of a query that is of the other unit."""
    rule = subject.rule
    for measured in subject.measures:
        if measured.measure.function not in _SAME:
            continue
        if rule.measures and rule.value != Name(measured.measure.name):
            continue
        field = measured.measure.field
        unit = _unit(subject, measured.indices, field)
        limits: list[tuple[float | None, tuple[str | int, ...]]] = [
            (rule.threshold.limit, ("threshold", "limit")),
            (rule.threshold.clear, ("threshold", "clear")),
        ]
        limits += [(level.limit, ("levels", n, "limit")) for n, level in enumerate(rule.levels)]
        for limit, path in limits:
            if limit is not None:
                place = _value(subject, path)
                yield from _say(subject, field, unit, limit, place)
    yield from _quotient(subject)
    for asked in subject.asked:
        for leaf in leaves(asked.tree):
            if leaf.use is not Use.RANGE:
                continue
            bound = _number(leaf.value)
            if bound is not None:
                unit = _unit(subject, asked.indices, leaf.field)
                place = subject.place_in(asked, leaf.start, leaf.stop)
                yield from _say(subject, leaf.field, unit, bound, place)


def _quotient(subject: Subject) -> Iterator[Problem]:
    """A part by a whole, with nothing to make percent of it, and a limit that says percent."""
    rule = subject.rule
    limit, unit = rule.threshold.limit, rule.threshold.unit.lower()
    if not isinstance(rule.value, Binary) or rule.value.operator != "/" or limit <= 1:
        return
    if bounds.of(rule.value, bounds.of_measures(subject)).high <= 1:
        return  # it is never reached, which never_fires says
    if ("%" in unit or "percent" in unit) and not _hundred(rule.value):
        yield subject.problem(
            SLUG,
            _value(subject, ("threshold", "limit")),
            f"the value is a part by a whole, and {limit:g} is in percent",
            f"write {limit / 100:g}, or value: 100 * ...",
            Severity.ERROR,
        )


def _hundred(tree: Expression) -> bool:
    """Whether a number in it makes percent, or may: any that is not small."""
    match tree:
        case Number():
            return abs(tree.value) >= 100
        case Binary():
            return _hundred(tree.left) or _hundred(tree.right)
        case Unary():
            return _hundred(tree.operand)
        case Call():
            return any(map(_hundred, tree.arguments))
        case Name():
            return False


def _say(
    subject: Subject, field: str, unit: str, limit: float, place: Location
) -> Iterator[Problem]:
    if unit == "fraction" and limit > 1:
        message = f"{shown(field)} is a share from 0 to 1, and {limit:g} is beyond it"
        remedy = f"write {limit / 100:g}" if limit <= 100 else "write a share"
    elif unit == "percent" and 0 < limit < 1:
        message = f"{shown(field)} is in percent, from 0 to 100, and {limit:g} is next to nothing"
        remedy = f"write {limit * 100:g}"
    else:
        return
    yield subject.problem(SLUG, place, message, remedy, Severity.ERROR)


def _value(subject: Subject, path: tuple[str | int, ...]) -> Location:
    node = find(subject.written.root, path)
    return subject.document.place(node) if isinstance(node, Scalar) else subject.written.key(*path)


def _unit(subject: Subject, indices: tuple[str, ...], name: str) -> str:
    units = {field.unit for field in subject.known(indices, name)}
    return units.pop() if len(units) == 1 else ""


def _number(value: str | bool) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except ValueError:
        return None
