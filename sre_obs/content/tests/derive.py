"""From cases as they are written to cases as they are run: `like`, `but`, `each`, names.

All of it is done on the tree, whose nodes keep their places, so that what is wrong in a
derived case is reported where somebody wrote it.

- A name in `documents`, and `like` in a block, stand for a block of the file's own
  `documents`, with what the block says besides.
- `like` takes another case's documents and `until`; `but` then changes one fact in them.
- `each` makes a case of each set of parameters; ``${n}`` is replaced wherever it stands.
  A parameter without a value takes the key away that it is the value of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from sre_obs.content.mistakes import shown
from sre_obs.content.tests.series import SeriesError, parse_series
from sre_obs.content.yaml import Document, Map, Node, Scalar, Seq
from sre_obs.model.problem import Location, Problem

_PARAMETER = re.compile(r"\$\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
# What of a block `but` can change besides its facts.
_DROP, _WITHOUT, _UNTIL, _COUNT, _IN = "drop", "without", "until", "count", "in"
_WORDS = (_DROP, _WITHOUT, _UNTIL, _COUNT)
_FACTS = ("series", "fields", "dates")
_MOST = 10_000


class Filled(Scalar):
    """A scalar whose text holds parameters: its characters are not those of the file."""

    __slots__ = ()


class _Wrong(Exception):
    def __init__(self, slug: str, place: Location, message: str, remedy: str) -> None:
        super().__init__(message)
        self.slug = slug
        self.place = place
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Derived:
    """A case to run: its tree has the keys of `CaseShape`, `place` is where it is written."""

    tree: Map
    place: Location


@dataclass(frozen=True, slots=True)
class _Facts:
    """What `like` takes over: documents as written, the changes to them, until when."""

    documents: Node | None
    changes: tuple[Map, ...]
    until: Node | None


def derive(
    document: Document, blocks: Node | None, cases: Sequence[Node]
) -> tuple[list[Derived], list[Problem]]:
    """All cases in their order; one that is wrong is left out and said."""
    return _Derivation(document, blocks if isinstance(blocks, Map) else None, cases).run()


def flat(fields: Map) -> Map:
    """The same fields by dotted names: ``{a: {b: 1}}`` is ``{a.b: 1}``."""
    found = Map(fields.start, fields.end)
    _flatten(fields, "", found)
    return found


def _flatten(fields: Map, prefix: str, found: Map) -> None:
    for name, node in fields.items():
        if isinstance(node, Map) and node:
            _flatten(node, f"{prefix}{name}.", found)
        else:
            _set(found, prefix + name, node, fields.keys_at[name])


class _Derivation:
    def __init__(self, document: Document, blocks: Map | None, cases: Sequence[Node]) -> None:
        self._document = document
        self._blocks = blocks
        self._cases = [case for case in cases if isinstance(case, Map)]
        self._named = {_text(case.get("name")): case for case in reversed(self._cases)}
        self._problems: list[Problem] = []

    def run(self) -> tuple[list[Derived], list[Problem]]:
        """Each case, expanded."""
        derived: list[Derived] = []
        names: dict[str, Location] = {}
        for case in self._cases:
            try:
                for one in self._expanded(case):
                    name = _text(one.tree.get("name"))
                    other = names.setdefault(name, one.place)
                    if name and other is not one.place:
                        place = self._at(one.tree["name"])
                        message = f"{shown(name)} is the name of another case, line {other.line}"
                        raise _Wrong("tests/duplicate", place, message, "give it another name")
                    derived.append(one)
            except _Wrong as wrong:
                self._problems.append(
                    self._document.problem(wrong.slug, wrong.place, wrong.message, wrong.remedy)
                )
        return derived, self._problems

    def _expanded(self, case: Map) -> Iterator[Derived]:
        facts = self._facts(case, ())
        place = self._document.location(case.start)
        for parameters in self._parameters(case):
            fill = _Fill(self._document, parameters)
            tree = Map(case.start, case.end)
            for key in ("name", "expect", "outcome"):
                if key in case:
                    _set(tree, key, fill.node(case[key]), case.keys_at[key])
            if parameters and "name" in tree:
                tree["name"] = _called(case["name"], tree["name"], parameters)
            if isinstance(expect := tree.get("expect"), Seq):
                tree["expect"] = _wanted(expect)
            where = case.keys_at.get("documents") or case.keys_at.get("like") or (case.start,) * 2
            if facts.documents is not None:
                documents = self._resolve(fill.node(facts.documents))
                until = None if facts.until is None else fill.node(facts.until)
                for change in facts.changes:
                    documents, until = self._change(documents, until, fill.map(change))
                _set(tree, "documents", documents, where)
                if until is not None and not (isinstance(until, Scalar) and until.empty):
                    _set(tree, "until", until, where)
            yield Derived(tree, place)

    def _facts(self, case: Map, seen: tuple[str, ...]) -> _Facts:
        """What a case runs on, what it is like included."""
        documents, until = case.get("documents"), case.get("until")
        changes: tuple[Map, ...] = ()
        like = case.get("like")
        if like is not None:
            name = _text(like)
            base = self._named.get(name)
            if base is None or base is case or name in seen:
                known = [n for n in self._named if n and n != _text(case.get("name"))]
                near = get_close_matches(name, known, n=1)
                message = f"no other case is called {shown(name)}"
                remedy = f"write {near[0]}" if near else "write the name of a case in this file"
                if base is not None:
                    message, remedy = f"{shown(name)} is like itself", "begin with documents"
                raise _Wrong("tests/unknown-case", self._at(like), message, remedy)
            taken = self._facts(base, (*seen, name))
            documents = taken.documents if documents is None else documents
            until = taken.until if until is None else until
            changes = taken.changes
        but = case.get("but")
        if but is not None:
            if not isinstance(but, Map) or not but:
                message = '"but" must be the one fact that differs, such as {field: value}'
                raise _Wrong("tests/wrong-value", self._at(but), message, "write field: value")
            changes = (*changes, but)
        return _Facts(documents, changes, until)

    def _parameters(self, case: Map) -> list[Mapping[str, Node]]:
        each = case.get("each")
        if each is None:
            return [{}]
        if not isinstance(each, Seq) or not each:
            message = '"each" must be a list of parameters'
            raise _Wrong("tests/wrong-value", self._at(each), message, "write [{n: 4}, {n: 5}]")
        if len(each) > _MOST:
            raise _Wrong("tests/wrong-value", self._at(each), f"over {_MOST} cases", "write fewer")
        found: list[Mapping[str, Node]] = []
        for item in each:
            if not isinstance(item, Map):
                message = "parameters are name: value pairs"
                raise _Wrong("tests/wrong-value", self._at(item), message, "write {n: 4}")
            for name in item:
                if not _NAME.fullmatch(name):
                    place = self._document.key(item, name)
                    message = f"{shown(name)} is no name of a parameter"
                    raise _Wrong("tests/wrong-value", place, message, "letters, digits and _")
            found.append(item)
        return found

    def _resolve(self, documents: Node) -> Node:
        """The blocks, names replaced by what they stand for."""
        if not isinstance(documents, Seq):
            return documents
        blocks = Seq(documents.start, documents.end)
        for item in documents:
            if isinstance(item, Scalar):
                blocks.append(self._block(item, Map(item.start, item.end)))
            elif isinstance(item, Map) and isinstance(like := item.get("like"), Scalar):
                blocks.append(self._block(like, item))
            else:
                blocks.append(_normal(item) if isinstance(item, Map) else item)
        return blocks

    def _block(self, name: Scalar, over: Map) -> Map:
        known: Mapping[str, Node] = self._blocks or {}
        base = known.get(name.text)
        if not isinstance(base, Map):
            near = get_close_matches(name.text, known, n=1)
            message = f"no block of documents is called {shown(name.text)}"
            remedy = f"write {near[0]}" if near else "add it under documents, at the top"
            raise _Wrong("tests/unknown-block", self._at(name), message, remedy)
        base, over = _normal(base), _normal(over)
        block = Map(base.start, base.end)
        for key, node in base.items():
            _set(block, key, node, base.keys_at[key])
        _set(block, "name", name, (name.start, name.end))
        for key, node in over.items():
            before = block.get(key)
            if key in _FACTS and isinstance(before, Map) and isinstance(node, Map):
                node = _joined(before, node)
            if key in _FACTS and isinstance(node, Map):
                # A fact has one value: what is said here replaces it wherever it stood.
                for kind in _FACTS:
                    other = block.get(kind)
                    said = over[key]
                    if kind != key and isinstance(other, Map) and isinstance(said, Map):
                        block[kind] = _without(other, said)
            if key != "like":
                _set(block, key, node, over.keys_at[key])
        return block

    def _change(self, documents: Node, until: Node | None, but: Map) -> tuple[Node, Node | None]:
        """The documents with one fact changed."""
        if not isinstance(documents, Seq):
            return documents, until
        facts = [name for name in but if name != _IN]
        if len(facts) != 1:
            place = self._document.key(but, facts[1] if facts else next(iter(but)))
            message = "more than one fact differs: nobody can tell which of them counts"
            remedy = "change one of them, and the other in a case of its own"
            if not facts:
                message, remedy = "no fact differs", "write field: value"
            raise _Wrong("tests/one-fact", place, message, remedy)
        ((fact, value),) = ((name, but[name]) for name in facts)
        chosen = self._chosen(documents, but.get(_IN))
        if fact == _UNTIL:
            return documents, value
        if fact == _WITHOUT:
            gone = self._chosen(documents, value)
            return _kept(documents, gone), until
        if fact == _COUNT:
            return self._counted(documents, value), until
        names = [fact]
        if fact == _DROP:
            names = [_text(n) for n in value] if isinstance(value, Seq) else [_text(value)]
        blocks = Seq(documents.start, documents.end)
        changed: set[str] = set()
        for number, block in enumerate(documents):
            if number in chosen and isinstance(block, Map):
                for name in names:
                    if (kind := _home(block, name)) is None:
                        continue
                    changed.add(name)
                    span = but.keys_at[fact]
                    block = _set_fact(block, kind, name, None if fact == _DROP else value, span)
            blocks.append(block)
        for name in names:
            if name not in changed:
                self._no_fact(documents, name, self._document.key(but, fact))
        return blocks, until

    def _chosen(self, documents: Seq, wanted: Node | None) -> set[int]:
        """The numbers of the blocks called so; all without a name."""
        if wanted is None:
            return set(range(len(documents)))
        name = _text(wanted)
        found = {n for n, b in enumerate(documents) if isinstance(b, Map) and _names(b, name)}
        if name.isdigit() and 0 < int(name) <= len(documents) and not found:
            found = {int(name) - 1}
        if not found:
            called = [_text(b.get("name")) for b in documents if isinstance(b, Map) and "name" in b]
            near = get_close_matches(name, called, n=1)
            message = f"no block of this case is called {shown(name)}"
            remedy = f"write {near[0]}" if near else "give the block a name, or write its number"
            raise _Wrong("tests/unknown-block", self._at(wanted), message, remedy)
        return found

    def _counted(self, documents: Seq, value: Node) -> Seq:
        """``count: {block: n}``, or ``count: n`` for all blocks."""
        blocks = Seq(documents.start, documents.end)
        blocks.extend(documents)
        counts = list(value.items()) if isinstance(value, Map) else [("", value)]
        for name, count in counts:
            where = None
            if name and isinstance(value, Map):
                where = Scalar(name, "", *value.keys_at[name])
            for number in self._chosen(documents, where):
                block = blocks[number]
                if isinstance(block, Map):
                    copy = _without(block, {"to": None})
                    _set(copy, "count", count, (count.start, count.end))
                    blocks[number] = copy
        return blocks

    def _no_fact(self, documents: Seq, name: str, place: Location) -> None:
        known = {
            field
            for block in documents
            if isinstance(block, Map)
            for kind in _FACTS
            if isinstance(fields := block.get(kind), Map)
            for field in fields
        }
        near = get_close_matches(name, sorted(known), n=1)
        message = f"no document of the case that it is like has {shown(name)}"
        remedy = f"write {near[0]}" if near else "one of: " + ", ".join([*sorted(known), *_WORDS])
        raise _Wrong("tests/unknown-fact", place, message, remedy)

    def _at(self, node: Node | None) -> Location:
        assert node is not None
        return self._document.place(node)


class _Fill:
    """Parameters into a tree; a tree without any is given back as it is."""

    def __init__(self, document: Document, parameters: Mapping[str, Node]) -> None:
        self._document = document
        self._parameters = parameters

    def node(self, node: Node) -> Node:
        """The node with all ``${name}`` replaced. Raises _Wrong for one that is unknown."""
        if isinstance(node, Scalar):
            return self._scalar(node) if "${" in node.text else node
        if isinstance(node, Seq):
            seq = Seq(node.start, node.end)
            seq.extend(self.node(item) for item in node)
            return seq
        return self.map(node)

    def map(self, node: Map) -> Map:
        """A mapping; in its keys nothing is replaced."""
        filled = Map(node.start, node.end)
        for name, value in node.items():
            _set(filled, name, self.node(value), node.keys_at[name])
        return filled

    def _scalar(self, node: Scalar) -> Node:
        whole = _PARAMETER.fullmatch(node.text)
        if whole is not None:
            value = self._value(whole, node)
            if isinstance(value, Scalar):
                return Filled(value.text, value.style, node.start, node.end)
            return value
        text = _PARAMETER.sub(lambda found: _text(self._value(found, node)), node.text)
        return Filled(text, node.style, node.start, node.end)

    def _value(self, found: re.Match[str], node: Scalar) -> Node:
        value = self._parameters.get(found[1])
        if value is None:
            near = get_close_matches(found[1], self._parameters, n=1)
            place = self._document.place(node, found.start(), len(found[0]))
            remedy = f"write ${{{near[0]}}}" if near else f"add each: [{{{found[1]}: ...}}]"
            message = f"no parameter is called {shown(found[1])}"
            raise _Wrong("tests/unknown-parameter", place, message, remedy)
        return value


def _called(written: Node, name: Node, parameters: Mapping[str, Node]) -> Node:
    """A name that tells the cases apart: with its parameters, unless it has them."""
    if not isinstance(name, Scalar) or not isinstance(written, Scalar):
        return name
    if name.text != written.text:
        return name
    values = ", ".join(f"{key}={_text(value)}" for key, value in parameters.items())
    return Filled(f"{name.text[: 197 - min(len(values), 190)]} [{values[:190]}]", "'", *_span(name))


def _wanted(expect: Seq) -> Seq:
    """Without the alerts whose `fires` has no value, and without other keys that have none."""
    kept = Seq(expect.start, expect.end)
    for item in expect:
        if isinstance(item, Map):
            empty = {n: v for n, v in item.items() if isinstance(v, Filled) and v.empty}
            if "fires" in empty:
                continue
            item = _without(item, empty) if empty else item
        kept.append(item)
    return kept


def _normal(block: Map) -> Map:
    """A block whose facts have dotted names."""
    copy = Map(block.start, block.end)
    for key, node in block.items():
        if key in ("fields", "series") and isinstance(node, Map):
            node = flat(node)
        _set(copy, key, node, block.keys_at[key])
    return copy


def _home(block: Map, name: str) -> str | None:
    """Which of a block's mappings has a fact."""
    for kind in _FACTS:
        facts = block.get(kind)
        if isinstance(facts, Map) and name in facts:
            return kind
    return None


