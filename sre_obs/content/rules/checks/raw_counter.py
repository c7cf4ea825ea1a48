"""A counter that grows for ever, held against a limit as if it were a rate."""

from __future__ import annotations

from collections.abc import Iterator

from sre_obs.content.mistakes import shown
from sre_obs.content.rules.checks.clauses import leaves
from sre_obs.content.rules.checks.subject import COUNTING, Asked, Measured, Subject
from sre_obs.model.expression import Binary, Call, Expression, Name, Unary
from sre_obs.model.problem import Problem, Severity
from sre_obs.model.rule import Function, RuleKind
from sre_obs.query.kql.fields import Use

SLUG = "rules/raw-counter"

_RAW = (
    *(Function.AVG, Function.SUM, Function.MIN, Function.MAX),
    *(Function.PERCENTILE, Function.LATEST),
)


def check(subject: Subject) -> Iterator[Problem]:
    """Each value that is of a whole lifetime, in the measure or in the query."""
    for measured in subject.measures:
        field = measured.measure.field
        if measured.measure.function not in _RAW or not _counts(subject, measured.indices, field):
            continue
        if not subject.rule.measures or _bare(subject, measured):
            yield subject.problem(
                SLUG,
                subject.written.key(*measured.path, "function"),
                f"{shown(field)} only grows: its {measured.measure.function} is of a lifetime, "
                "not of the window",
                "write function: increase",
                Severity.ERROR,
            )
    for asked in subject.asked:
        if not _decides(subject, asked):
            continue
        for leaf in leaves(asked.tree):
            if leaf.use is Use.RANGE and _counts(subject, asked.indices, leaf.field):
                yield subject.problem(
                    SLUG,
                    subject.place_in(asked, leaf.start, leaf.end),
                    f"{shown(leaf.field)} only grows: once over a limit it stays there",
                    "write kind: threshold with function: increase",
                    Severity.ERROR,
                )


def _counts(subject: Subject, indices: tuple[str, ...], name: str) -> bool:
    known = subject.known(indices, name)
    return bool(known) and all(field.counter for field in known)


def _decides(subject: Subject, asked: Asked) -> bool:
    """Whether a document that the query finds is already what the rule looks for."""
    if subject.rule.kind in (RuleKind.QUERY, RuleKind.STATE):
        return True
    of = asked.measure
    if of is None:
        return any(m.measure.function in COUNTING and not m.measure.index for m in subject.measures)
    return of.measure.function in COUNTING


def _bare(subject: Subject, measured: Measured) -> bool:
    """Whether the value, or a condition, has it other than in a difference to the same field:
    two looks at a counter make an increase."""
    rule = subject.rule
    fields = {m.measure.name: m.measure.field for m in subject.measures}
    expressions = [e for e in (rule.value, rule.when) if e is not None]
    return any(_uses(e, measured.measure.name, fields, False) for e in expressions)


def _uses(tree: Expression, name: str, fields: dict[str, str], paired: bool) -> bool:
    match tree:
        case Name():
            return tree.name == name and not paired
        case Binary(operator="-", left=Name() as left, right=Name() as right):
            same = fields.get(left.name) is not None and (
                fields.get(left.name) == fields.get(right.name)
            )
            return _uses(left, name, fields, same) or _uses(right, name, fields, same)
        case Binary():
            return _uses(tree.left, name, fields, False) or _uses(tree.right, name, fields, False)
        case Unary():
            return _uses(tree.operand, name, fields, False)
        case Call():
            return any(_uses(a, name, fields, False) for a in tree.arguments)
    return False
