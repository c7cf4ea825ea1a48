"""The one YAML loader: text -> a tree that knows where everything stands, and problems.

Differences from PyYAML's own loaders, each because a rule is text that people wrote:

- every key, value and character of a value has a place (`Document.place`);
- values stay as written until a schema says what they are: dates, ``on`` and ``1.10`` do
  not change on the way; `plain` gives YAML 1.2's core types to who wants JSON;
- a key twice is a problem, tags and merge keys are refused;
- size, depth, nodes and what aliases expand to are bounded.

Errors are `Problem`s; nothing raises because of a text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from yaml._yaml import CParser

from sre_obs.content import mistakes
from sre_obs.content.files import read_regular
from sre_obs.model.problem import Location, Problem, Severity

MAX_BYTES = 2**20
MAX_DEPTH = 64
MAX_NODES = 100_000

Span: TypeAlias = tuple[int, int]  # characters from 0, end exclusive
Node: TypeAlias = "Scalar | Map | Seq"


class Scalar:
    """A leaf: its `text` and where it stands. `style` is the quote or ``|``, ``>``, ""."""

    __slots__ = ("end", "start", "style", "text")

    def __init__(self, text: str, style: str, start: int, end: int) -> None:
        self.text = text
        self.style = style
        self.start = start
        self.end = end

    @property
    def empty(self) -> bool:
        """Whether it is null: nothing there, ``~`` or ``null``."""
        return not self.style and self.text in _NULL

    def __repr__(self) -> str:
        # Its text may be a secret.
        return f"Scalar({self.start}, {self.end})"


class Map(dict[str, Node]):
    """A mapping; `keys_at` has the span of each key."""

    __slots__ = ("end", "keys_at", "start")

    def __init__(self, start: int, end: int) -> None:
        super().__init__()
        self.start = start
        self.end = end
        self.keys_at: dict[str, Span] = {}


class Seq(list[Node]):
    """A list."""

    __slots__ = ("end", "start")

    def __init__(self, start: int, end: int) -> None:
        super().__init__()
        self.start = start
        self.end = end


class Document:
    """A text, its tree and the way back from a character to line and column.

    `root` is None where there is none. `hidden` are spans that hold secrets: `shown` and
    the source lines of problems have ``<secret>`` there.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.root: Node | None = None
        self.hidden: list[Span] = []
        self.hide_source = False
        self._last_line: tuple[int, Span] = (-1, (0, 0))
        self._last_source: tuple[Span, str] = ((-1, 0), "")

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(m.end() for m in _BREAK.finditer(self.text))]

    def location(self, start: int, end: int | None = None) -> Location:
        """The place of a span; what goes over the line's end is cut."""
        start = min(max(start, 0), len(self.text))
        line = bisect_right(self._lines, start) - 1
        begin, stop = self._line(line)
        length = (start + 1 if end is None else end) - start
        return Location(
            self.file, line + 1, start - begin + 1, max(1, min(length, max(stop - start, 1)))
        )

    def place(self, node: Node, offset: int | None = None, length: int = 1) -> Location:
        """Where a node stands or, with `offset`, the character of a scalar's text."""
        if offset is None or not isinstance(node, Scalar):
            return self.location(node.start, node.end)
        return self.location(*self._span(node, offset, length))

    def key(self, parent: Map, name: str) -> Location:
        """Where a key stands."""
        return self.location(*parent.keys_at[name])

    def problem(
        self,
        slug: str,
        location: Location,
        message: str,
        remedy: str = "",
        severity: Severity = Severity.ERROR,
    ) -> Problem:
        """A problem with its source line."""
        source = "" if self.hide_source else self._source(location.line - 1)
        return Problem(slug, severity, location, message, remedy, source)

    def shown(self) -> str:
        """The text with its secrets masked; still YAML, and what amtool knows as a secret."""
        return self._mask(0, len(self.text))

    def _line(self, line: int) -> Span:
        # The last one is kept: a line of a megabyte may hold thousands of problems.
        if line != self._last_line[0]:
            begin = self._lines[line]
            after = self._lines[line + 1] if line + 1 < len(self._lines) else len(self.text)
            stop = begin + len(self.text[begin:after].rstrip("\r\n"))
            self._last_line = line, (begin, stop)
        return self._last_line[1]

    def _source(self, line: int) -> str:
        # A place in a line that holds a secret keeps its column: hiding starts behind it
        # or, for what is wrong inside a secret, at its first character.
        key = (line, len(self.hidden))
        if key != self._last_source[0]:
            source = self._mask(*self._line(min(line, len(self._lines) - 1))).rstrip("\r\n")
            self._last_source = key, source
        return self._last_source[1]

    def _mask(self, begin: int, stop: int) -> str:
        out, at = [], begin
        for start, end in sorted(self.hidden):
            if end <= at or start >= stop:
                continue
            out += [self.text[at : max(start, at)], "<secret>"]
            at = min(end, stop)
            if self.text[at - 1 : at] == "\n":  # a block scalar's span goes over its break
                out.append("\n")
        return "".join([*out, self.text[at:stop]])

    def _span(self, node: Scalar, offset: int, length: int) -> Span:
        """Source span of a piece of a scalar's text.

        Characters that are no white space appear in the source in the same order, so the
        n-th of them in the text is the n-th in the source, however lines were folded.
        """
        text = node.text
        last = max(len(text) - 1, 0)
        offset = min(max(offset, 0), last)
        while text[offset : offset + 1].isspace() and offset < last:
            offset += 1
            length -= 1
        end = min(offset + max(length, 1), len(text))
        while end - 1 > offset and text[end - 1].isspace():
            end -= 1
        wanted = sum(1 for c in text[:offset] if not c.isspace())
        more = sum(1 for c in text[offset:end] if not c.isspace())
        start = stop = -1
        for count, (at, size) in enumerate(_visible(self.text, node)):
            if count == wanted:
                start = at
            if start >= 0 and count < wanted + max(more, 1):
                stop = at + size
            if count >= wanted + more:
                break
        if start < 0:  # only white space is left
            return max(node.end - 1, node.start), max(node.end, node.start + 1)
        return start, stop


