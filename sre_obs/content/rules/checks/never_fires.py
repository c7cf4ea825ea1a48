"""A limit that can't be reached, or conditions that are never true together."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sre_obs.content.duration import format_duration
from sre_obs.content.rules.checks import bounds
from sre_obs.content.rules.checks.subject import Subject
from sre_obs.content.yaml import Scalar
from sre_obs.model.expression import Binary, Expression, Name, Number, Unary
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.rule import RuleKind

SLUG = "rules/never-fires"

_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")


def check(subject: Subject) -> Iterator[Problem]:
    """What keeps the rule from ever being true."""
    rule = subject.rule
    if rule.kind is RuleKind.ABSENCE:
        yield from _forgotten(subject)
        return
    if rule.kind is not RuleKind.THRESHOLD:
        return
    names = bounds.of_measures(subject)
    value = rule.value if rule.measures else Name("")
    if value is None:
        return
    divided = bounds.unknown(value, names)
    if divided is not None:
        yield _divided(subject, "value", divided)
        return
    can_be = bounds.of(value, names)
    limit = rule.threshold
    if not bounds.against(limit.comparison, can_be, limit.limit)[0]:
        what = _span(can_be)
        yield _problem(
            subject,
            subject.written.key("threshold", "limit"),
            f"never {limit.comparison} {limit.limit:g}: the value is {what}",
            _remedy(value, can_be, limit.limit),
        )
    for number, level in enumerate(rule.levels):
        comparison = level.comparison or limit.comparison
        if level.limit is not None and not bounds.against(comparison, can_be, level.limit)[0]:
            yield _problem(
                subject,
                subject.written.key("levels", number, "limit"),
                f"never {comparison} {level.limit:g}: the value is {_span(can_be)}",
                _remedy(value, can_be, level.limit),
            )
    for key in ("when", "valid"):
        tree = getattr(rule, key)
        if tree is not None:
            yield from _condition(subject, key, tree, names)
    if rule.when is not None and isinstance(value, Name):
        yield from _beside(subject, value, names)


def _condition(
    subject: Subject, key: str, tree: Expression, names: dict[str, bounds.Bounds]
) -> Iterator[Problem]:
    """Each part that all of the condition needs and that is false whatever is measured."""
    narrowed = dict(names)
    for part in _parts(tree):
        if not isinstance(part, Binary) or part.operator not in _COMPARISONS:
            continue
        sides = (bounds.unknown(side, narrowed) for side in (part.left, part.right))
        if (divided := next(filter(None, sides), None)) is not None:
            yield _divided(subject, key, divided)
            continue
        left, right = bounds.of(part.left, narrowed), bounds.of(part.right, narrowed)
        if not bounds.possible(part.operator, left, right)[0]:
            message = f"never true: the left side is {_span(left)} here"
            yield _problem(subject, _place(subject, key, part), message, "mend the condition")
            continue
        _narrow(narrowed, part)


def _beside(subject: Subject, value: Name, names: dict[str, bounds.Bounds]) -> Iterator[Problem]:
    """The limit against what `when` says of the same measure."""
    rule = subject.rule
    assert rule.when is not None
    narrowed = dict(names)
    for part in _parts(rule.when):
        if isinstance(part, Binary) and part.operator in _COMPARISONS:
            _narrow(narrowed, part)
    before, after = names.get(value.name, bounds.ANY), narrowed.get(value.name, bounds.ANY)
    limit = rule.threshold
    if after.low > after.high or before == after:
        return
    open_ = bounds.against(limit.comparison, before, limit.limit)[0]
    if open_ and not bounds.against(limit.comparison, after, limit.limit)[0]:
        yield _problem(
            subject,
            subject.written.key("when"),
            f"never true together with the limit, {limit.comparison} {limit.limit:g}",
            "mend one of them",
        )


def _narrow(names: dict[str, bounds.Bounds], part: Binary) -> None:
    """Know what a comparison of a name with a number says, strict ones as if they were not."""
    left, right, operator = part.left, part.right, part.operator
    if isinstance(right, Name) and isinstance(left, Number):
        left, right = right, left
        operator = operator.translate(str.maketrans("<>", "><"))
    if not isinstance(left, Name):
        return
    other = bounds.of(right, names)
    before = names.get(left.name, bounds.ANY)
    if operator in (">", ">=", "==") and other.low > before.low:
        low = math.nextafter(other.low, math.inf) if operator == ">" else other.low
        before = bounds.Bounds(low, before.high)
    if operator in ("<", "<=", "==") and other.high < before.high:
        high = math.nextafter(other.high, -math.inf) if operator == "<" else other.high
        before = bounds.Bounds(before.low, high)
    names[left.name] = before


def _parts(tree: Expression) -> Iterator[Expression]:
    """What must all be true."""
    if isinstance(tree, Binary) and tree.operator == "and":
        yield from _parts(tree.left)
        yield from _parts(tree.right)
    elif not isinstance(tree, Unary):
        yield tree


def _forgotten(subject: Subject) -> Iterator[Problem]:
    """An entity that is forgotten before its absence has lasted long enough."""
    rule = subject.rule
    needed = rule.window + rule.for_
    if not rule.group_by or rule.entities or rule.forget_after > needed:
        return
    yield _problem(
        subject,
        subject.written.key("forget_after"),
        f"an entity is forgotten before it has been away for {format_duration(needed)} "
        "(from and for)",
        f'write "forget_after: {format_duration(2 * needed)}" or more',
    )


def _divided(subject: Subject, key: str, part: Binary) -> Problem:
    place = _place(subject, key, part)
    return _problem(subject, place, "never a number: it divides by 0", "mend the divisor")


def _place(subject: Subject, key: str, part: Binary) -> Location:
    node = subject.written.root.get(key)
    if not isinstance(node, Scalar):
        return subject.written.key(key)
    return subject.document.place(node, part.start, part.length)


def _remedy(value: Expression, can_be: bounds.Bounds, limit: float) -> str:
    # What is worked out may be meant in percent; what is counted is not.
    worked = not isinstance(value, Name)
    if worked and can_be == bounds.Bounds(0.0, 1.0) and 1 < limit <= 100:
        return f"write {limit / 100:g}, if it is in percent, or value: 100 * ..."
    return "mend limit or comparison"


def _span(can_be: bounds.Bounds) -> str:
    if can_be == bounds.ANY:
        return "any number"
    if can_be.low == can_be.high:
        return f"always {can_be.low:g}"
    if math.isinf(can_be.high):
        return f"{can_be.low:g} or more"
    if math.isinf(can_be.low):
        return f"{can_be.high:g} or less"
    return f"from {can_be.low:g} to {can_be.high:g}"


def _problem(subject: Subject, place: Location, message: str, remedy: str) -> Problem:
    return subject.problem(SLUG, place, message, remedy, Severity.ERROR)
