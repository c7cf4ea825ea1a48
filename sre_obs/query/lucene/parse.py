"""Lucene text -> nodes, or a QueryError at the character.

luqum reads the text; but it gives AND precedence over OR, which Lucene has not, and its
words end elsewhere. So its tree is taken apart again into the flat row of clauses that
Lucene sees, `weigh` does with them what Lucene does, and `words` refuses every word that
Lucene would have cut in another place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any, NoReturn

from sre_obs.model.errors import QueryError
from sre_obs.query.lucene import words
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
    Wild,
    Word,
)
from sre_obs.query.lucene.weigh import Item, Modifier, weigh
from sre_obs.query.variables import Values

# Elasticsearch refuses bool queries nested deeper than 30 anyway.
MAX_DEPTH = 50
# luqum needs quadratic time for long rows of clauses.
MAX_LENGTH = 16_384

_POSITION = re.compile(r"position (\d+)!?\Z")
_NUMBER = re.compile(r"\d+(\.\d+)?\Z", re.ASCII)
_QUOTE_BOUND = 'quote a bound that has : or a sign: ["2026-01-01T10:00:00+01:00" TO *]'


def parse(text: str, variables: Mapping[str, str] | None = None) -> Node:
    """Read a query.

    `variables` are what ``${name}`` in a value stands for: a text put into the tree, so that
    nothing in it is read as syntax. Without them ``${`` is a mistake like any other.

    Raises QueryError with offset, length and, for the usual mistakes, a remedy.
    """
    if len(text) > MAX_LENGTH:
        raise QueryError(f"a query longer than {MAX_LENGTH} characters", MAX_LENGTH, 1)
    if not text.strip():
        raise QueryError("the query is empty", 0, 1, remedy="write *:* for everything")
    values = Values(text, variables)
    words.check_characters(values.text)
    return _Reader(text, values).read(_luqum(values.text))


@cache
def _reader() -> tuple[Callable[[str], Any], type[Exception]]:
    """luqum's parser and its error.

    Importing it makes the parser's tables, and writes them beside it, with a word on stderr,
    where those that it ships don't fit (Python 3.13 changed the docstrings that they are
    checked by). A library's folder is not ours to write, so they are kept in memory.
    """
    from ply import yacc

    make = yacc.yacc
    yacc.yacc = partial(make, debug=False, write_tables=False, errorlog=yacc.NullLogger())
    try:
        from luqum.exceptions import ParseError
        from luqum.thread import parse as read
    finally:
        yacc.yacc = make
    return read, ParseError


def _luqum(text: str) -> Any:
    read, ParseError = _reader()
    try:
        return read(text)
    except ParseError as error:
        found = _POSITION.search(str(error))
        raise words.unexpected(text, int(found.group(1)) if found else len(text)) from None
    except (ValueError, ArithmeticError):  # it reads the numbers after ~ and ^
        raise words.bad_number(text) from None


class _Reader:
    def __init__(self, text: str, values: Values) -> None:
        from luqum import tree

        self._text = text
        self._values = values
        self._tree = tree
        self._depth = 0
        self._joined: dict[type, str] = {
            tree.AndOperation: "AND",
            tree.OrOperation: "OR",
            tree.UnknownOperation: "",
        }

    def read(self, root: Any) -> Node:
        start, end = 0, len(self._text)
        return self._row(root, None, start, end)

    def _row(self, root: Any, field: Name | None, start: int, end: int) -> Node:
        """Clauses between parentheses, or the whole text."""
        if self._depth >= MAX_DEPTH:
            raise QueryError(f"parentheses nested deeper than {MAX_DEPTH}", start, 1)
        self._depth += 1
        row = list(self._items(root, field))
        self._depth -= 1
        return weigh(row, self._text, start, end)

    def _flat(self, item: Any, join: str) -> Iterator[tuple[str, Any]]:
        operator = self._joined.get(type(item))
        if operator is None:
            yield join, item
            return
        for number, child in enumerate(item.children):
            yield from self._flat(child, operator if number else join)

    def _items(self, root: Any, field: Name | None) -> Iterator[Item]:
        """The row as Lucene sees it. ``&&``, ``||`` and ``!`` are words to luqum."""
        pending = ""
        denied: Any = None
        first = True
        for join, item in self._flat(root, ""):
            if isinstance(item, self._tree.Word) and item.value in ("&&", "||"):
                if first:
                    self._fail("an operator with nothing before it", item)
                if join or pending or denied is not None:
                    self._fail("an operator after an operator", item)
                pending = "AND" if item.value == "&&" else "OR"
                continue
            first = False
            if isinstance(item, self._tree.Word) and item.value == "!":
                if denied is not None:
                    self._fail("'!' twice in a row", item, remedy="remove both")
                if pending and join:
                    self._fail("an operator after an operator", item)
                self._adjacent(item)
                pending, denied = pending or join, item
                continue
            if join and (pending or denied is not None):
                self._fail("an operator after an operator", item)
            yield self._item(pending or join, denied, item, field)
            pending, denied = "", None
        if pending or denied is not None:
            end = len(self._text.rstrip())
            raise QueryError("an operator with nothing after it", max(end - 1, 0))

    def _item(self, join: str, denied: Any, item: Any, field: Name | None) -> Item:
        tree = self._tree
        modifier = Modifier.NOT if denied is not None else Modifier.NONE
        start = denied.pos if denied is not None else item.pos
        boosts: list[Any] = []
        while isinstance(item, (tree.Boost, tree.Plus, tree.Not, tree.Prohibit)):
            if isinstance(item, tree.Boost):
                boosts.append(item)
                item = item.expr
                continue
            if modifier is not Modifier.NONE:
                self._fail("two of + - NOT in a row", item, remedy="write one, or neither")
            if not isinstance(item, tree.Not):
                self._adjacent(item)
            modifier = Modifier.REQUIRED if isinstance(item, tree.Plus) else Modifier.NOT
            item = item.a
        if self._bang(item):
            if modifier is not Modifier.NONE:
                self._fail("two of + - NOT in a row", item, remedy="write one, or neither")
            modifier = Modifier.NOT
        node = self._boosted(self._node(item, field), boosts)
        plain = isinstance(item, tree.Word) and isinstance(node, Word) and not boosts
        lone = isinstance(item, tree.Word) and item.value == "*"
        comparison = isinstance(item, (tree.From, tree.To))
        return Item(join, modifier, node, start, plain=plain, lone=lone, comparison=comparison)

    def _adjacent(self, sign: Any) -> None:
        """A + - or ! followed by a space is a word of its own to Lucene."""
        if self._text[sign.pos + 1 : sign.pos + 2].isspace():
            char = self._text[sign.pos]
            raise QueryError(
                f"a space after '{char}'",
                sign.pos,
                2,
                remedy=f'remove the space, or quote the sign: "{char}"',
            )

    def _bang(self, item: Any) -> bool:
        """Whether a word or a field's name begins with a NOT that luqum did not see."""
        name = item.value if isinstance(item, self._tree.Word) else getattr(item, "name", None)
        return isinstance(name, str) and name.startswith("!") and len(name) > 1

    def _boosted(self, node: Node, boosts: list[Any]) -> Node:
        if not boosts:
            return node
        if len(boosts) > 1:
            self._fail("two boosts", boosts[0])
        self._ends(boosts[0])
        force = boosts[0].force if boosts[0].implicit_force is False else None
        text = self._text[node.end : boosts[0].pos + boosts[0].size].strip()
        if force is None or not _NUMBER.match(text.lstrip("^)").strip()):
            self._fail("a boost needs a number", boosts[0], remedy="write ^2, or remove it")
        return replace(node, boost=float(force))

    # -- one clause

    def _node(self, item: Any, field: Name | None) -> Node:
        tree = self._tree
        match item:
            case tree.SearchField():
                return self._search_field(item)
            case tree.Group() | tree.FieldGroup():
                return self._row(item.expr, field, item.pos, item.pos + item.size)
            case tree.Word():
                return self._word(item, field)
            case tree.Phrase():
                return self._phrase(item, field)
            case tree.Proximity():
                phrase = self._phrase(item.term, field)
                assert isinstance(phrase, Phrase)
                return replace(phrase, slop=self._slop(item, phrase))
            case tree.Fuzzy():
                self._fail(
                    "a fuzzy term (~)",
                    item,
                    remedy="write the words that are meant, or quote the text if ~ is part of it",
                )
            case tree.Regex():
                return self._regexp(item, field)
            case tree.Range():
                return self._range(item, field)
            case tree.From() | tree.To():
                return self._comparison(item, field)
            case tree.Plus() | tree.Prohibit() | tree.Not() | tree.Boost():
                self._fail("an operator where a value should be", item)
        raise AssertionError(type(item))

    def _search_field(self, item: Any) -> Node:
        tree, expr = self._tree, item.expr
        raw: str = item.name
        start = item.pos + len(raw) - len(raw.removeprefix("!"))
        end = item.pos + len(raw)
        raw = raw.removeprefix("!")
        if not raw or (start > item.pos and raw[0] in "+-!<>=&|"):
            self._fail("'!' before something else than a name", item, remedy="write NOT name:...")
        if isinstance(expr, tree.SearchField):
            self._fail(
                "a colon within a value",
                expr,
                remedy=f'quote the value: {raw}:"...", or write \\: for the colon',
            )
        if isinstance(expr, (tree.Plus, tree.Prohibit, tree.Not)):
            sign = "NOT " if isinstance(expr, tree.Not) else self._text[expr.pos]
            quote = f'{raw}:"-5" (a negative number is quoted)'
            self._fail(
                f"'{sign.strip()}' between the colon and the value",
                expr,
                remedy=f"write {sign}{raw}:..." + (f", or {quote}" if sign == "-" else ""),
            )
        boosts = []
        while isinstance(expr, tree.Boost):
            boosts.append(expr)
            expr = expr.expr
        name = words.field_name(raw, start, end)
        if self._values.holds(name.text):
            raise QueryError(
                "a variable in the name of a field", start, end - start, remedy="write the name"
            )
        if raw == "*":
            if isinstance(expr, tree.Word) and expr.value == "*":
                found: Node = Everything(start, expr.pos + expr.size)
            else:
                found = self._node(expr, None)
        elif raw == "_exists_":
            found = self._exists(expr, start)
        else:
            found = self._node(expr, name)
        if not isinstance(found, Group):
            found = replace(found, start=start)
        return self._boosted(found, boosts)

    def _exists(self, expr: Any, start: int) -> Node:
        tree = self._tree
        if isinstance(expr, tree.Word) and not re.search(r"(?<!\\)[*?]", expr.value):
            words.check(expr.value, expr.pos, None)
            value = words.unescape(expr.value, expr.pos)
        elif isinstance(expr, tree.Phrase):
            value = words.unescape(expr.value[1:-1], expr.pos + 1)
        else:
            self._fail("_exists_ with anything else than one field", expr, remedy="write field:*")
        if not value or "*" in value or self._values.holds(value):
            self._fail("_exists_ without the name of a field", expr)
        end = expr.pos + expr.size
        return Exists(Name(value, expr.pos, end), start, end)

    def _word(self, item: Any, field: Name | None) -> Node:
        raw: str = item.value
        start, end = item.pos, item.pos + item.size
        if raw.startswith("!") and len(raw) > 1 and (field is None or start > field.end + 1):
            raw, start = raw[1:], start + 1
            if raw[0] in "+-!<>=&|":
                self._fail(f"'!' before '{raw[0]}'", item, remedy=f"write NOT {raw}")
        if raw == "*":
            return Everything(start, end) if field is None else Exists(field, start, end)
        words.check(raw, start, field)
        parts = words.pattern(raw, start)
        if parts is None:
            return Word(field, self._values.put(words.unescape(raw, start)), start, end)
        filled = (p if isinstance(p, Wild) else self._values.put(p) for p in parts)
        return Pattern(self._no_pattern(field, "a wildcard"), tuple(filled), start, end)

    def _phrase(self, item: Any, field: Name | None) -> Node:
        value = words.unescape(item.value[1:-1], item.pos + 1)
        return Phrase(field, self._values.put(value), item.pos, item.pos + item.size)

    def _slop(self, item: Any, phrase: Phrase) -> int:
        self._ends(item)
        written = self._text[phrase.end : item.pos + item.size].strip().removeprefix("~")
        if len(written) > 4:
            self._fail("a slop of more than 9999", item)
        return int(written or 0)

    def _regexp(self, item: Any, field: Name | None) -> Node:
        name = self._needed(field, "a regular expression", item)
        after = self._text[item.pos + item.size : item.pos + item.size + 1]
        if after and not after.isspace() and after not in ")^":
            self._fail(
                "/text/ is a regular expression, and more follows it",
                item,
                remedy="quote the value, or write \\/ for the slashes",
            )
        if self._values.holds(item.value):
            self._fail("a variable in a regular expression", item)
        return Regexp(name, item.value[1:-1], item.pos, item.pos + item.size)

    def _range(self, item: Any, field: Name | None) -> Node:
        name = self._needed(field, "a range", item)
        low, high = self._bound(item.low), self._bound(item.high)
        if low is None and high is None:
            self._fail("a range without bounds", item, remedy=f"write {name.text}:* for any value")
        start, end = item.pos, item.pos + item.size
        return Range(name, low, high, item.include_low, item.include_high, start, end)

    def _bound(self, item: Any) -> str | None:
        tree, raw, start = self._tree, "", item.pos
        if isinstance(item, tree.Prohibit):
            raw, item = "-", item.a
            if item.pos != start + 1 or not isinstance(item, tree.Word):
                self._fail("'-' alone as a bound", item, remedy=_QUOTE_BOUND)
        if isinstance(item, tree.Phrase):
            value = words.unescape(item.value[1:-1], start + 1)
            if value == "*":
                self._fail('"*" as a bound', item, remedy="write * for no bound")
            return self._values.put(value)
        raw += item.value
        if raw == "*":
            return None
        if '"' in raw:
            self._fail("a quote within a bound", item, remedy="quote the whole bound")
        return self._values.put(words.unescape(raw, start))

    def _comparison(self, item: Any, field: Name | None) -> Node:
        tree = self._tree
        start, inner = item.pos, item.a
        operator = self._text[start : inner.pos]
        if operator not in (">", ">=", "<", "<="):
            self._fail("a space after the comparison", item, remedy=f"write {operator.strip()}5")
        if isinstance(inner, tree.Phrase):
            self._fail(
                "a quoted text after a comparison",
                inner,
                remedy="write it without quotes, with \\ before a special character, or as a "
                'range: ["2026-01-01T00:00:00Z" TO *]',
            )
        if re.search(r"(?<!\\)[*?]", inner.value):
            self._fail("a wildcard after a comparison", inner)
        words.check(inner.value, inner.pos, field)
        name = self._needed(field, "a comparison", item)
        value = words.unescape(inner.value, inner.pos)
        if value == "*":  # no bound to Elasticsearch, whatever the backslash says
            self._fail("a star after a comparison", inner)
        value = self._values.put(value)
        end = inner.pos + inner.size
        if operator[0] == ">":
            return Range(name, value, None, operator == ">=", True, start, end)
        return Range(name, None, value, True, operator == "<=", start, end)

    # -- refusals

    def _ends(self, item: Any) -> None:
        """After a number behind ~ or ^ comes a space: Lucene ends it elsewhere than luqum."""
        end = item.pos + item.size
        after = self._text[end : end + 1]
        if after and not after.isspace() and after not in ")^":
            raise QueryError("no space after the number", end, remedy="write a space")

    def _needed(self, field: Name | None, what: str, item: Any) -> Name:
        if field is None:
            self._fail(f"{what} without a field", item, remedy="write field: before it")
        self._no_pattern(field, what)
        return field

    def _no_pattern(self, field: Name | None, what: str) -> Name | None:
        if field is not None and field.pattern:
            raise QueryError(
                f"{what} for a pattern of fields",
                field.start,
                field.end - field.start,
                remedy="write one clause for each field",
            )
        return field

    def _fail(self, message: str, item: Any, *, remedy: str = "") -> NoReturn:
        raise QueryError(message, item.pos, max(item.size or 1, 1), remedy=remedy)
