"""``${name}`` in the values of a KQL query: put into the nodes, never into the text."""

from __future__ import annotations

from dataclasses import replace

from sre_obs.model.errors import QueryError
from sre_obs.query.kql.nodes import And, Is, Literal, Name, Nested, Node, Not, Or, Range, Wildcard
from sre_obs.query.variables import Values


def put(node: Node, values: Values) -> Node:
    """The query with the variables' values. A star in a value is a star, no wildcard.

    Raises QueryError where a variable stands in the name of a field.
    """
    match node:
        case And() | Or():
            return replace(node, nodes=tuple(put(child, values) for child in node.nodes))
        case Not():
            return replace(node, node=put(node.node, values))
        case Nested():
            _refuse(node.path, values)
            return replace(node, query=put(node.query, values))
        case Range():
            _refuse(node.field, values)
            return replace(node, value=_literal(node.value, values))
        case Is():
            if node.field is not None:
                _refuse(node.field, values)
            value = node.value
            if isinstance(value, Wildcard):
                return replace(
                    node, value=replace(value, parts=tuple(map(values.put, value.parts)))
                )
            return replace(node, value=_literal(value, values))


def _literal(literal: Literal, values: Values) -> Literal:
    if isinstance(literal.value, bool):
        return literal
    return replace(literal, value=values.put(literal.value))


def _refuse(name: Name, values: Values) -> None:
    parts = name.parts if isinstance(name, Wildcard) else (str(name.value),)
    if any(values.holds(part) for part in parts):
        raise QueryError(
            "a variable in the name of a field",
            name.start,
            name.end - name.start,
            remedy="variables stand for values",
        )
