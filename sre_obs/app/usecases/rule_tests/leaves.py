"""The clauses of a query, each as a query of its own: KQL, Lucene and DSL."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sre_obs.model.rule import Query
from sre_obs.query import kql

# A date relative to now: ``now``, ``now-35s``, ``now/d``.
_NOW = re.compile(r"now(?:$|[-+/|])")


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a query asks of one field. `start` and `length` are in the query's text, 0 where
    it has no place there (DSL)."""

    dsl: Mapping[str, Any]
    text: str
    start: int = 0
    length: int = 0


def leaves(query: Query) -> list[Leaf]:
    """The clauses that a query is made of, without and, or, not and nesting."""
    match query.language:
        case "kql":
            if not query.text.strip():
                return []
            return list(_kql(query.text))
        case _:
            return list(_dsl(query.dsl, ()))


def moves(dsl: Any) -> bool:
    """Whether a clause means something else at another time."""
    if isinstance(dsl, str):
        return _NOW.match(dsl) is not None
    if isinstance(dsl, Mapping):
        return any(moves(value) for value in dsl.values())
    return isinstance(dsl, list) and any(moves(value) for value in dsl)


def _kql(text: str) -> Iterator[Leaf]:
    for node in _kql_leaves(kql.parse(text), ()):
        inner: kql.Node = node
        while isinstance(inner, kql.Nested):
            inner = inner.query
        yield Leaf(
            kql.compile_kql(node, None),
            text[inner.start : inner.end],
            inner.start,
            inner.end - inner.start,
        )


def _kql_leaves(node: kql.Node, paths: tuple[kql.Nested, ...]) -> Iterator[kql.Node]:
    match node:
        case kql.And() | kql.Or():
            for one in node.nodes:
                yield from _kql_leaves(one, paths)
        case kql.Not():
            yield from _kql_leaves(node.node, paths)
        case kql.Nested():
            yield from _kql_leaves(node.query, (*paths, node))
        case _:
            for nested in reversed(paths):
                node = kql.Nested(nested.path, node, nested.start, nested.end)
            yield node


def _dsl(clause: Any, paths: tuple[str, ...]) -> Iterator[Leaf]:
    if not isinstance(clause, Mapping) or len(clause) != 1:
        return
    ((name, body),) = clause.items()
    if name == "bool":
        for key in ("filter", "must", "must_not", "should"):
            inner = body.get(key, [])
            for one in inner if isinstance(inner, list) else [inner]:
                yield from _dsl(one, paths)
    elif name == "constant_score":
        yield from _dsl(body.get("filter"), paths)
    elif name == "nested":
        yield from _dsl(body.get("query"), (*paths, str(body.get("path", ""))))
    elif name != "match_all":
        wrapped: Mapping[str, Any] = clause
        for path in reversed(paths):
            wrapped = {"nested": {"path": path, "query": wrapped}}
        yield Leaf(wrapped, _short(clause))


def _short(clause: Mapping[str, Any]) -> str:
    import json

    return json.dumps(clause, ensure_ascii=False)
