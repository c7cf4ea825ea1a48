"""Lucene nodes -> Elasticsearch DSL that finds what query_string would."""

from __future__ import annotations

import re
from typing import Any, TypeAlias

from sre_obs.model.errors import QueryError
from sre_obs.model.fields import FieldTypes
from sre_obs.query.lucene.nodes import (
    Everything,
    Exists,
    Group,
    Node,
    Occur,
    Pattern,
    Phrase,
    Range,
    Regexp,
    Wild,
    Word,
)

Dsl: TypeAlias = dict[str, Any]

_DIGITS = re.compile(r"\d+\Z", re.ASCII)
_RESERVED = re.compile(r'[+\-=&|><!(){}\[\]^"~*?:\\/\s]')
_DATES = frozenset({"date", "date_nanos"})
_TEXTS = frozenset({"text", "match_only_text"})


def compile_lucene(node: Node, types: FieldTypes | None, *, time_zone: str = "") -> Dsl:
    """The DSL of a query, always the same for the same node and types.

    `types` decides between term, match and range. A field that is not in it gets `match`,
    which is right for keyword, text and numbers alike, and a range whose bounds are taken as
    they are written. `time_zone` goes along with dates that are no epoch numbers.

    query_string forgives a value that its field can't hold, and finds nothing. Not so here:
    it is an error of the request. Raises QueryError where a type must be known.
    """
    found = _Compiler(types or {}, time_zone).node(node, Occur.SHOULD)
    return found if found is not None else {"match_none": {}}


