"""Which fields a query uses and how: what the checks and the inventory of a rule read."""

from __future__ import annotations

from collections.abc import Iterator

from sre_obs.query.kql.fields import FieldUse, Use
from sre_obs.query.lucene.nodes import (
    Everything,
    Exists,
    Group,
    Name,
    Node,
    Pattern,
    Phrase,
    Range,
    Regexp,
    Word,
)


def fields(node: Node) -> tuple[FieldUse, ...]:
    """The uses in the order of the text, a range once for each of its bounds. Clauses without
    a field use none."""
    return tuple(_walk(node))


def _walk(node: Node) -> Iterator[FieldUse]:
    match node:
        case Group():
            for clause in node.clauses:
                yield from _walk(clause.node)
        case Word() if node.field is not None:
            yield _use(node.field, Use.TERM, node.value)
        case Phrase() if node.field is not None:
            yield _use(node.field, Use.PHRASE, node.value)
        case Pattern() if node.field is not None:
            yield _use(node.field, Use.WILDCARD, "".join(node.parts))
        case Regexp():
            yield _use(node.field, Use.WILDCARD, node.pattern)
        case Exists():
            yield _use(node.field, Use.EXISTS, "*")
        case Range():
            for bound in (node.low, node.high):
                if bound is not None:
                    yield _use(node.field, Use.RANGE, bound)
        case Everything() | Word() | Phrase() | Pattern():
            pass


def _use(name: Name, use: Use, value: str) -> FieldUse:
    return FieldUse(name.text, name.start, name.end, use, value, name.pattern)
