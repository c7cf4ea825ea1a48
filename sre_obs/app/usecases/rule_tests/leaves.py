"""The clauses of a query, each as a query of its own: KQL, Lucene and DSL."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sre_obs.content.rules.queries import text_of_variable
from sre_obs.model.rule import EVERYTHING, Query
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


def leaves(query: Query, variables: Mapping[str, float | str]) -> list[Leaf]:
    """The clauses that a query is made of, without and, or, not and nesting."""
    if query == EVERYTHING or not query.text.strip():
        return []
    texts = {name: text_of_variable(value) for name, value in variables.items()}
    match query.language:
        case "kql":
            return list(_kql(query.text, texts))
        case "lucene":
            return list(_lucene(query.text, texts))
        case _:
            return list(_dsl(query.dsl, ()))


def moves(dsl: Any) -> bool:
    """Whether a clause means something else at another time."""
    if isinstance(dsl, str):
        return _NOW.match(dsl) is not None
    if isinstance(dsl, Mapping):
        return any(moves(value) for value in dsl.values())
    return isinstance(dsl, list) and any(moves(value) for value in dsl)


def _kql(text: str, variables: Mapping[str, str]) -> Iterator[Leaf]:
    for node in _kql_leaves(kql.parse(text, variables), ()):
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


def _lucene(text: str, variables: Mapping[str, str]) -> Iterator[Leaf]:
    from sre_obs.query import lucene

    waiting: list[lucene.Node] = [lucene.parse(text, variables)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, lucene.Group):
            # The last in the text first on the pile: what comes out is in the text's order.
            waiting += [clause.node for clause in reversed(node.clauses)]
        elif not isinstance(node, lucene.Everything):
            dsl = lucene.compile_lucene(node, None)
            yield Leaf(dsl, text[node.start : node.end], node.start, node.end - node.start)


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
