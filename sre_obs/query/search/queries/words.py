"""Queries that analyze text: match, match_phrase, multi_match, and the part of
query_string that KQL compiles to (terms, escapes, ``*`` and ``?``; no operators)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sre_obs.model.errors import SourceError
from sre_obs.query.search import bits, patterns
from sre_obs.query.search.columns import Column
from sre_obs.query.search.mapping import Field, Kind
from sre_obs.query.search.queries.terms import equal, pattern_on, present, usable
from sre_obs.query.search.queries.types import Builder, Now, Query
from sre_obs.query.search.refuse import only, single, texts, unsupported, wrong
from sre_obs.query.search.segment import Segment
from sre_obs.query.search.text import normalize, words
from sre_obs.query.search.values import text_form


def _any_word(column: Column, text: str, *, every: bool) -> int:
    """Documents with any (or every) word of the text; a text without words has none."""
    tokens = words(text)
    if not tokens:
        return 0
    if every:
        found = bits.full(len(column.cells))
        for token in tokens:
            found &= column.equal(token)
        return found
    found = 0
    for token in tokens:
        found |= column.equal(token)
    return found


def _phrase(column: Column, text: str) -> int:
    """Documents with the words of the text one after the other in one value."""
    tokens = words(text)
    candidates = _any_word(column, text, every=True)
    if len(tokens) < 2 or not candidates:
        return candidates
    size = len(tokens)
    wanted = tuple(tokens)
    found = [
        number
        for number in bits.iterate(candidates)
        if any(
            value[i : i + size] == wanted
            for value in column.cells[number]
            for i in range(len(value) - size + 1)
        )
    ]
    return bits.of(found, len(column.cells))


def match_on(
    column: Column, value: Any, where: str, now: Now, *, phrase: bool = False, every: bool = False
) -> int:
    """A match query on one field: words for text, the exact value for everything else."""
    if usable(column, where) is Kind.TEXT:
        text = text_form(value)
        return _phrase(column, text) if phrase else _any_word(column, text, every=every)
    return equal(column, value, where, now)


def _operator(value: Any, where: str) -> bool:
    """Whether every word must match."""
    name = str(value).lower()
    if name not in ("and", "or"):
        raise wrong(f"operator '{value}'", where)
    return name == "and"


def _one_field(
    name: str, known: frozenset[str], *, phrase: bool
) -> Callable[[Any, str, Now], Query]:
    def build(body: Any, where: str, now: Now) -> Query:
        field, inner = single(body, where)
        at = f"{where}.{field}"
        options = inner if isinstance(inner, dict) else {"query": inner}
        only(options, known, at)
        value = options.get("query")
        if value is None or isinstance(value, (list, dict)):
            raise wrong(f"{name} needs one value", at)
        if options.get("slop", 0) != 0:
            raise unsupported("slop", f"{at}.slop")
        wordless = str(options.get("zero_terms_query", "none")).lower()
        if wordless not in ("none", "all"):
            raise wrong(f"zero_terms_query '{wordless}'", f"{at}.zero_terms_query")
        every = _operator(options.get("operator", "or"), at)
        lenient = options.get("lenient", False) is True

        def run(segment: Segment) -> int:
            column = segment.column(field)
            if column is None:
                return 0
            if wordless == "all" and column.field.kind is Kind.TEXT and not words(text_form(value)):
                return bits.full(segment.size)
            try:
                return match_on(column, value, at, now, phrase=phrase, every=every)
            except SourceError:
                if lenient:
                    return 0
                raise

        return run

    return build


_MATCH = frozenset({"query", "operator", "lenient", "boost", "zero_terms_query"})
_MATCH_PHRASE = frozenset({"query", "slop", "boost", "zero_terms_query"})
_MULTI = frozenset({"query", "fields", "type", "operator", "lenient", "boost", "tie_breaker"})


def _multi_match(body: Any, where: str, now: Now) -> Query:
    only(body, _MULTI, where)
    kind = body.get("type", "best_fields")
    if kind not in ("best_fields", "most_fields", "phrase"):
        raise unsupported(f"multi_match type '{kind}'", f"{where}.type")
    value = body.get("query")
    if value is None or isinstance(value, (list, dict)):
        raise wrong("multi_match needs one value", where)
    names = [_unboosted(name) for name in texts(body.get("fields", ()), f"{where}.fields")]
    every = _operator(body.get("operator", "or"), where)
    lenient = body.get("lenient", not names) is True

    def run(segment: Segment) -> int:
        found = 0
        for column in _columns(segment, names or ["*"], where):
            try:
                found |= match_on(column, value, where, now, phrase=kind == "phrase", every=every)
            except SourceError:
                if not lenient:
                    raise
        return found

    return run


def _unboosted(name: str) -> str:
    return re.sub(r"\^\d+(?:\.\d+)?\Z", "", name)


def _columns(segment: Segment, names: list[str], where: str) -> list[Column]:
    """The columns of names and patterns; of a pattern only those that can be searched."""
    found: dict[str, Column] = {}
    for name in names:
        if "*" not in name:
            column = segment.column(name)
            if column is not None:
                found[name] = column
            continue
        test = patterns.wildcard(name)
        for field in segment.fields():
            if test(field.name) and _searchable(field):
                column = segment.column(field.name)
                if column is not None:
                    found[field.name] = column
    return list(found.values())


def _searchable(field: Field) -> bool:
    return field.kind is not None


# -- query_string

_QUERY_STRING = frozenset(
    {"query", "fields", "default_field", "default_operator", "lenient", "boost", "analyze_wildcard"}
)
_SYNTAX = re.compile(r'[+\-=&|><!(){}\[\]^"~:/]')
_UNESCAPE = re.compile(r"\\(.)", re.DOTALL)
_TERM = re.compile(r"(?:\\.|[^\\\s])+", re.DOTALL)


def _query_string(body: Any, where: str, now: Now) -> Query:
    only(body, _QUERY_STRING, where)
    text = body.get("query")
    if not isinstance(text, str):
        raise wrong("query_string needs a query", where)
    names = [_unboosted(name) for name in texts(body.get("fields", ()), f"{where}.fields")]
    if not names:
        names = texts([body.get("default_field", "*")], f"{where}.default_field")
    if body.get("analyze_wildcard"):
        raise unsupported("analyze_wildcard", f"{where}.analyze_wildcard")
    lenient = body.get("lenient", names == ["*"]) is True
    every = _operator(body.get("default_operator", "or"), where)
    terms = _split(text, where)

    def one(column: Column, term: str, wild: bool) -> int:
        try:
            if not wild:
                return match_on(column, _UNESCAPE.sub(r"\1", term), where, now, every=every)
            if column.field.kind is Kind.TEXT or column.field.lowercase:
                return pattern_on(column, patterns.wildcard(normalize(term)), where)
            return pattern_on(column, patterns.wildcard(term), where)
        except SourceError:
            if lenient:
                return 0
            raise

    def run(segment: Segment) -> int:
        columns = _columns(segment, names, where)
        sets = []
        for term, wild in terms:
            found = 0
            if term == "*":
                found = _anything(segment, names, columns)
            else:
                for column in columns:
                    found |= one(column, term, wild)
            sets.append(found)
        total = bits.full(segment.size) if every and sets else 0
        for found in sets:
            total = total & found if every else total | found
        return total

    return run


def _anything(segment: Segment, names: list[str], columns: list[Column]) -> int:
    if names == ["*"]:
        return bits.full(segment.size)
    found = 0
    for name in names:
        found |= present(segment, name)
    return found


def _split(text: str, where: str) -> list[tuple[str, bool]]:
    """The terms of the query and whether each has wildcards. Plain terms in a row are one:
    Elasticsearch analyzes them together."""
    found: list[tuple[str, bool]] = []
    for match in _TERM.finditer(text):
        term = match.group()
        bare = _UNESCAPE.sub("", term)
        syntax = _SYNTAX.search(bare)
        if syntax:
            raise unsupported(f"'{syntax.group()}' in query_string", f"{where}.query")
        if term in ("AND", "OR", "NOT"):
            raise unsupported(f"{term} in query_string", f"{where}.query")
        wild = "*" in bare or "?" in bare
        if found and not wild and not found[-1][1]:
            found[-1] = (f"{found[-1][0]} {term}", False)
        else:
            found.append((term, wild))
    return found


BUILDERS: dict[str, Builder] = {
    "match": _one_field("match", _MATCH, phrase=False),
    "match_phrase": _one_field("match_phrase", _MATCH_PHRASE, phrase=True),
    "multi_match": _multi_match,
    "query_string": _query_string,
}
