"""Label matchers in Alertmanager's UTF-8 grammar: text -> `Matcher`s -> a predicate.

``{alertname="Disk", team=~"db|infra", "weird name"!="x"}``; the braces are optional and a
comma may trail. Names and values are unquoted (no whitespace, none of ``{}!=~,\\"'`` and
backtick) or double-quoted with escapes; the right side is required (``a=""``, not ``a=``).
This is Alertmanager's strict mode: its classic grammar is not here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from sre_obs.model.errors import QueryError
from sre_obs.model.matcher import Matcher, MatchOp

Labels: TypeAlias = Mapping[str, str]
Predicate: TypeAlias = Callable[[Labels], bool]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<brace>[{}]) | (?P<comma>,) | (?P<op>=~|!=|!~|=)
      | (?P<quoted>"(?:[^"\\]|\\.)*")
      | (?P<bare>[^\s{}!=~,\\"'`]+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_SPACE = re.compile(r"\s*")
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([abfnrtv\\\"]))|\\"
)
_CONTROL = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_REGEX_META = re.compile(r"[\\.+*?()|\[\]{}^$]")
# Instructions of RE2: a thousand alternatives take about 200, and "(a|b){1,500}" 2,000.
# Patterns with more cost seconds wherever they are compiled or tried.
_MAX_PROGRAM = 20_000
_MAX_PATTERN = 10_000  # characters; keeps the automaton of a hostile pattern small


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Read matchers. An empty text and ``{}`` give none.

    Raises QueryError at the character; a wrong regular expression is one as well.
    """
    tokens = _tokens(text)
    found: list[Matcher] = []
    at = 0
    braced = tokens[0].kind == "{"
    if braced:
        at = 1
    while tokens[at].kind in ("bare", "quoted"):
        matcher, at = _matcher(tokens, at)
        found.append(matcher)
        if tokens[at].kind != ",":
            break
        at += 1
    token = tokens[at]
    if braced:
        if token.kind != "}":
            if token.kind == "end":
                raise QueryError("'{' is never closed", tokens[0].start, remedy="close it with }")
            raise _unexpected(token, "a label name, ',' or '}'")
        token = tokens[at + 1]
    if token.kind != "end":
        if token.kind == "}" and not braced:
            raise QueryError("'}' closes nothing", token.start, remedy="remove it")
        wanted = "the end" if braced else ("',' or the end" if found else "a label name")
        raise _unexpected(token, wanted)
    return tuple(found)


def format_matcher(matcher: Matcher) -> str:
    """``name="value"``, the name quoted where it must be. Parses back to the same matcher."""
    name = matcher.name
    if not re.fullmatch(r"[^\s{}!=~,\\\"'`]+", name):
        name = _quote(name)
    return f"{name}{matcher.op.value}{_quote(matcher.value)}"


def format_matchers(matchers: Iterable[Matcher]) -> str:
    """``{a="b",c=~"d.*"}``."""
    return "{" + ",".join(format_matcher(m) for m in matchers) + "}"


def compile_matchers(matchers: Iterable[Matcher]) -> Predicate:
    """A predicate over labels: all matchers hold, an absent label being "".

    Equality is tested before regular expressions, which are anchored at both ends (RE2).
    No matchers match everything. Raises QueryError for a wrong pattern.
    """
    equal: list[tuple[str, str]] = []
    others: list[tuple[str, Callable[[str], bool], bool]] = []
    for m in matchers:
        if m.op is MatchOp.EQUAL:
            equal.append((m.name, m.value))
        elif m.op is MatchOp.NOT_EQUAL:
            others.insert(0, (m.name, m.value.__eq__, False))
        else:
            others.append((m.name, _full_match(m.value), m.op is MatchOp.REGEX))

    if not others:
        if len(equal) == 1:
            ((only, wanted),) = equal
            return lambda labels: labels.get(only, "") == wanted

        def all_equal(labels: Labels) -> bool:
            get = labels.get
            for name, value in equal:  # noqa: SIM110  # half the time of all() of a generator
                if get(name, "") != value:
                    return False
            return True

        return all_equal

    def all_hold(labels: Labels) -> bool:
        get = labels.get
        for name, value in equal:
            if get(name, "") != value:
                return False
        for name, test, wanted in others:  # noqa: SIM110
            if test(get(name, "")) is not wanted:
                return False
        return True

    return all_hold


def check_pattern(pattern: str, offset: int = 0, length: int = 0) -> None:
    """Raises QueryError, at `offset` for `length`, where RE2 can't read the pattern."""
    _regex(pattern, offset, length)


