"""Where words end, what a backslash does, and the usual mistakes with their remedies.

Lucene ends a word at characters that luqum takes for a part of it (``/ " !``): such a word
is refused, since the two would read different queries.
"""

from __future__ import annotations

import re

from sre_obs.model.errors import QueryError
from sre_obs.query.lucene.nodes import Name, Wild

# Spaces to Lucene. luqum takes every other Unicode space for one, too.
_SPACES = frozenset(" \t\n\r\u3000")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\\.', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))|\\", re.DOTALL)
_PIECE = re.compile(r"\\.|[*?]|[^\\*?]+", re.DOTALL)
_CUTS = re.compile(r'\\.|([:/"!\[\](){}^~])|(&&|\|\|)', re.DOTALL)
_OPERATOR = re.compile(r"and|or|not", re.IGNORECASE)


def check_characters(text: str) -> None:
    """Refuses spaces that only one of the two parsers takes for spaces, and variables."""
    bare = _QUOTED.sub(lambda found: "x" * len(found.group()), text)
    variable = bare.find("${")
    if variable >= 0:
        raise QueryError("'${' where it can't be", variable, 2, remedy="variables stand in rules")
    for at, char in enumerate(bare):
        if char.isspace() and char not in _SPACES:
            raise QueryError(
                f"an unusual space (U+{ord(char):04X})", at, 1, remedy="write a plain space"
            )


def check(raw: str, start: int, field: Name | None) -> None:
    """A word, or a QueryError where Lucene would read something else."""
    if raw in ("&&", "||") or raw.startswith("!"):
        raise QueryError(f"'{raw[:2]}' where a value should be", start, len(raw[:2]))
    for found in _CUTS.finditer(raw):
        at = start + found.start()
        if found.group(2):
            word = "AND" if found.group(2) == "&&" else "OR"
            raise QueryError(
                f"{found.group(2)} within a word", at, 2, remedy=f"write {word} with spaces around"
            )
        char = found.group(1)
        if char == "/":
            raise QueryError(
                "a slash begins a regular expression",
                at,
                remedy="quote the value, or write \\/ for the slash itself",
            )
        if char == "!":
            raise QueryError("'!' within a word is NOT", at, remedy="write \\! or quote the value")
        if char == ":":
            raise QueryError(
                "a colon within a value", at, remedy="quote the value, or write \\: for the colon"
            )
        if char:
            raise QueryError(f"'{char}' within a word", at, remedy="quote the value")
    if field is None:
        _check_bare(raw, start)
    if raw.startswith(("\\<", "\\>")):
        raise QueryError(
            "Lucene reads < and > as comparisons even behind a backslash",
            start,
            2,
            remedy="quote the value",
        )


def _check_bare(raw: str, start: int) -> None:
    """A word without a field that looks like an operator."""
    if _OPERATOR.fullmatch(raw):
        raise QueryError(
            f"'{raw}' is a word to search for, operators are in capitals",
            start,
            len(raw),
            remedy=f'write {raw.upper()}, or "{raw}" for the word',
        )
    if raw in ("=", "==", "!="):
        raise QueryError(
            f"{raw} is not an operator of Lucene", start, len(raw), remedy="write field:value"
        )


def field_name(raw: str, start: int, end: int) -> Name:
    """The name before a colon."""
    if re.search(r"(?<!\\)(?:\\\\)*[*?]", raw) and raw != "*":
        raise QueryError(
            "a wildcard in the name of a field",
            start,
            end - start,
            remedy="write \\* for a pattern of fields",
        )
    if raw in ("&&", "||"):
        raise QueryError(f"{raw} before a colon", start, end - start)
    for found in _CUTS.finditer(raw):
        if found.group(1) or found.group(2):
            raise QueryError(
                f"'{found.group()}' in the name of a field",
                start + found.start(),
                remedy=f"write \\{found.group()} if it is part of the name",
            )
    return Name(unescape(raw, start), start, end)


def unescape(raw: str, start: int) -> str:
    """The text of a word: ``\\x`` is x, ``\\u0041`` is A."""
    if "\\" not in raw:
        return raw

    def plain(found: re.Match[str]) -> str:
        code, char = found.groups()
        if code:
            return chr(int(code, 16))
        if char is None or char == "u":
            what = "\\u needs four hexadecimal digits" if char else "a backslash at the end"
            raise QueryError(what, start + found.start(), max(len(found.group()), 1))
        return char

    return _ESCAPE.sub(plain, raw)


