"""`but`: one fact of a case's documents changed, or left out."""

from __future__ import annotations

from difflib import get_close_matches

from sre_obs.content.mistakes import shown
from sre_obs.content.tests.series import SeriesError, parse_series
from sre_obs.content.tests.tree import FACTS, Filled, Wrong, joined, put, text_of, without
from sre_obs.content.yaml import Document, Map, Node, Scalar, Seq
from sre_obs.model.problem import Location

# What `but` can change besides facts, and where it does so.
_DROP, _WITHOUT, _UNTIL, _COUNT, _IN = "drop", "without", "until", "count", "in"
_WORDS = (_DROP, _WITHOUT, _UNTIL, _COUNT)


class Changer:
    """Changes the documents of one file's cases."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def change(self, documents: Node, until: Node | None, but: Map) -> tuple[Node, Node | None]:
        """The documents with one fact changed, and until when. Raises Wrong."""
        if not isinstance(documents, Seq):
            return documents, until
        facts = [name for name in but if name != _IN]
        if len(facts) != 1:
            place = self._document.key(but, facts[1] if facts else next(iter(but)))
            message = "more than one fact differs: nobody can tell which of them counts"
            remedy = "change one of them, and the other in a case of its own"
            if not facts:
                message, remedy = "no fact differs", "write field: value"
            raise Wrong("tests/one-fact", place, message, remedy)
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
            names = [text_of(n) for n in value] if isinstance(value, Seq) else [text_of(value)]
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
        name = text_of(wanted)
        found = {n for n, b in enumerate(documents) if isinstance(b, Map) and _names(b, name)}
        if name.isdigit() and 0 < int(name) <= len(documents) and not found:
            found = {int(name) - 1}
        if not found:
            called = [
                text_of(b.get("name")) for b in documents if isinstance(b, Map) and "name" in b
            ]
            near = get_close_matches(name, called, n=1)
            message = f"no block of this case is called {shown(name)}"
            remedy = f"write {near[0]}" if near else "give the block a name, or write its number"
            raise Wrong("tests/unknown-block", self._document.place(wanted), message, remedy)
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
                    copy = without(block, ("to",))
                    put(copy, "count", count, (count.start, count.end))
                    blocks[number] = copy
        return blocks

    def _no_fact(self, documents: Seq, name: str, place: Location) -> None:
        known = {
            field
            for block in documents
            if isinstance(block, Map)
            for kind in FACTS
            if isinstance(fields := block.get(kind), Map)
            for field in fields
        }
        near = get_close_matches(name, sorted(known), n=1)
        message = f"no document of the case that it is like has {shown(name)}"
        remedy = f"write {near[0]}" if near else "one of: " + ", ".join([*sorted(known), *_WORDS])
        raise Wrong("tests/unknown-fact", place, message, remedy)


def _home(block: Map, name: str) -> str | None:
    """Which of a block's mappings has a fact."""
    for kind in FACTS:
        facts = block.get(kind)
        if isinstance(facts, Map) and name in facts:
            return kind
    return None


def _set_fact(block: Map, kind: str, name: str, value: Node | None, span: tuple[int, int]) -> Map:
    """A copy of the block with another value of a fact (None: without it), and as many
    documents as before, or as its new series asks for."""
    copy = Map(block.start, block.end)
    for key, node in block.items():
        put(copy, key, node, block.keys_at[key])
    facts = block[kind]
    assert isinstance(facts, Map)
    copy[kind] = without(facts, (name,))
    if "count" not in block and "to" not in block and (length := _length(block)) > 1:
        now = _samples(value) if kind == "series" else 1
        count = Filled(str(max(length, now)), "", *(block.keys_at.get("series") or span))
        put(copy, "count", count, span)
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
        changed = joined(there, changed)
    put(changed, name, value, span)
    put(copy, kind, changed, block.keys_at.get(kind, span))
    return copy


def _length(block: Map) -> int:
    """The documents that a block's longest series gives."""
    series = block.get("series")
    return max(map(_samples, series.values()), default=1) if isinstance(series, Map) else 1


def _samples(node: Node | None) -> int:
    if isinstance(node, Seq):
        return len(node)
    try:
        return len(parse_series(text_of(node)))
    except SeriesError:  # it is said where the series is read
        return 1


def _names(block: Map, name: str) -> bool:
    return "name" in block and text_of(block["name"]) == name


def _kept(documents: Seq, gone: set[int]) -> Seq:
    kept = Seq(documents.start, documents.end)
    kept.extend(block for number, block in enumerate(documents) if number not in gone)
    return kept
