"""KQL nodes -> Elasticsearch DSL, in the form that Kibana gives them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from sre_obs.model.errors import QueryError
from sre_obs.model.fields import FieldTypes
from sre_obs.query.kql.fields import text_of
from sre_obs.query.kql.nodes import And, Is, Name, Nested, Node, Not, Or, Range, Wildcard

Dsl: TypeAlias = dict[str, Any]

# What query_string and the wildcard query read as syntax.
_RESERVED = re.compile(r'[+\-=&|><!(){}\[\]^"~*?:\\/]')
_DIGITS = re.compile(r"\d+\Z", re.ASCII)


def compile_kql(node: Node, types: FieldTypes | None, *, time_zone: str = "") -> Dsl:
    """The DSL of a query, always the same for the same node and types.

    `types` decides between term, match and range, expands wildcards in field names and
    knows nested paths; a field that is not in it gets `match`, which is right for keyword,
    text and numbers alike. `time_zone` goes along with dates that are no epoch numbers.

    Raises QueryError where a nested field stands outside its group or in a wrong one.
    """
    return _Compiler(types or {}, time_zone).node(node, "")


class _Compiler:
    def __init__(self, types: FieldTypes, time_zone: str) -> None:
        self._types = types
        self._time_zone = time_zone
        self._nested = sorted((f for f, t in types.items() if t == "nested"), key=len, reverse=True)

    def node(self, node: Node, path: str) -> Dsl:
        match node:
            case And():
                return {"bool": {"filter": self._nodes(node.nodes, path)}}
            case Or():
                should = self._nodes(node.nodes, path)
                return {"bool": {"should": should, "minimum_should_match": 1}}
            case Not():
                return {"bool": {"must_not": self.node(node.node, path)}}
            case Nested():
                full = f"{path}.{text_of(node.path)}" if path else text_of(node.path)
                query = self.node(node.query, full)
                return {"nested": {"path": full, "query": query, "score_mode": "none"}}
            case Range():
                return self._range(node, path)
            case Is():
                return self._is(node, path)

    def _nodes(self, nodes: tuple[Node, ...], path: str) -> list[Dsl]:
        # A loop, not a comprehension: one Python frame less on each level of a deep query.
        out = []
        for node in nodes:
            out.append(self.node(node, path))
        return out

    def _is(self, node: Is, path: str) -> Dsl:
        value = node.value
        exists = isinstance(value, Wildcard) and value.lone
        if exists and isinstance(node.field, Wildcard) and node.field.lone:
            return {"match_all": {}}
        if node.field is None:
            if isinstance(value, Wildcard):
                return {"query_string": {"query": _query_string(value)}}
            kind = "phrase" if value.quoted else "best_fields"
            return {"multi_match": {"type": kind, "query": value.value, "lenient": True}}
        return self._any_field(
            node.field, path, lambda field, kind: _is_field(field, kind, value, self._time_zone)
        )

    def _range(self, node: Range, path: str) -> Dsl:
        value = node.value.value

        def one(field: str, kind: str) -> Dsl:
            bounds: Dsl = {node.op: value}
            if _is_date(kind) and self._time_zone and not _DIGITS.match(str(value)):
                bounds["time_zone"] = self._time_zone
            return {"range": {field: bounds}}

        return self._any_field(node.field, path, one)

    def _any_field(self, name: Name, path: str, one: Callable[[str, str], Dsl]) -> Dsl:
        should = []
        for field in self._resolve(name, path):
            query = one(field, self._types.get(field, ""))
            home = self._home(field)
            if home and not path and isinstance(name, Wildcard):
                query = {"nested": {"path": home, "query": query, "score_mode": "none"}}
            elif home != path and field in self._types:
                raise _misplaced(name, field, home, path)
            should.append(query)
        return {"bool": {"should": should, "minimum_should_match": 1}}

    def _resolve(self, name: Name, path: str) -> list[str]:
        text = f"{path}.{text_of(name)}" if path else text_of(name)
        if isinstance(name, Wildcard):
            parts = name.parts if not path else (f"{path}.{name.parts[0]}", *name.parts[1:])
            pattern = re.compile(".*".join(map(re.escape, parts)), re.DOTALL)
            found = [
                f for f, t in self._types.items() if t not in _NO_LEAF and pattern.fullmatch(f)
            ]
            return sorted(found) or [text]
        return [text]

    def _home(self, field: str) -> str:
        """The innermost nested path above the field, or ""."""
        for path in self._nested:
            if field.startswith(path + "."):
                return path
        return ""


_NO_LEAF = frozenset({"nested", "object"})


def _is_date(kind: str) -> bool:
    return kind in ("date", "date_nanos")


def _is_field(field: str, kind: str, value: Name, time_zone: str) -> Dsl:
    if isinstance(value, Wildcard):
        if value.lone:
            return {"exists": {"field": field}}
        text = _query_string(value)
        if kind == "keyword":
            return {"wildcard": {field: {"value": text}}}
        return {"query_string": {"fields": [field], "query": text}}
    if _is_date(kind):
        bounds: Dsl = {"gte": value.value, "lte": value.value}
        if time_zone and not _DIGITS.match(str(value.value)):
            bounds["time_zone"] = time_zone
        return {"range": {field: bounds}}
    if kind == "keyword":
        return {"term": {field: {"value": value.value}}}
    return {"match_phrase" if value.quoted else "match": {field: value.value}}


def _query_string(value: Wildcard) -> str:
    return "*".join(_RESERVED.sub(r"\\\g<0>", part) for part in value.parts)


def _misplaced(name: Name, field: str, home: str, path: str) -> QueryError:
    length = name.end - name.start
    if path and not home:
        return QueryError(
            f"{field} is not a nested field, but stands in the nested group {path}",
            name.start,
            length,
            remedy="move the clause out of the braces",
        )
    if not path:
        inner = field[len(home) + 1 :]
        return QueryError(
            f"{field} is a nested field, but stands outside a nested group",
            name.start,
            length,
            remedy=f"write {home}: {{ {inner}: ... }}",
        )
    return QueryError(
        f"{field} belongs to the nested path {home}, not to {path}",
        name.start,
        length,
        remedy=f"use the group {home}: {{ ... }}",
    )
