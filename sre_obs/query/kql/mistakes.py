"""The usual mistakes, each with the edit that mends it.

Some are errors only here: Kibana accepts ``a = b``, ``a:b and`` or ``'x'`` as a text to
search for, which is never what their author meant. Quoting says that it is.
"""

from __future__ import annotations

import re

from sre_obs.model.errors import QueryError
from sre_obs.query.kql.nodes import Literal, Name

_WS = r"[ \t\r\n\xa0]"
_LEADING = re.compile(rf"(and|or){_WS}", re.IGNORECASE | re.ASCII)
_TRAILING = re.compile(rf"{_WS}(and|or|not)\Z", re.IGNORECASE | re.ASCII)
_GLUED = re.compile(rf"(?:{_WS}|\A)(and|or|not)\Z", re.IGNORECASE | re.ASCII)
_SECOND_FIELD = re.compile(rf"{_WS}([\w.@*-]+){_WS}*\Z", re.ASCII)
_OPERATORS = re.compile(r"&&|\|\|")
_COMPARE = re.compile(rf"[\w.@*\-\\]+{_WS}*(==?|!=)", re.ASCII)
_LAST_WORD = re.compile(r"(?<![\w.])(and|or|not)\s*\Z", re.IGNORECASE)
_FLAGS = re.compile(r"[!+-]")
_LUCENE_RANGE = re.compile(rf"[\[{{].*{_WS}TO{_WS}", re.DOTALL)
_SMALL_RANGE = re.compile(rf"\[{_WS}*\S+{_WS}+to{_WS}+\S+{_WS}*\]\Z", re.IGNORECASE)
# A path stands between slashes too: only what no path has makes it a regular expression.
_REGEX = re.compile(r"\.[*+]|\[[^\[\]]{1,50}\]|\\[dws]|\||\A/\^|\$/\Z", re.IGNORECASE)
_QUOTE_IT = "quote it if it is the text you mean"


def check_words(text: str, start: int, stop: int, end: int) -> None:
    """An unquoted text that is, begins or ends with an operator word, or holds && or ||."""
    found = text[start:stop]
    if stop == end and text[stop : stop + 1] == "(":
        match = _GLUED.search(found)
        if match:
            raise QueryError(
                f"'{match.group(1)}' needs a space before the parenthesis",
                start + match.start(1),
                len(match.group(1)),
                remedy=f"write {match.group(1)} (...)",
            )
    if found.lower() in ("and", "or", "not"):
        raise _lonely(found, start)
    match = _LEADING.match(found)
    if match:
        raise _lonely(match.group(1), start)
    match = _TRAILING.search(found)
    if match:
        raise _lonely(match.group(1), start + match.start(1))
    if "&" in found or "|" in found:
        match = _OPERATORS.search(found)
        if match:
            word = "and" if match.group() == "&&" else "or"
            raise QueryError(
                f"{match.group()} is not an operator of KQL",
                start + match.start(),
                2,
                remedy=f"write {word}, or {_QUOTE_IT}",
            )


def check_field(text: str, name: Name) -> None:
    """What stands before ``:`` or a comparison and can't be a field's name."""
    written = text[name.start : name.end]
    if isinstance(name, Literal):
        if not name.quoted:
            if _FLAGS.match(written):
                remedy = "remove the +" if written[0] == "+" else f"write not {written[1:]}: ..."
                raise QueryError(
                    f"{written[0]} is not an operator of KQL", name.start, 1, remedy=remedy
                )
            if written == "_exists_":
                raise QueryError(
                    "_exists_ is Lucene syntax", name.start, len(written), remedy="write field: *"
                )
        if name.value == "":
            raise QueryError("an empty field name", name.start, name.end - name.start)
    match = None if isinstance(name, Literal) and name.quoted else _COMPARE.match(written)
    if match:
        raise _not_a_colon(match, name.start)
    space = re.search(_WS, written)
    if space and not (isinstance(name, Literal) and name.quoted):
        raise QueryError(
            f"'{written}' can't be a field: it has a space",
            name.start,
            len(written),
            remedy="put and or or between two clauses; quote the field if its name has a space",
        )


