"""Which fields a query uses and how: what the checks and the inventory of a rule read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sre_obs.query.kql.nodes import And, Is, Literal, Name, Nested, Node, Not, Or, Range, Wildcard


class Use(StrEnum):
    """What a clause asks of its field."""

    TERM = "term"
    PHRASE = "phrase"
    WILDCARD = "wildcard"
    EXISTS = "exists"
    RANGE = "range"
    NESTED = "nested"  # the field is the path of a nested group


@dataclass(frozen=True, slots=True)
class FieldUse:
    """One use of a field. `field` is the full path (nested path included), with ``*`` where
    `pattern`; the span is that of the field's name in the text; `value` as written."""

    field: str
    start: int
    end: int
    use: Use
    value: str | bool = ""
    pattern: bool = False


def text_of(name: Name) -> str:
    """The name as Elasticsearch wants it: stars for wildcards."""
    if isinstance(name, Wildcard):
        return "*".join(name.parts)
    return name.value if isinstance(name.value, str) else str(name.value).lower()


def fields(node: Node) -> tuple[FieldUse, ...]:
    """The uses in the order of the text. Clauses without a field use none."""
    return tuple(_walk(node, ""))


def _walk(node: Node, prefix: str) -> Iterator[FieldUse]:
    match node:
        case And() | Or():
            for child in node.nodes:
                yield from _walk(child, prefix)
        case Not():
            yield from _walk(node.node, prefix)
        case Nested():
            path = prefix + text_of(node.path)
            yield FieldUse(path, node.path.start, node.path.end, Use.NESTED)
            yield from _walk(node.query, f"{path}.")
        case Range():
            yield _use(node.field, prefix, Use.RANGE, node.value)
        case Is() if node.field is not None:
            if isinstance(node.value, Wildcard):
                use = Use.EXISTS if node.value.lone else Use.WILDCARD
            else:
                use = Use.PHRASE if node.value.quoted else Use.TERM
            yield _use(node.field, prefix, use, node.value)


def _use(name: Name, prefix: str, use: Use, value: Name) -> FieldUse:
    return FieldUse(
        prefix + text_of(name),
        name.start,
        name.end,
        use,
        value.value if isinstance(value, Literal) else text_of(value),
        isinstance(name, Wildcard),
    )