def pattern(raw: str, start: int) -> tuple[str | Wild, ...] | None:
    """The parts of a word with wildcards, None for a word without."""
    if not re.search(r"[*?]", re.sub(r"\\.", "", raw, flags=re.DOTALL)):
        return None
    parts: list[str | Wild] = []
    literal: list[str] = []
    for found in _PIECE.finditer(raw):
        piece = found.group()
        if piece in ("*", "?"):
            if literal:
                parts.append("".join(literal))
                literal = []
            parts.append(Wild(piece))
        elif piece.startswith("\\"):
            if piece == "\\u":
                raise QueryError(
                    "\\u beside a wildcard",
                    start + found.start(),
                    2,
                    remedy="write the character itself",
                )
            literal.append(piece[1])
        else:
            literal.append(piece)
    if literal:
        parts.append("".join(literal))
    return tuple(parts)


def unexpected(text: str, at: int) -> QueryError:
    """What luqum could not go on with."""
    if at >= len(text):
        where = max(len(text.rstrip()) - 1, 0)
        opened = _unclosed(text)
        if opened is not None:
            closing = {"(": ")", "[": "]", "{": "}"}[text[opened]]
            return QueryError(
                f"'{text[opened]}' is never closed", opened, remedy=f"close it with {closing}"
            )
        return QueryError("the query ends where a clause should be", where)
    char = text[at]
    rest = text[at:]
    if char == '"':
        remedy = 'close it with ", and write \\" for a quote inside'
        return QueryError("the quote is never closed", at, len(rest), remedy=remedy)
    if char == "'":
        remedy = 'use double quotes: "..."'
        return QueryError("single quotes do not quote in Lucene", at, remedy=remedy)
    if char == "/":
        remedy = "quote the value, or write \\/ for the slash itself"
        return QueryError("the regular expression never ends", at, remedy=remedy)
    if char == "\\":
        return QueryError("a backslash before nothing", at, remedy="write \\\\ for a backslash")
    word = re.match(r"(?:AND|OR|NOT|TO)\b", rest)
    if word:
        return QueryError(
            f"'{word.group()}' where a clause or a value should be",
            at,
            len(word.group()),
            remedy=f'quote it to search for the word: "{word.group()}"',
        )
    remedy = {
        ")": "remove it, or open it with (",
        "]": "a range is [low TO high]",
        "}": "a range is {low TO high}",
        ":": "quote the value, or write \\: for the colon; a bound of a range is quoted",
        "-": "quote a negative number, or write it as a range: [* TO -5}",
        "+": "quote the value if + is part of it",
        "~": "~ stands after a word or a phrase",
        "^": "^ stands after a clause and before a number",
    }.get(char, "")
    if not remedy and re.search(r"[\[{][^\]}]*\Z", text[:at]):
        remedy = 'a range is [low TO high]; quote a bound that has : or a sign: ["a:b" TO *]'
    return QueryError(f"'{char}' where it can't be", at, remedy=remedy)


def bad_number(text: str) -> QueryError:
    """A number after ~ or ^ that is none."""
    bare = _QUOTED.sub(lambda found: "x" * len(found.group()), text)
    for found in re.finditer(r"[~^]([0-9.]+)", bare):
        if not re.fullmatch(
            r"\d{1,9}(\.\d{1,9})?" if found.group()[0] == "^" else r"\d{1,9}", found.group(1)
        ):
            start = found.start(1)
            return QueryError("not a number", start, len(found.group(1)), remedy="write ^2 or ~2")
    return QueryError("a number that can't be read", 0, max(len(text), 1))


def _unclosed(text: str) -> int | None:
    """The last parenthesis that is not closed, quoted text aside."""
    bare = _QUOTED.sub(lambda found: "x" * len(found.group()), text)
    opened: list[int] = []
    for at, char in enumerate(bare):
        if char in "([{":
            opened.append(at)
        elif char in ")]}" and opened:
            opened.pop()
    return opened[-1] if opened else None