def check_value(text: str, value: Name, start: int, end: int) -> None:
    """What stands after ``:`` and is another language's syntax."""
    if isinstance(value, Literal) and value.quoted:
        return
    first = text[start]
    if first == "=":
        raise QueryError("= after the operator", start, 1, remedy=f"remove it, or {_QUOTE_IT}")
    if first == "'" and end - start > 1 and text[end - 1] == "'":
        raise QueryError(
            "single quotes do not quote in KQL",
            start,
            end - start,
            remedy='use double quotes: "..."',
        )
    found = text[start:end]
    if first == "/" and len(found) > 2 and found.endswith("/") and _REGEX.search(found):
        raise QueryError(
            "/.../ is Lucene syntax: KQL has no regular expressions",
            start,
            end - start,
            remedy=f"write field: begin*, or language: lucene, or {_QUOTE_IT}",
        )
    if first == "[" and (_LUCENE_RANGE.match(found) or _SMALL_RANGE.match(found)):
        raise QueryError(
            "[a TO b] is Lucene syntax",
            start,
            end - start,
            remedy="write field >= a and field <= b",
        )


def check_bare(text: str, name: Name) -> None:
    """A value without a field that looks like a comparison."""
    if isinstance(name, Literal) and name.quoted:
        return
    written = text[name.start : name.end]
    match = _COMPARE.match(written)
    if match:
        raise _not_a_colon(match, name.start)
    check_value(text, name, name.start, name.end)


def missing(text: str, pos: int, what: str) -> QueryError:
    """A field or value was due at `pos` and something else, or nothing, is there."""
    if pos >= len(text):
        last = _LAST_WORD.search(text)
        if last:
            return _lonely(last.group(1), last.start(1))
        where = max(len(text.rstrip()) - 1, 0)
        return QueryError(f"the query ends where {what} should be", where, 1)
    word = re.compile(r"(?:and|or|not)\b", re.IGNORECASE).match(text, pos)
    if word:
        remedy = f"quote it to search for the text, or write \\{word.group()}"
        if word.group().lower() == "not" and what == "a value":
            remedy = "write not field: value, or field: (not value)"
        return QueryError(f"'{word.group()}' where {what} should be", pos, 3, remedy=remedy)
    char = text[pos]
    remedy = ""
    if char in "<>":
        remedy = "a range has no colon: field >= value"
    elif char == ")":
        remedy = "remove it, or put a clause into the parentheses"
    elif char == ":":
        remedy = "write a field before the colon, or \\: for the character itself"
    elif char == "{":
        remedy = "a nested group needs its path: path: { ... }"
    elif char in "\n\t\r \xa0":
        return QueryError(f"nothing where {what} should be", pos)
    return QueryError(f"'{char}' where {what} should be", pos, remedy=remedy)


def unexpected(text: str, pos: int, *, inside: str = "") -> QueryError:
    """A complete clause is followed by something that does not continue it."""
    char = text[pos]
    word = re.compile(rf"not(?:{_WS}|\Z)", re.IGNORECASE).match(text, pos)
    if word:
        before = pos > 0 and text[pos - 1] not in " \t\r\n\xa0()"
        remedy = (
            "KQL reads the 'not ' at the end of the word as an operator: quote the value"
            if before
            else "write and not"
        )
        return QueryError("'not' after a complete clause", pos, 3, remedy=remedy)
    if char == ")":
        return QueryError("')' closes nothing", pos, remedy="remove it, or open it with (")
    if char == "}":
        return QueryError("'}' closes nothing", pos, remedy="remove it, or open it with path: {")
    remedy = "put and or or between two clauses"
    second = _SECOND_FIELD.search(text, 0, pos) if char in ":<>" else None
    if second:
        remedy = f"put and or or before {second.group(1)}, or quote the value"
    elif char in ":<>":
        remedy = f"quote the value if it holds {char}, or write \\{char}"
    elif char not in '"*\\':
        end = f", expected '{inside}'" if inside else ""
        return QueryError(f"'{char}' after a complete clause{end}", pos, remedy=remedy)
    return QueryError(f"'{char}' after a complete clause", pos, remedy=remedy)


def bad_escape(text: str, pos: int) -> QueryError:
    """A backslash that escapes nothing KQL knows."""
    return QueryError(
        "a backslash before a character that needs none",
        pos,
        min(2, len(text) - pos),
        remedy="write \\\\ for a backslash",
    )


def _lonely(word: str, start: int) -> QueryError:
    return QueryError(
        f"'{word}' joins nothing",
        start,
        len(word),
        remedy=f'write the other clause, or "{word}" or \\{word} for the text',
    )


def _not_a_colon(match: re.Match[str], start: int) -> QueryError:
    operator = match.group(1)
    remedy = "write not field: value" if operator == "!=" else "write field: value"
    return QueryError(
        f"{operator} is not an operator of KQL",
        start + match.start(1),
        len(operator),
        remedy=f"{remedy}, or {_QUOTE_IT}",
    )
