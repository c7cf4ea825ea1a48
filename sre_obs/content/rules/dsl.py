"""Which Elasticsearch clauses a rule's ``language: dsl`` query may be made of.

A list of what is allowed: what can run code (script), read another index than the rule's
own (terms lookup, more_like_this, percolate, indexed shapes) or change what is searched
is not in it, so the index allow-list holds for DSL as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sre_obs.content.mistakes import shown
from sre_obs.content.yaml import Map, Node, Scalar, Seq

# Clauses whose body is {field: value or {options}}.
_MATCHES = ("match", "match_phrase", "match_phrase_prefix", "match_bool_prefix")
_FIELD = frozenset((*_MATCHES, "term", "terms", "range", "prefix", "wildcard", "regexp", "fuzzy"))
_FIELDS = frozenset(("multi_match", "query_string", "simple_query_string"))
_INNER = {
    "bool": ("filter", "must", "must_not", "should"),
    "nested": ("query",),
    "constant_score": ("filter",),
    "dis_max": ("queries",),
    "boosting": ("positive", "negative"),
}
_BARE = frozenset(("match_all", "match_none", "exists", "ids"))
_OPTIONS = frozenset(("boost", "_name", "case_insensitive"))


class DslError(Exception):
    """A clause that is not allowed, at a node (or a key of it)."""

    def __init__(self, node: Node, message: str, remedy: str = "", key: str | None = None) -> None:
        super().__init__(message)
        self.node = node
        self.message = message
        self.remedy = remedy
        self.key = key


def check(node: Node) -> tuple[str, ...]:
    """The fields that a query clause reads, in order. Raises DslError."""
    return tuple(dict.fromkeys(_clause(node)))


def _clause(node: Node) -> Iterator[str]:
    if not isinstance(node, Map):
        raise DslError(node, "a query clause is a mapping, such as {term: {field: value}}")
    if len(node) != 1:
        raise DslError(node, f"a query clause has one name, not {len(node)}", "put them into bool")
    ((name, body),) = node.items()
    if name in _INNER:
        yield from _compound(name, body, node)
    elif name in _FIELD:
        if not isinstance(body, Map):
            raise DslError(body, f"{name} needs {{field: value}}")
        for field, value in body.items():
            if name == "terms" and field not in _OPTIONS and not isinstance(value, Seq):
                raise DslError(value, "terms of another index are not allowed", "write a list")
            if field not in _OPTIONS:
                yield field
    elif name in _FIELDS:
        if not isinstance(body, Map):
            raise DslError(body, f"{name} needs {{query: ..., fields: [...]}}")
        yield from _named(body.get("fields"))
        yield from _named(body.get("default_field"))
    elif name in _BARE:
        if name == "exists" and isinstance(body, Map):
            yield from _named(body.get("field"))
    else:
        allowed = sorted((*_INNER, *_FIELD, *_FIELDS, *_BARE))
        message = f"{shown(name)} is not allowed in a rule"
        raise DslError(node, message, "one of: " + ", ".join(allowed), name)


def _compound(name: str, body: Node, parent: Map) -> Iterator[str]:
    if not isinstance(body, Map):
        raise DslError(body, f"{name} needs a mapping")
    for key in _INNER[name]:
        inner = body.get(key)
        for clause in inner if isinstance(inner, Seq) else () if inner is None else (inner,):
            yield from _clause(clause)
    if name == "nested":
        yield from _named(body.get("path"))
        if "inner_hits" in body:
            raise DslError(body, "inner_hits is not allowed in a rule", "remove it", "inner_hits")
    elif not any(key in body for key in _INNER[name]) and body:
        first = next(iter(body))
        raise DslError(body, f"no such key in {name}: {shown(first)}", "", first)


def _named(node: Node | None) -> Iterator[str]:
    items: list[Any] = list(node) if isinstance(node, Seq) else [node]
    for item in items:
        if isinstance(item, Scalar):
            yield item.text.partition("^")[0]
