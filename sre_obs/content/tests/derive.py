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
from sre_obs.content.tests.change import Changer
from sre_obs.content.tests.fill import Fill
from sre_obs.content.tests.tree import FACTS, Filled, Wrong, joined, normal, put, text_of, without
from sre_obs.content.yaml import Document, Map, Node, Scalar, Seq
from sre_obs.model.problem import Location, Problem

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_MOST = 10_000


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


class _Derivation:
    def __init__(self, document: Document, blocks: Map | None, cases: Sequence[Node]) -> None:
        self._document = document
        self._blocks = blocks
        self._cases = [case for case in cases if isinstance(case, Map)]
        self._named = {text_of(case.get("name")): case for case in reversed(self._cases)}
        self._problems: list[Problem] = []

    def run(self) -> tuple[list[Derived], list[Problem]]:
        """Each case, expanded."""
        derived: list[Derived] = []
        names: dict[str, Location] = {}
        for case in self._cases:
            try:
                for one in self._expanded(case):
                    name = text_of(one.tree.get("name"))
                    other = names.setdefault(name, one.place)
                    if name and other is not one.place:
                        place = self._at(one.tree["name"])
                        message = f"{shown(name)} is the name of another case, line {other.line}"
                        raise Wrong("tests/duplicate", place, message, "give it another name")
                    derived.append(one)
            except Wrong as wrong:
                problem = self._document.problem(
                    wrong.slug, wrong.place, wrong.message, wrong.remedy
                )
                # Once, however many cases are like the one that is wrong.
                if problem not in self._problems:
                    self._problems.append(problem)
        return derived, self._problems

    def _expanded(self, case: Map) -> Iterator[Derived]:
        facts = self._facts(case, ())
        place = self._document.location(case.start)
        for parameters in self._parameters(case):
            fill = Fill(self._document, parameters)
            tree = Map(case.start, case.end)
            for key in ("name", "expect", "outcome"):
                if key in case:
                    put(tree, key, fill.node(case[key]), case.keys_at[key])
            if parameters and "name" in tree:
                tree["name"] = _called(case["name"], tree["name"], parameters)
            if isinstance(expect := tree.get("expect"), Seq):
                tree["expect"] = _wanted(expect)
            where = case.keys_at.get("documents") or case.keys_at.get("like") or (case.start,) * 2
            if facts.documents is not None:
                documents = self._resolve(fill.node(facts.documents))
                until = None if facts.until is None else fill.node(facts.until)
                changer = Changer(self._document)
                for change in facts.changes:
                    documents, until = changer.change(documents, until, fill.map(change))
                put(tree, "documents", documents, where)
                if until is not None and not (isinstance(until, Scalar) and until.empty):
                    put(tree, "until", until, where)
            yield Derived(tree, place)

    def _facts(self, case: Map, seen: tuple[str, ...]) -> _Facts:
        """What a case runs on, what it is like included."""
        documents, until = case.get("documents"), case.get("until")
        changes: tuple[Map, ...] = ()
        like = case.get("like")
        if like is not None:
            name = text_of(like)
            base = self._named.get(name)
            if base is None or base is case or name in seen:
                known = [n for n in self._named if n and n != text_of(case.get("name"))]
                near = get_close_matches(name, known, n=1)
                message = f"no other case is called {shown(name)}"
                remedy = f"write {near[0]}" if near else "write the name of a case in this file"
                if base is not None:
                    message, remedy = f"{shown(name)} is like itself", "begin with documents"
                raise Wrong("tests/unknown-case", self._at(like), message, remedy)
            taken = self._facts(base, (*seen, name))
            documents = taken.documents if documents is None else documents
            until = taken.until if until is None else until
            changes = taken.changes
        but = case.get("but")
        if but is not None:
            if not isinstance(but, Map) or not but:
                message = '"but" must be the one fact that differs, such as {field: value}'
                raise Wrong("tests/wrong-value", self._at(but), message, "write field: value")
            changes = (*changes, but)
        return _Facts(documents, changes, until)

    def _parameters(self, case: Map) -> list[Mapping[str, Node]]:
        each = case.get("each")
        if each is None:
            return [{}]
        if not isinstance(each, Seq) or not each:
            message = '"each" must be a list of parameters'
            raise Wrong("tests/wrong-value", self._at(each), message, "write [{n: 4}, {n: 5}]")
        if len(each) > _MOST:
            raise Wrong("tests/wrong-value", self._at(each), f"over {_MOST} cases", "write fewer")
        found: list[Mapping[str, Node]] = []
        for item in each:
            if not isinstance(item, Map):
                message = "parameters are name: value pairs"
                raise Wrong("tests/wrong-value", self._at(item), message, "write {n: 4}")
            for name in item:
                if not _NAME.fullmatch(name):
                    place = self._document.key(item, name)
                    message = f"{shown(name)} is no name of a parameter"
                    raise Wrong("tests/wrong-value", place, message, "letters, digits and _")
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
                blocks.append(normal(item) if isinstance(item, Map) else item)
        return blocks

    def _block(self, name: Scalar, over: Map) -> Map:
        known: Mapping[str, Node] = self._blocks or {}
        base = known.get(name.text)
        if not isinstance(base, Map):
            near = get_close_matches(name.text, known, n=1)
            message = f"no block of documents is called {shown(name.text)}"
            remedy = f"write {near[0]}" if near else "add it under documents, at the top"
            raise Wrong("tests/unknown-block", self._at(name), message, remedy)
        base, over = normal(base), normal(over)
        block = Map(base.start, base.end)
        for key, node in base.items():
            put(block, key, node, base.keys_at[key])
        put(block, "name", name, (name.start, name.end))
        for key, node in over.items():
            before = block.get(key)
            if key in FACTS and isinstance(before, Map) and isinstance(node, Map):
                node = joined(before, node)
            if key in FACTS and isinstance(node, Map):
                # A fact has one value: what is said here replaces it wherever it stood.
                for kind in FACTS:
                    other = block.get(kind)
                    said = over[key]
                    if kind != key and isinstance(other, Map) and isinstance(said, Map):
                        block[kind] = without(other, said)
            if key != "like":
                put(block, key, node, over.keys_at[key])
        return block

    def _at(self, node: Node | None) -> Location:
        assert node is not None
        return self._document.place(node)


def _called(written: Node, name: Node, parameters: Mapping[str, Node]) -> Node:
    """A name that tells the cases apart: with its parameters, unless it has them."""
    if not isinstance(name, Scalar) or not isinstance(written, Scalar):
        return name
    if name.text != written.text:
        return name
    values = ", ".join(f"{key}={text_of(value)}" for key, value in parameters.items())
    return Filled(
        f"{name.text[: 197 - min(len(values), 190)]} [{values[:190]}]", "'", name.start, name.end
    )


def _wanted(expect: Seq) -> Seq:
    """Without the alerts whose `fires` has no value, and without other keys that have none."""
    kept = Seq(expect.start, expect.end)
    for item in expect:
        if isinstance(item, Map):
            empty = {n: v for n, v in item.items() if isinstance(v, Filled) and v.empty}
            if "fires" in empty:
                continue
            item = without(item, empty) if empty else item
        kept.append(item)
    return kept
