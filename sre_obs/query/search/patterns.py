"""Wildcards and Lucene's regular expressions -> tests of a whole term.

RE2 runs them, so that a hostile pattern costs linear time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from sre_obs.query.search.refuse import unsupported, wrong

Test: TypeAlias = Callable[[str], bool]

_LUCENE_ONLY = {
    "#": "the empty language (#)",
    "@": "any string (@)",
    "&": "intersection (&)",
    "~": "complement (~)",
    "<": "a numeric interval (<1-5>)",
    '"': "a quoted string",
}
_BOUNDS = re.compile(r"\{(\d+)(,(\d*))?\}", re.ASCII)
_MAX_PATTERN = 1000  # index.max_regex_length


def wildcard(pattern: str, *, ignore_case: bool = False) -> Test:
    """``*`` any text, ``?`` one character, ``\\`` takes the next character as it is."""
    pieces: list[str] = []
    literal: list[str] = []
    at = 0
    plain_prefix = True  # text* alone
    while at < len(pattern):
        char = pattern[at]
        if char == "\\" and at + 1 < len(pattern):
            at += 1
            literal.append(pattern[at])
        elif char in "*?":
            pieces.append(_quote(literal, ignore_case))
            literal = []
            pieces.append(".*" if char == "*" else ".")
            plain_prefix = plain_prefix and char == "*" and at == len(pattern) - 1
        else:
            literal.append(char)
        at += 1
    if not pattern:
        return lambda text: False  # not even the empty term
    if plain_prefix and not ignore_case and pattern.endswith("*") and len(pieces) == 2:
        prefix = _unquote(pattern[:-1])
        return lambda text: text.startswith(prefix)
    pieces.append(_quote(literal, ignore_case))
    return _compiled("".join(pieces))


def prefix(text: str, *, ignore_case: bool = False) -> Test:
    """Terms that begin with the text."""
    if not ignore_case:
        return lambda term: term.startswith(text)
    return _compiled(_quote([text], True) + ".*")


def regexp(pattern: str, where: str, *, ignore_case: bool = False) -> Test:
    """Lucene's syntax: anchored, ``.`` any character, ``^`` and ``$`` are literal.

    Raises UnsupportedError for its own operators (``<1-5>``, ``~``, ``&``, ``@``, ``#``) and
    SourceError for a pattern that it can't read.
    """
    if len(pattern) > _MAX_PATTERN:
        raise wrong(f"a regular expression longer than {_MAX_PATTERN}", where)
    if ignore_case and not pattern.isascii():
        raise unsupported("case_insensitive beyond ASCII in a regular expression", where)
    return _compiled(_translate(pattern, where), ignore_case, where)


def _translate(pattern: str, where: str) -> str:
    out: list[str] = []
    at, size = 0, len(pattern)
    while at < size:
        char = pattern[at]
        if char in _LUCENE_ONLY:
            raise unsupported(f"in a regular expression, {_LUCENE_ONLY[char]}", where)
        if char == "\\":
            if at + 1 >= size:
                raise wrong("a regular expression ends with a backslash", where)
            escaped = pattern[at + 1]
            if escaped in "dDwWsS":
                out.append("\\" + escaped)
            elif escaped.isascii() and escaped.isalpha():
                raise unsupported(f"\\{escaped} in a regular expression", where)
            else:
                out.append(re.escape(escaped))
            at += 2
        elif char == "[":
            piece, at = _char_class(pattern, at, where)
            out.append(piece)
        elif char == "{":
            match = _BOUNDS.match(pattern, at)
            if not match:
                raise wrong("'{' without numbers in a regular expression", where)
            if max(int(n) for n in match.groups()[::2] if n) > 1000:
                raise unsupported("a repetition of more than 1000", where)
            out.append(match.group())
            at = match.end()
        else:
            out.append(char if char in "().|*+?" else re.escape(char))
            if char == "(" and pattern[at + 1 : at + 2] == "?":
                raise wrong("(? in a regular expression", where)
            if char in "*+?" and pattern[at + 1 : at + 2] in ("?", "+", "*"):
                # RE2 would read a lazy operator; to Lucene it repeats the repetition.
                raise unsupported("a repeated repetition in a regular expression", where)
            at += 1
    return "".join(out)


def _char_class(pattern: str, start: int, where: str) -> tuple[str, int]:
    out = ["["]
    at = start + 1
    if pattern[at : at + 1] == "^":
        out.append("^")
        at += 1
    first = True
    while at < len(pattern) and (pattern[at] != "]" or first):
        char = pattern[at]
        first = False
        if char == "\\" and at + 1 < len(pattern):
            escaped = pattern[at + 1]
            if escaped.isascii() and escaped.isalpha() and escaped not in "dDwWsS":
                raise unsupported(f"\\{escaped} in a character class", where)
            out.append("\\" + escaped)
            at += 2
            continue
        if char in "[&":
            out.append("\\" + char)
        else:
            out.append(char)
        at += 1
    if at >= len(pattern):
        raise wrong("'[' is never closed in a regular expression", where)
    out.append("]")
    return "".join(out), at + 1


def _quote(literal: list[str], ignore_case: bool) -> str:
    text = "".join(literal)
    if not ignore_case:
        return re.escape(text)
    # Elasticsearch folds ASCII letters alone, RE2's own flag all of them.
    return "".join(
        f"[{c.lower()}{c.upper()}]" if c.isascii() and c.isalpha() else re.escape(c) for c in text
    )


def _unquote(pattern: str) -> str:
    return re.sub(r"\\(.)", r"\1", pattern, flags=re.DOTALL)


def _compiled(pattern: str, ignore_case: bool = False, where: str = "") -> Test:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    options.never_capture = True
    options.case_sensitive = not ignore_case
    try:
        match: Any = re2.compile(pattern, options).fullmatch
    except UnicodeEncodeError:
        raise wrong("a pattern with half a character", where) from None
    except re2.error as error:
        reason = error.args[0] if error.args else b""
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise wrong(f"not a regular expression: {text}", where) from None
    return lambda text: match(text) is not None
