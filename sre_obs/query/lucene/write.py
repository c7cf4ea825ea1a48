"""Nodes -> Lucene text that reads as the same nodes, spans aside."""

from __future__ import annotations

import re

from sre_obs.query.lucene.nodes import (
    Everything,
    Exists,
    Group,
    Leaf,
    Name,
    Node,
    Occur,
    Pattern,
    Phrase,
    Range,
    Regexp,
    Wild,
    Word,
)

_SPECIAL = re.compile(r"""[+\-=&|><!(){}\[\]^"~*?:\\/\s']""")
_SIGN = {Occur.MUST: "+", Occur.SHOULD: "", Occur.MUST_NOT: "-"}


def write(node: Node) -> str:
    """The text of a query. Clauses carry their signs, words stand in groups of their own."""
    if isinstance(node, Group):
        text = " OR ".join(_SIGN[clause.occur] + _inner(clause.node) for clause in node.clauses)
        return text if node.boost == 1 else f"({text}){_boost(node)}"
    return _leaf(node) + _boost(node)


def _inner(node: Node) -> str:
    text = write(node)
    return f"({text})" if isinstance(node, Group) and node.boost == 1 else text


def _leaf(node: Leaf) -> str:
    match node:
        case Everything():
            return "*:*"
        case Exists():
            return f"{_name(node.field)}*"
        case Word():
            return _name(node.field) + _escape(node.value)
        case Phrase():
            slop = f"~{node.slop}" if node.slop else ""
            return f"{_name(node.field)}{_quote(node.value)}{slop}"
        case Pattern():
            parts = [str(p) if isinstance(p, Wild) else _escape(p) for p in node.parts]
            return _name(node.field) + "".join(parts)
        case Regexp():
            return f"{_name(node.field)}/{node.pattern}/"
        case Range():
            low, high = ("*" if b is None else _quote(b) for b in (node.low, node.high))
            opened, closed = "[" if node.with_low else "{", "]" if node.with_high else "}"
            return f"{_name(node.field)}{opened}{low} TO {high}{closed}"


def _quote(text: str) -> str:
    return '"' + re.sub(r'["\\]', r"\\\g<0>", text) + '"'


def _name(field: Name | None) -> str:
    return "" if field is None else f"{_escape(field.text)}:"


def _escape(text: str) -> str:
    escaped = _SPECIAL.sub(r"\\\g<0>", text)
    # A backslash before its first letter keeps a word from being an operator.
    return f"\\{escaped}" if escaped.lower() in ("and", "or", "not", "to") else escaped


def _boost(node: Node) -> str:
    return f"^{node.boost:f}".rstrip("0").rstrip(".") if node.boost != 1 else ""