class _Compiler:
    """Each method returns None for a clause that Lucene leaves out: a text without a word."""

    def __init__(self, types: FieldTypes, time_zone: str) -> None:
        self._types = types
        self._time_zone = time_zone

    def node(self, node: Node, occur: Occur) -> Dsl | None:
        match node:
            case Group():
                return self._group(node, occur)
            case Everything():
                return {"match_all": _boost(node)}
            case Exists():
                return {"exists": {"field": node.field.text, **_boost(node)}}
            case Word():
                return self._text(node, node.value, occur, phrase=False)
            case Phrase():
                return self._text(node, node.value, occur, phrase=True)
            case Pattern():
                return self._pattern(node)
            case Regexp():
                body = {"value": node.pattern, **_boost(node)}
                return {"regexp": {node.field.text: body}}
            case Range():
                return self._range(node)

    def _group(self, node: Group, occur: Occur) -> Dsl | None:
        body: Dsl = {}
        wordless = self._wordless(node)
        self._check_structure(node)
        for clause in node.clauses:
            inner = Occur.MUST if wordless and occur is Occur.MUST else clause.occur
            query = self.node(clause.node, inner)
            if query is not None:
                part = "filter" if clause.occur is Occur.MUST else str(clause.occur)
                body.setdefault(part, []).append(query)
        if not body:
            return None
        if "should" in body and "filter" not in body:
            body["minimum_should_match"] = 1
        return {"bool": {**body, **_boost(node)}}

    def _check_structure(self, node: Group) -> None:
        """Lucene leaves a text without a word out if its field is text, and then weighs what
        is left: where that is something else, the type decides, and must be known."""
        kept = {clause.occur for clause in node.clauses if not self._wordless(clause.node)}
        for number, clause in enumerate(node.clauses):
            if not self._wordless(clause.node):
                continue
            after = node.clauses[number + 1 : number + 2]
            if number and after and after[0].join == "AND":
                raise _wordless_error(clause.node, "put parentheses around what AND joins")
            if self._known_text(clause.node):
                continue
            matters = {
                Occur.MUST: Occur.SHOULD in kept and Occur.MUST not in kept,
                Occur.SHOULD: kept == {Occur.MUST_NOT},
                Occur.MUST_NOT: not kept,
            }
            if matters[clause.occur]:
                raise _wordless_error(clause.node, "tell the type of the field")

    def _known_text(self, node: Node) -> bool:
        match node:
            case Group():
                return all(self._known_text(clause.node) for clause in node.clauses)
            case Word() | Phrase() if node.field is not None:
                return node.field.text in self._types
        return False

    def _text(self, node: Word | Phrase, value: str, occur: Occur, *, phrase: bool) -> Dsl | None:
        boost = _boost(node)
        slop: Dsl = {"slop": node.slop} if isinstance(node, Phrase) and node.slop else {}
        if node.field is None or node.field.pattern:
            body: Dsl = {
                "type": "phrase" if phrase else "best_fields",
                "query": value,
                "lenient": True,
            }
            if node.field is not None:
                body["fields"] = [node.field.text]
            return {"multi_match": {**body, **slop, **boost}}
        field = node.field.text
        if field == "_id":
            return {"ids": {"values": [value], **boost}}
        kind = self._types.get(field, "")
        if kind == "keyword":
            return {"term": {field: {"value": value, **boost}}}
        if kind in _DATES:
            return {"range": {field: {"gte": value, "lte": value, **self._zone(value), **boost}}}
        options: Dsl = {**slop, **boost}
        if self._wordless(node):
            if kind in _TEXTS:
                return None
            if occur is Occur.MUST:
                options["zero_terms_query"] = "all"
        name = "match_phrase" if phrase else "match"
        return {name: {field: {"query": value, **options} if options else value}}

    def _wordless(self, node: Node) -> bool:
        """Whether Lucene leaves the node out if its fields are text: analysis finds no word."""
        match node:
            case Group():
                return all(self._wordless(clause.node) for clause in node.clauses)
            case Word() | Phrase() if node.field is not None and not node.field.pattern:
                if self._types.get(node.field.text, "text") not in _TEXTS:
                    return False
                if any(char.isalnum() for char in node.value):
                    return False
                from sre_obs.query.search.text import words

                return not words(node.value)
        return False

    def _pattern(self, node: Pattern) -> Dsl:
        boost = _boost(node)
        if node.field is not None and self._types.get(node.field.text) == "keyword":
            field = node.field.text
            if node.prefix is not None:
                return {"prefix": {field: {"value": node.prefix, **boost}}}
            return {"wildcard": {field: {"value": _written(node, r"[*?\\]"), **boost}}}
        # Elasticsearch analyzes the pattern by the field's own type, which only it knows.
        body: Dsl = {"query": _written(node, _RESERVED.pattern), **boost}
        if node.field is not None:
            body = {"fields": [node.field.text], **body}
        return {"query_string": body}

    def _range(self, node: Range) -> Dsl:
        field = node.field.text
        kind = self._types.get(field, "")
        bounds: Dsl = {}
        low, high = node.low, node.high
        if kind in _TEXTS:
            from sre_obs.query.search.text import normalize

            low, high = (value if value is None else normalize(value) for value in (low, high))
        if low is not None:
            bounds["gte" if node.with_low else "gt"] = low
        if high is not None:
            bounds["lte" if node.with_high else "lt"] = high
        if kind in _DATES:
            for value in (low, high):
                if value is not None:
                    bounds.update(self._zone(value))
        return {"range": {field: {**bounds, **_boost(node)}}}

    def _zone(self, value: str) -> Dsl:
        if self._time_zone and not _DIGITS.match(value):
            return {"time_zone": self._time_zone}
        return {}


def _wordless_error(node: Node, remedy: str) -> QueryError:
    return QueryError(
        "a text without a word, which Lucene leaves out if the field is text",
        node.start,
        node.end - node.start,
        remedy=f"leave the clause out, or {remedy}",
    )


def _boost(node: Node) -> Dsl:
    return {"boost": node.boost} if node.boost != 1.0 else {}


def _written(node: Pattern, escaped: str) -> str:
    return "".join(
        str(part) if isinstance(part, Wild) else re.sub(escaped, r"\\\g<0>", part)
        for part in node.parts
    )