def load(path: Path, *, name: str = "") -> tuple[Document, list[Problem]]:
    """Read a file; `name` is what it is called in problems (its path by default)."""
    file = name or str(path)
    try:
        data = read_regular(path, MAX_BYTES + 1)
    except OSError as error:
        document = Document(file, "")
        why = error.strerror or type(error).__name__
        return document, [
            document.problem("yaml/unreadable", Location(file), f"can't read it: {why}")
        ]
    return parse(data, file)


def parse(data: bytes | str, file: str) -> tuple[Document, list[Problem]]:
    """Read a text. The document's root is None where the text gives no tree at all."""
    document, problem = _decode(data, file)
    if problem is not None:
        return document, [problem]
    problems: list[Problem] = []
    try:
        node = _Composer(document.text).get_single_node()
        if node is not None:
            document.root = _Builder(document, problems).build(node)
    except yaml.MarkedYAMLError as error:
        at, message, remedy = mistakes.explain(document.text, error)
        problems.append(document.problem("yaml/syntax", document.location(at), message, remedy))
    except yaml.reader.ReaderError as error:
        at = _reader_offset(document.text, error)
        problems.append(
            document.problem(
                "yaml/control-character",
                document.location(at),
                f"a control character (U+{ord(document.text[at : at + 1] or chr(0)):04X})",
                "remove it, or write it with an escape in double quotes",
            )
        )
    except _Refused as refused:
        problems.append(
            document.problem(refused.slug, document.location(refused.at), refused.message)
        )
    if document.root is None and not problems:
        problems.append(document.problem("yaml/empty", Location(file), "the file is empty"))
    return document, problems


def plain(node: Node) -> Any:
    """The tree as JSON has it, scalars by YAML 1.2's core schema: true, 5, 0.5, null, text."""
    if isinstance(node, Map):
        return {name: plain(value) for name, value in node.items()}
    if isinstance(node, Seq):
        return [plain(value) for value in node]
    if node.style:
        return node.text
    text = node.text
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEAN = {t: t.lower() == "true" for t in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INTEGER = re.compile(r"[-+]?\d{1,30}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.\d{1,30}|\d{1,30}(?:\.\d{0,30})?)(?:[eE][-+]?\d{1,3})?", re.ASCII)
_BREAK = re.compile(r"\r\n|\n|\r")
# An anchor, a tag and comments behind them belong to the node.
_PROPERTIES = re.compile(r"(?:(?:&[0-9A-Za-z_-]+|!\S*)\s*(?:#[^\r\n\x85\u2028\u2029]*\s*)*)+")
_ESCAPE = re.compile(
    r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\r\n[ \t]*|[\n\r][ \t]*|.)", re.DOTALL
)
_WHITE_ESCAPES = frozenset("nrtvfe0abNLP_ \t") - frozenset("e0ab")


def _visible(text: str, node: Scalar) -> Iterator[tuple[int, int]]:
    """(position, length) in the source of each character of a scalar that is not white."""
    at, end = node.start, node.end
    properties = _PROPERTIES.match(text, at, end)
    if properties is not None:
        at = properties.end()
    if node.style in ("|", ">"):
        at = text.find("\n", at, end) + 1 or end  # behind the header
    elif node.style:
        at, end = at + 1, end - 1
    while at < end:
        char = text[at]
        if char == "\\" and node.style == '"':
            match = _ESCAPE.match(text, at)
            size = match.end() - at if match else 1
            if not _white_escape(text[at + 1 : at + size]):
                yield at, size
            at += size
        elif char == "'" and node.style == "'":
            yield at, 2
            at += 2
        else:
            if not char.isspace():
                yield at, 1
            at += 1


