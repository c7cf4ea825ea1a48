"""YAML mistakes in plain words: what libyaml says -> where, what, what to do."""

from __future__ import annotations

import yaml

_QUOTE = "quote it"

# libyaml's words -> ours and the remedy. Where the same words have several causes, the
# character at the place decides, below.
_PLAIN = {
    "mapping values are not allowed in this context": ('":" in unquoted text', _QUOTE),
    "block sequence entries are not allowed in this context": (
        '"- " where no list can begin',
        "begin the list on a line of its own",
    ),
    "could not find expected ':'": ('no ":" behind the key', "write name: value"),
    "did not find expected '-' indicator": (
        "this line is neither in the list nor behind it",
        'indent it, or begin it with "- "',
    ),
    "did not find expected ',' or ']'": ('"[" is never closed', 'close it with "]"'),
    "did not find expected ',' or '}'": ('"{" is never closed', 'close it with "}"'),
    "found unexpected end of stream": ("the quote is never closed", "close it"),
    "found unexpected document indicator": ("the quote is never closed", "close it"),
    "found unknown escape character": (
        "no such escape in double quotes",
        "use single quotes, or write \\\\ for a backslash",
    ),
    "found invalid Unicode character escape code": ("this escape is no character", "correct it"),
    "found undefined alias": ('text that begins with "*" is an alias in YAML', _QUOTE),
    "found unknown directive name": ('a line that begins with "%"', _QUOTE),
    "exceeded maximum nesting depth": ("nested too deep", "split the file"),
    "but found another document": ("a second document in one file", "one file, one document"),
    "second occurrence": ("an anchor of that name exists already", "give it another name"),
    "did not find expected comment or line break": (
        'text behind "|" or ">"',
        "begin the text on the next line",
    ),
    "found a tab character that violates indentation": ("a tab where spaces should be", "spaces"),
    "found a tab character where an indentation space is expected": (
        "a tab where spaces should be",
        "indent with spaces",
    ),
    "did not find expected <document start>": (
        "text behind the end of the document",
        "check the indentation",
    ),
}
_AT_THE_START = frozenset(
    (
        "did not find expected ',' or ']'",
        "did not find expected ',' or '}'",
        "found unexpected end of stream",
        "found unexpected document indicator",
    )
)
_MAX_SHOWN = 60


def explain(text: str, error: yaml.MarkedYAMLError) -> tuple[int, str, str]:
    """(offset of the character, message, remedy)."""
    words = error.problem or error.context or "malformed"
    mark = error.problem_mark or error.context_mark
    at = min(mark.index, len(text)) if mark is not None else 0
    start = error.context_mark.index if error.context_mark is not None else at
    char = text[at : at + 1]
    if words == "did not find expected alphabetic or numeric character":
        return start, f'text that begins with "{text[start : start + 1]}" means something', _QUOTE
    if words == "found character that cannot start any token":
        if char == "\t":
            return at, "a tab where spaces should be", "indent with spaces"
        return at, f'text can\'t begin with "{char}"', _QUOTE
    if words == "did not find expected key":
        return at, *_no_key(text, at)
    if words in _AT_THE_START and char not in (":", "'", '"'):
        at = start
    elif words in ("did not find expected ',' or ']'", "did not find expected ',' or '}'"):
        return at, f"{char} where a comma or the end should be", _QUOTE
    message, remedy = _PLAIN.get(words, (_cut(words), "check indentation and quotes"))
    line = text[:at].rpartition("\n")[2]
    if char == ":" and line.startswith((" ", "\t")) and ":" not in line:
        remedy += ", or mend the indentation"
    return at, message, remedy


def shown(name: str) -> str:
    """A user's word in quotes, cut, without control characters."""
    safe = "".join(c if c.isprintable() else "\ufffd" for c in name)
    return f'"{_cut(safe)}"'


def _no_key(text: str, at: int) -> tuple[str, str]:
    before = text[:at].rstrip(" \t")
    char = text[at : at + 1]
    if before.endswith(("'", '"')):
        return "text behind the closing quote", "quote all of it, or none"
    if char in ("]", "}"):
        return f'"{char}" closes nothing', "remove it, or quote the text"
    if char == "-":
        return '"- " among keys', "indent the list under its key"
    return "this line belongs to no key", "check the indentation"


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."