def _set_fact(block: Map, kind: str, name: str, value: Node | None, span: tuple[int, int]) -> Map:
    """A copy of the block with another value of a fact (None: without it), and as many
    documents as before, or as its new series asks for."""
    copy = Map(block.start, block.end)
    for key, node in block.items():
        _set(copy, key, node, block.keys_at[key])
    facts = block[kind]
    assert isinstance(facts, Map)
    copy[kind] = _without(facts, {name: None})
    if "count" not in block and "to" not in block and (length := _length(block)) > 1:
        now = _samples(value) if kind == "series" else 1
        count = Filled(str(max(length, now)), "", *(block.keys_at.get("series") or span))
        _set(copy, "count", count, span)
    if value is None:
        return copy
    if isinstance(value, Map) and value.keys() & {"at", "ago"}:
        kind = "dates"
    elif isinstance(value, Map) and value.keys() == {"series"}:
        kind, value = "series", value["series"]
    elif kind == "dates":
        kind = "fields"
    there = copy.get(kind)
    changed = Map(value.start, value.end)
    if isinstance(there, Map):
        changed = _joined(there, changed)
    _set(changed, name, value, span)
    _set(copy, kind, changed, block.keys_at.get(kind, span))
    return copy


def _length(block: Map) -> int:
    """The documents that a block's longest series gives."""
    series = block.get("series")
    return max(map(_samples, series.values()), default=1) if isinstance(series, Map) else 1


def _samples(node: Node | None) -> int:
    if isinstance(node, Seq):
        return len(node)
    try:
        return len(parse_series(_text(node)))
    except SeriesError:  # it is said where the series is read
        return 1


def _names(block: Map, name: str) -> bool:
    return "name" in block and _text(block["name"]) == name


def _kept(documents: Seq, gone: set[int]) -> Seq:
    kept = Seq(documents.start, documents.end)
    kept.extend(block for number, block in enumerate(documents) if number not in gone)
    return kept


def _joined(first: Map, second: Map) -> Map:
    joined = Map(first.start, first.end)
    for part in (first, second):
        for name, node in part.items():
            _set(joined, name, node, part.keys_at[name])
    return joined


def _without(found: Map, names: Mapping[str, object]) -> Map:
    left = Map(found.start, found.end)
    for name, node in found.items():
        if name not in names:
            _set(left, name, node, found.keys_at[name])
    return left


def _set(found: Map, name: str, node: Node, span: tuple[int, int]) -> None:
    found[name] = node
    found.keys_at[name] = span


def _span(node: Node) -> tuple[int, int]:
    return node.start, node.end


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""
