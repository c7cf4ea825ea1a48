"""KQL text -> nodes, or a QueryError at the character.

Precedence is not > and > or. An unquoted text may hold spaces (``message: disk full`` is
one value): it ends at a special character or at a spaced ``and``/``or`` or at ``not ``,
which Kibana recognises even at the end of a word (``cannot open``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NoReturn

from sre_obs.model.errors import QueryError
from sre_obs.query.kql import mistakes
from sre_obs.query.kql.nodes import And, Is, Literal, Name, Nested, Node, Not, Or, Range, Wildcard
from sre_obs.query.kql.variables import put
from sre_obs.query.variables import Values

# Elasticsearch refuses bool queries nested deeper than 30 anyway.
MAX_DEPTH = 50

_WS = r"[ \t\r\n\xa0]"
_SPACES = re.compile(rf"{_WS}*")
_AND = re.compile(rf"{_WS}+and{_WS}+", re.IGNORECASE | re.ASCII)
_OR = re.compile(rf"{_WS}+or{_WS}+", re.IGNORECASE | re.ASCII)
_NOT = re.compile(rf"not{_WS}+", re.IGNORECASE | re.ASCII)
_RUN = re.compile(rf"{_WS}+((?:or|and){_WS})?", re.IGNORECASE | re.ASCII)
_PLAIN = re.compile(r'[^\\():<>"*{} \t\r\n\xa0nN]+')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_QUOTED_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|([trn"\\]))')
_ESCAPE = re.compile(
    r'\\(?:u([0-9a-fA-F]{4})|((?i:or|and|not(?!\w)))|([trn])|([\\():<>"*{}]))', re.ASCII
)
_CONTROL = {"t": "\t", "r": "\r", "n": "\n"}
_OPERATORS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_OPERATOR = re.compile(r"[<>]=?")

# The clauses of nearly all rules: a plain field, an operator, a plain word (with stars) or
# quoted text, and then an end that leaves no doubt. Everything else takes the general way.
_CLAUSE = re.compile(
    rf"([A-Za-z_@][\w.@-]*){_WS}*(:|[<>]=?){_WS}*"
    rf'(?:"([^"\\]*)"|([\w.@/*-]+)(?={_WS}*(?:[)}}]|\Z)|{_WS}+(?:and|or){_WS}))',
    re.IGNORECASE | re.ASCII,
)
_WORDS = frozenset({"and", "or", "not", "null", "true", "false", "_exists_"})
_SPECIAL = frozenset('\\():<>"*{}')
# What JavaScript's trim() takes off, which Kibana applies to unquoted texts.
_JS_SPACE = (
    " \t\n\r\v\f\xa0\ufeff\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


def parse(text: str, variables: Mapping[str, str] | None = None) -> Node:
    """Read a query. An empty text is ``*:*``: everything.

    `variables` are what ``${name}`` in a value stands for: a text put into the nodes, so that
    nothing in it is an operator or a wildcard. Without them ``${`` is no syntax of KQL.

    Raises QueryError with offset, length and, for the usual mistakes, a remedy.
    """
    if variables is None or "${" not in text:
        return _Parser(text).parse()
    values = Values(text, variables)
    return put(_Parser(values.text).parse(), values)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.pos = 0
        self.depth = 0

    def parse(self) -> Node:
        self._skip()
        if self.pos == len(self.text):
            star = Wildcard(("", ""), 0, 0)
            return Is(star, star, 0, 0)
        node = self._or()
        self._skip()
        if self.pos < len(self.text):
            raise mistakes.unexpected(self.text, self.pos)
        return node

    # -- boolean structure

    def _or(self) -> Node:
        text = self.text
        any_of: list[Node] = []
        while True:
            node = self._not()
            match = _AND.match(text, self.pos)
            if match:
                all_of = [node]
                while match:
                    self.pos = match.end()
                    all_of.append(self._not())
                    match = _AND.match(text, self.pos)
                node = And(tuple(all_of), all_of[0].start, all_of[-1].end)
            any_of.append(node)
            match = _OR.match(text, self.pos)
            if not match:
                break
            self.pos = match.end()
        if len(any_of) == 1:
            return any_of[0]
        return Or(tuple(any_of), any_of[0].start, any_of[-1].end)

    def _not(self) -> Node:
        text, start = self.text, self.pos
        match = _CLAUSE.match(text, start)
        if match:
            node = self._clause(match)
            if node is not None:
                return node
        match = _NOT.match(text, start)
        if match:
            self.pos = match.end()
            if _NOT.match(text, self.pos):
                raise QueryError(
                    "'not' twice in a row", self.pos, 3, remedy="write not (not ...), or neither"
                )
            node = self._operand()
            return Not(node, start, node.end)
        return self._operand()

    def _clause(self, match: re.Match[str]) -> Node | None:
        """The clause that the quick pattern saw, or None where only the general way can tell."""
        field, operator, quoted, word = match.groups()
        start, field_end = match.start(1), match.end(1)
        lower = field.lower()
        if lower in _WORDS or (lower.endswith("not") and match.start(2) > field_end):
            return None
        if quoted is None:
            lower = word.lower()
            if lower in _WORDS or lower.endswith("not"):
                return None
            if "*" in word:
                return self._starred(match)
            value = Literal(word, False, match.start(4), match.end(4))
        else:
            value = Literal(quoted, True, match.start(3) - 1, match.end(3) + 1)
        self.pos = value.end
        name = Literal(field, False, start, field_end)
        if operator == ":":
            if quoted is None:
                mistakes.check_value(self.text, value, value.start, value.end)
            return Is(name, value, start, value.end)
        return Range(name, _OPERATORS[operator], value, start, value.end)

    def _starred(self, match: re.Match[str]) -> Node | None:
        """``field: text*`` that the quick pattern saw; a range with a star is a mistake."""
        field, operator, _, word = match.groups()
        if operator != ":":
            return None
        start, end = match.span(4)
        self.pos = end
        name = Literal(field, False, match.start(1), match.end(1))
        value = Wildcard(tuple(word.split("*")), start, end)
        mistakes.check_value(self.text, value, start, end)
        return Is(name, value, match.start(1), end)

    def _operand(self) -> Node:
        text, start = self.text, self.pos
        if start < len(text) and text[start] == "(":
            self._enter(start)
            self.pos += 1
            self._skip()
            node = self._or()
            self._close(start, ")")
            return node
        return self._expression()

    def _expression(self) -> Node:
        text, start = self.text, self.pos
        name = self._literal(expected="a field or a value")
        end = self.pos
        self._skip()
        here = self.pos
        if here < len(text):
            char = text[here]
            if char == ":":
                mistakes.check_field(text, name)
                self.pos += 1
                self._skip()
                if self.pos < len(text) and text[self.pos] == "{":
                    return self._nested(name, start)
                return self._values(name, start)
            match = _OPERATOR.match(text, here)
            if match:
                mistakes.check_field(text, name)
                self.pos = match.end()
                self._skip()
                value = self._literal(expected="a value")
                if isinstance(value, Wildcard):
                    raise QueryError(
                        "a range can't have a wildcard",
                        value.start,
                        value.end - value.start,
                        remedy="write \\* for a star that is meant, or use field: text*",
                    )
                mistakes.check_value(text, value, value.start, value.end)
                return Range(name, _OPERATORS[match.group()], value, start, value.end)
        self.pos = end
        mistakes.check_bare(text, name)
        return Is(None, name, start, name.end)

    def _nested(self, name: Name, start: int) -> Node:
        if isinstance(name, Wildcard):
            raise QueryError(
                "the path of a nested group can't have a wildcard",
                name.start,
                name.end - name.start,
                remedy="write one group for each path",
            )
        brace = self.pos
        self._enter(brace)
        self.pos += 1
        self._skip()
        query = self._or()
        self._close(brace, "}")
        return Nested(name, query, start, self.pos)

    # -- values: field:(a or b and not c)

    def _values(self, name: Name, start: int) -> Node:
        text, here = self.text, self.pos
        if here < len(text) and text[here] == "(":
            self._enter(here)
            self.pos += 1
            self._skip()
            node = self._values_or(name)
            self._close(here, ")")
            return node
        value = self._literal(expected="a value")
        mistakes.check_value(text, value, value.start, value.end)
        return Is(name, value, start, value.end)

    def _values_or(self, name: Name) -> Node:
        text = self.text
        any_of: list[Node] = []
        while True:
            all_of = [self._values_not(name)]
            while match := _AND.match(text, self.pos):
                self.pos = match.end()
                all_of.append(self._values_not(name))
            any_of.append(
                all_of[0]
                if len(all_of) == 1
                else And(tuple(all_of), all_of[0].start, all_of[-1].end)
            )
            match = _OR.match(text, self.pos)
            if not match:
                break
            self.pos = match.end()
        if len(any_of) == 1:
            return any_of[0]
        return Or(tuple(any_of), any_of[0].start, any_of[-1].end)

    def _values_not(self, name: Name) -> Node:
        start = self.pos
        match = _NOT.match(self.text, start)
        if match:
            self.pos = match.end()
            if _NOT.match(self.text, self.pos):
                raise QueryError(
                    "'not' twice in a row", self.pos, 3, remedy="write not (not ...), or neither"
                )
            node = self._values(name, self.pos)
            return Not(node, start, node.end)
        return self._values(name, start)

    # -- texts

    def _literal(self, *, expected: str) -> Name:
        text, start = self.text, self.pos
        if start < len(text) and text[start] == '"':
            match = _QUOTED.match(text, start)
            if not match:
                raise QueryError(
                    "the quote is never closed",
                    start,
                    len(text) - start,
                    remedy='close it with ", and write \\" for a quote inside',
                )
            self.pos = match.end()
            raw = match.group(1)
            value = _QUOTED_ESCAPE.sub(_unescape, raw) if "\\" in raw else raw
            return Literal(value, True, start, self.pos)
        return self._unquoted(expected)

    def _unquoted(self, expected: str) -> Name:
        text, start, end = self.text, self.pos, len(self.text)
        parts: list[str] = []
        chunks: list[str] = []
        pos = start
        while pos < end:
            match = _PLAIN.match(text, pos)
            if match:
                chunks.append(match.group())
                pos = match.end()
                continue
            char = text[pos]
            if char == "\\":
                match = _ESCAPE.match(text, pos)
                if not match:
                    raise mistakes.bad_escape(text, pos)
                chunks.append(_unescape_unquoted(match))
                pos = match.end()
            elif char == "*":
                parts.append("".join(chunks))
                chunks = []
                pos += 1
            elif char in _SPECIAL:
                break
            elif char in "nN":
                if _NOT.match(text, pos):
                    break
                chunks.append(char)
                pos += 1
            else:
                match = _RUN.match(text, pos)
                if match is None or match.group(1):
                    break
                chunks.append(match.group())
                pos = match.end()
        if pos == start:
            self._expected(expected, pos)
        self.pos = pos
        stop = start + len(text[start:pos].rstrip(_JS_SPACE))
        mistakes.check_words(text, start, stop, pos)
        tail = "".join(chunks)
        if parts:
            parts[0] = parts[0].lstrip(_JS_SPACE)
            parts.append(tail.rstrip(_JS_SPACE))
            self.pos = stop
            return Wildcard(tuple(parts), start, stop)
        self.pos = stop
        value = tail.strip(_JS_SPACE)
        if value in ("true", "false"):
            return Literal(value == "true", False, start, stop)
        if value == "null":
            raise QueryError(
                "null matches nothing",
                start,
                stop - start,
                remedy='write not field: * for a missing field, or "null" for the text',
            )
        return Literal(value, False, start, stop)

    # -- small parts

    def _skip(self) -> None:
        match = _SPACES.match(self.text, self.pos)
        if match:
            self.pos = match.end()

    def _enter(self, pos: int) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise QueryError(
                f"nested deeper than {MAX_DEPTH} levels", pos, remedy="split the query"
            )

    def _close(self, opened: int, bracket: str) -> None:
        self.depth -= 1
        self._skip()
        if self.pos < len(self.text) and self.text[self.pos] == bracket:
            self.pos += 1
            return
        if self.pos == len(self.text):
            raise QueryError(
                f"'{self.text[opened]}' is never closed", opened, remedy=f"close it with {bracket}"
            )
        raise mistakes.unexpected(self.text, self.pos, inside=bracket)

    def _expected(self, what: str, pos: int) -> NoReturn:
        raise mistakes.missing(self.text, pos, what)


def _unescape(match: re.Match[str]) -> str:
    code, char = match.groups()
    if code:
        return chr(int(code, 16))
    return _CONTROL.get(char, char)


def _unescape_unquoted(match: re.Match[str]) -> str:
    code, keyword, control, special = match.groups()
    if code:
        return chr(int(code, 16))
    if control:
        return _CONTROL.get(control, control)
    return keyword or special