def _white_escape(escape: str) -> bool:
    if escape[:1] in ("x", "u", "U") and len(escape) > 1:
        return chr(int(escape[1:], 16)).isspace()
    return escape[:1] in _WHITE_ESCAPES or escape[:1] in "\r\n"


def _decode(data: bytes | str, file: str) -> tuple[Document, Problem | None]:
    """The text, which libyaml can take, or why not."""
    size = len(data)
    if size > MAX_BYTES:
        document = Document(file, "")
        message = f"larger than {MAX_BYTES // 2**20} MiB"
        return document, document.problem(
            "yaml/too-large", Location(file), message, "split the file"
        )
    try:
        raw = data if isinstance(data, bytes) else data.encode("utf-8")
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        good = error.object[: error.start].decode("utf-8")
        document = Document(file, good + "\ufffd")
        return document, document.problem(
            "yaml/encoding",
            document.location(len(good)),
            f"not UTF-8 text (byte 0x{error.object[error.start]:02X})",
            "save the file as UTF-8",
        )
    except UnicodeEncodeError as error:
        document = Document(file, error.object[: error.start] + "\ufffd")
        return document, document.problem(
            "yaml/encoding", document.location(error.start), "half a character"
        )
    return Document(file, text.removeprefix("\ufeff")), None


def _reader_offset(text: str, error: yaml.reader.ReaderError) -> int:
    # libyaml counts bytes here.
    position = error.position if isinstance(error.position, int) else 0
    return len(text.encode("utf-8")[:position].decode("utf-8", "ignore"))


class _Refused(Exception):
    def __init__(self, slug: str, at: int, message: str) -> None:
        super().__init__(message)
        self.slug = slug
        self.at = at
        self.message = message


class _Composer(CParser):
    """libyaml's parser and composer with nothing guessed: tags say what was written."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._count = 0

    def descend_resolver(self, parent: yaml.Node | None, _index: object) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            at = parent.start_mark.index if parent is not None else 0
            raise _Refused("yaml/too-deep", at, f"nested deeper than {MAX_DEPTH} levels")

    def ascend_resolver(self) -> None:
        self._depth -= 1

    def resolve(self, _kind: object, _value: object, _implicit: object) -> str:
        self._count += 1
        if self._count > MAX_NODES:
            raise _Refused("yaml/too-large", 0, f"more than {MAX_NODES} values")
        return ""


class _Builder:
    """libyaml's nodes -> ours. Aliases are expanded, and counted."""

    def __init__(self, document: Document, problems: list[Problem]) -> None:
        self._document = document
        self._problems = problems
        self._count = 0
        self._open: set[int] = set()

    def build(self, node: yaml.Node) -> Node:
        start, end = node.start_mark.index, node.end_mark.index
        self._count += 1
        if self._count > MAX_NODES:
            raise _Refused("yaml/alias-bomb", start, f"aliases expand to over {MAX_NODES} values")
        if node.tag and node.tag not in _TAGS:
            self._add("yaml/tag", (start, end), "tags (!...) are not supported", "remove it")
        if isinstance(node, yaml.ScalarNode):
            style = node.style or ""
            return Scalar(node.value, "" if style == "plain" else style, start, end)
        if id(node) in self._open or len(self._open) > 2 * MAX_DEPTH:
            raise _Refused("yaml/alias-bomb", start, "an alias inside what it stands for")
        self._open.add(id(node))
        built = self._map(node) if isinstance(node, yaml.MappingNode) else self._seq(node)
        self._open.discard(id(node))
        return built

    def _seq(self, node: yaml.Node) -> Seq:
        seq = Seq(node.start_mark.index, node.end_mark.index)
        seq.extend(self.build(value) for value in node.value)
        return seq

    def _map(self, node: yaml.Node) -> Map:
        found = Map(node.start_mark.index, node.end_mark.index)
        for key, value in node.value:
            span = (key.start_mark.index, key.end_mark.index)
            if not isinstance(key, yaml.ScalarNode):
                self._add("yaml/key", span, "a key must be a text", 'write "name: value"')
                continue
            name = key.value
            if name == "<<" and not key.style:
                self._add("yaml/merge-key", span, "merge keys are not supported", "write them out")
            elif name in found:
                line = self._document.location(*found.keys_at[name]).line
                self._add(
                    "yaml/duplicate-key",
                    span,
                    f"{mistakes.shown(name)} twice, first in line {line}",
                    "keep one of them",
                )
            else:
                found[name] = self.build(value)
                found.keys_at[name] = span
        return found

    def _add(self, slug: str, span: Span, message: str, remedy: str) -> None:
        document = self._document
        self._problems.append(document.problem(slug, document.location(*span), message, remedy))


_TAGS = ("!", "tag:yaml.org,2002:str")