def _regex(pattern: str, offset: int = 0, length: int = 0) -> Any:
    import re2

    if len(pattern) > _MAX_PATTERN:
        raise QueryError(
            f"a pattern of {len(pattern)} characters", offset, remedy=f"at most {_MAX_PATTERN}"
        )
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
        if compiled.programsize > _MAX_PROGRAM:
            raise QueryError(
                "the regular expression is too large once its repetitions are written out",
                offset,
                length or len(pattern),
                remedy="repeat less: write + or * instead of {1,500}",
            )
        return compiled
    except re2.error as error:
        reason = error.args[0] if error.args else b""
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise QueryError(
            f"'{pattern}' is not a regular expression: {text}",
            offset,
            length or len(pattern),
            remedy="RE2 syntax: no look-around, no back references",
        ) from None
    except UnicodeEncodeError:
        raise QueryError("a pattern with half a character", offset, len(pattern)) from None


def _full_match(pattern: str) -> Callable[[str], bool]:
    """A test for the whole text; plain alternatives and literal prefixes need no automaton."""
    compiled = _regex(pattern)
    alternatives = pattern.split("|")
    if not any(_REGEX_META.search(a) for a in alternatives):
        return frozenset(alternatives).__contains__
    body, tail = pattern[:-2], pattern[-2:]
    if tail in (".*", ".+") and body and not _REGEX_META.search(body):
        longer = len(body) if tail == ".*" else len(body) + 1
        return lambda text: len(text) >= longer and text.startswith(body) and "\n" not in text
    match = compiled.fullmatch

    def test(text: str) -> bool:
        try:
            return match(text) is not None
        except UnicodeEncodeError:  # a lone surrogate: no text that RE2 can see
            return False

    return test


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    pos, size = 0, len(text)
    while True:
        space = _SPACE.match(text, pos)
        pos = space.end() if space else pos
        if pos >= size:
            tokens.append(_Token("end", "", size, size))
            return tokens
        match = _TOKEN.match(text, pos)
        if match is None:
            raise _no_token(text, pos)
        kind = match.lastgroup or ""
        found = match.group(kind)
        if kind in ("brace", "comma"):
            kind = found
        tokens.append(_Token(kind, found, match.start(match.lastgroup or 0), match.end()))
        pos = match.end()


def _no_token(text: str, pos: int) -> QueryError:
    char = text[pos]
    if char == '"':
        return QueryError("the quote is never closed", pos, len(text) - pos, remedy='close it: "')
    if char in "'`":
        return QueryError(f"{char} does not quote here", pos, remedy='use double quotes: "..."')
    if char == "!":
        return QueryError("'!' alone is no operator", pos, remedy="=, !=, =~ or !~")
    if char == "~":
        return QueryError("'~' alone is no operator", pos, remedy="=~ or !~")
    return QueryError(f"'{char}' must stand in double quotes", pos, remedy='write "..."')


def _matcher(tokens: list[_Token], at: int) -> tuple[Matcher, int]:
    name = _text(tokens[at])
    operator = tokens[at + 1]
    if operator.kind != "op":
        raise _unexpected(operator, "=, !=, =~ or !~")
    value = tokens[at + 2]
    if value.kind not in ("bare", "quoted"):
        if operator.text == "=" and value.text == "=":
            raise QueryError("== is no operator", operator.start, 2, remedy="write =")
        raise _unexpected(value, "a value", remedy='an empty value is written ""')
    text = _text(value)
    op = MatchOp(operator.text)
    if op in (MatchOp.REGEX, MatchOp.NOT_REGEX):
        check_pattern(text, value.start, value.end - value.start)
    if not name:
        raise QueryError("an empty label name", tokens[at].start, 2)
    return Matcher(name, op, text), at + 3


def _text(token: _Token) -> str:
    if token.kind == "bare":
        return token.text
    inner = token.text[1:-1]
    if "\n" in inner:
        raise QueryError(
            "a line break in quotes", token.start + 1 + inner.index("\n"), remedy="write \\n"
        )
    if "\\" not in inner:
        return inner

    def unescape(match: re.Match[str]) -> str:
        hexadecimal, u4, u8, octal, char = match.groups()
        where = token.start + 1 + match.start()
        if char:
            return _CONTROL.get(char, char)
        code = int(u4 or u8 or hexadecimal or octal or "-1", 8 if octal else 16)
        # A \x or octal escape is a byte: beyond ASCII it would be half of a character.
        limit = 0x10FFFF if (u4 or u8) else 0x7F
        if not 0 <= code <= limit or 0xD800 <= code <= 0xDFFF:
            raise QueryError(
                "an escape that is none",
                where,
                len(match.group()),
                remedy="write \\\\ for a backslash",
            )
        return chr(code)

    return _ESCAPE.sub(unescape, inner)


def _quote(text: str) -> str:
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif char == "\n":
            out.append("\\n")
        else:
            out.append(char)
    return '"' + "".join(out) + '"'


def _unexpected(token: _Token, wanted: str, *, remedy: str = "") -> QueryError:
    if token.kind == "end":
        return QueryError(
            f"the text ends where {wanted} should be", max(token.start - 1, 0), remedy=remedy
        )
    return QueryError(
        f"'{token.text}' where {wanted} should be",
        token.start,
        token.end - token.start,
        remedy=remedy,
    )
