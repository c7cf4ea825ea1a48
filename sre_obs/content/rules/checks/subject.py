"""One rule as checks see it: the noun, the places of its parts, and the contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from functools import cached_property, lru_cache
from typing import NamedTuple

from sre_obs.content.rules.checks.clauses import All, Clause, clauses, leaves
from sre_obs.content.rules.queries import text_of_variable
from sre_obs.content.rules.written import Written
from sre_obs.content.yaml import Document, Map, Node, Scalar, Seq
from sre_obs.model.errors import QueryError
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.rule import Function, Measure, Query, Rule, RuleKind
from sre_obs.model.telemetry import Contract, Field
from sre_obs.query.kql.fields import Use

# Looking for the nearest of hundreds of names takes milliseconds: no more than so often.
_MOST_NEAREST = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """One query of a rule: the text's node, the streams that it is asked of, its tree, and
    the function that counts what it finds."""

    node: Node
    indices: tuple[str, ...]
    tree: Clause
    measure: Measured | None = None  # None: the rule's own


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure of a rule, also the one that a threshold names, with its streams and its
    window as they count. `path` leads to its block."""

    measure: Measure
    indices: tuple[str, ...]
    window: float
    path: tuple[str, ...]
    scope: tuple[str, ...]  # the fields by which it is grouped


class Named(NamedTuple):
    """A field's name as it is written somewhere: what it is for, and where.

    `at` is a key's place, or the node of a text; from `start` to `end` of it, where that is
    not all. The place itself is only worked out for what is wrong.
    """

    name: str
    indices: tuple[str, ...]
    what: str  # query, group_by, field, series, order, evidence
    at: Node | tuple[str, ...]
    use: Use | None = None  # of a query
    start: int = 0
    end: int = 0


class Subject:
    """One rule. `tested` says whether a test lies beside it, None where that is not known."""

    def __init__(
        self, rule: Rule, document: Document, contract: Contract, *, tested: bool | None = None
    ) -> None:
        self.rule = rule
        self.document = document
        self.contract = contract
        self.tested = tested
        self.written = Written(document)
        self._nearest = 0

    def problem(
        self, slug: str, place: Location, message: str, remedy: str, severity: Severity
    ) -> Problem:
        """A problem with its source line."""
        return self.document.problem(slug, place, message, remedy, severity)

    @cached_property
    def measures(self) -> tuple[Measured, ...]:
        """What the rule measures, in its order."""
        rule = self.rule
        if rule.kind is not RuleKind.THRESHOLD:
            return ()
        if not rule.measures:
            limit = rule.threshold
            measure = Measure("", limit.function, limit.field, limit.percent)
            return (Measured(measure, rule.index, rule.window, ("threshold",), rule.group_by),)
        return tuple(
            Measured(
                measure,
                measure.index or rule.index,
                measure.window or rule.window,
                ("measures", measure.name),
                rule.group_by if measure.by is None else measure.by,
            )
            for measure in rule.measures
        )

    @cached_property
    def asked(self) -> tuple[Asked, ...]:
        """The queries of the rule that are texts, in its order."""
        found = []
        own = self._asked(self.written.root.get("query"), self.rule.query, self.rule.index, None)
        if own is not None:
            found.append(own)
        for measured in self.measures:
            block = self.block(*measured.path)
            if measured.path[0] == "measures" and isinstance(block, Map):
                query = measured.measure.query
                asked = self._asked(block.get("query"), query, measured.indices, measured)
                if asked is not None:
                    found.append(asked)
        return tuple(found)

    def _asked(
        self, node: Node | None, query: Query, indices: tuple[str, ...], of: Measured | None
    ) -> Asked | None:
        if node is None or not query.fields:
            return None
        if query.language == "dsl" or not isinstance(node, Scalar):
            return Asked(node, indices, All(()), of)
        texts = ((n, text_of_variable(v)) for n, v in self.rule.variables.items())
        variables = tuple(texts) if "${" in node.text else ()
        try:
            return Asked(node, indices, clauses(node.text, query.language, variables), of)
        except QueryError:
            return None

    @cached_property
    def names(self) -> tuple[Named, ...]:
        """All fields that the rule names, in its order."""
        return tuple(self._names())

    def place_of(self, named: Named) -> Location:
        """Where a name stands."""
        at = named.at
        if isinstance(at, tuple):
            return self.written.key(*at)
        if named.end:
            return self.document.place(at, named.start, named.end - named.start)
        if named.what != "query":
            return self.document.place(at)
        found = _find(at, named.name)
        if isinstance(found, tuple):
            return self.document.location(*found)
        return self.document.place(at if found is None else found)

    def _names(self) -> Iterator[Named]:
        for asked in self.asked:
            if isinstance(asked.node, Scalar):
                for leaf in leaves(asked.tree):
                    yield Named(
                        *(leaf.field, asked.indices, "query", asked.node),
                        *(leaf.use, leaf.start, leaf.end),
                    )
            else:
                query = self.rule.query if asked.measure is None else asked.measure.measure.query
                for name in query.fields:
                    yield Named(name, asked.indices, "query", asked.node)
        root = self.written.root
        for item in _scalars(root.get("group_by")):
            yield Named(item.text, self.rule.index, "group_by", item)
        for measured in self.measures:
            yield from self._of_measure(measured)
        evidence = _scalars(root.get("evidence"))
        if evidence:
            everywhere = tuple(dict.fromkeys((*self.rule.index, *self._other_indices())))
            for item in evidence:
                yield Named(item.text, everywhere, "evidence", item)

    def _of_measure(self, measured: Measured) -> Iterator[Named]:
        block = self.block(*measured.path)
        if not isinstance(block, Map):
            return
        for key in ("field", "order"):
            node = block.get(key)
            if isinstance(node, Scalar) and node.text:
                yield Named(node.text, measured.indices, key, node)
        for item in _scalars(block.get("series")):
            yield Named(item.text, measured.indices, "series", item)
        if measured.measure.index:
            # What joins two streams must be in both.
            place = (*measured.path, "by" if "by" in block else "index")
            for name in measured.scope:
                yield Named(name, measured.indices, "group_by", place)

    def _other_indices(self) -> Iterator[str]:
        for measured in self.measures:
            yield from measured.indices

    def block(self, *path: str) -> Node | None:
        """The node at a path of keys."""
        node: Node | None = self.written.root
        for step in path:
            node = node.get(step) if isinstance(node, Map) else None
        return node

    def place_in(self, asked: Asked, start: int, end: int) -> Location:
        """The place of a piece of a query's text."""
        return self.document.place(asked.node, start, end - start)

    def known(self, indices: tuple[str, ...], name: str) -> tuple[Field, ...]:
        """What the streams that these patterns can mean say of a field."""
        return self.contract.fields(indices, name)

    def nearest(self, indices: tuple[str, ...], name: str) -> str:
        """The field of these streams that is called most alike, or ""."""
        self._nearest += 1
        if self._nearest > _MOST_NEAREST:
            return ""
        return _nearest(name, tuple(self.contract.types_of(*indices)))


def judged(contract: Contract, indices: tuple[str, ...]) -> bool:
    """Whether the contract knows all fields of these streams, so that one it lacks is wrong.

    It does not of an index that is not in it, of open streams, and of a pattern such as
    ``logs-*`` that may mean anything.
    """
    for index in indices:
        streams = contract.streams_of(index)
        if not streams:
            return False
        dataset = index.rpartition(":")[2].partition("-")[2]
        anything = not dataset or dataset.startswith("*") or any(s.open for s in streams)
        if anything and not contract.exact:
            return False
    return True


@lru_cache(maxsize=1_024)
def _nearest(name: str, known: tuple[str, ...]) -> str:
    """Names of one integration are all alike: what counts is how they end."""
    for near in get_close_matches(name, known, n=5, cutoff=0.75):
        pairs = enumerate(zip(name, near, strict=False))
        same = next((at for at, (a, b) in pairs if a != b), min(len(name), len(near)))
        ours, theirs = name[same:], near[same:]
        if not ours or not theirs or SequenceMatcher(None, ours, theirs).ratio() >= 0.5:
            return near
        # A letter too many or too few in front of a long rest that is the same.
        if ours.endswith(theirs) or theirs.endswith(ours):
            return near
    head, _, last = name.rpartition(".")
    above = head.split(".")[:2]
    homes = [n for n in known if n.rpartition(".")[2] == last and n.split(".")[:2] == above]
    return min(homes, key=len, default="")


def _scalars(node: Node | None) -> list[Scalar]:
    return [item for item in node if isinstance(item, Scalar)] if isinstance(node, Seq) else []


def _find(node: Node, name: str) -> Node | tuple[int, int] | None:
    """Where a field's name stands in a DSL query: a key, or a text."""
    if isinstance(node, Scalar):
        return node if node.text.partition("^")[0] == name else None
    if isinstance(node, Map):
        if name in node:
            return node.keys_at[name]
        inner = list(node.values())
    else:
        inner = list(node)
    for below in inner:
        found = _find(below, name)
        if found is not None:
            return found
    return None


NUMBERS = frozenset(
    (
        *("long", "integer", "short", "byte", "unsigned_long"),
        *("double", "float", "half_float", "scaled_float"),
    )
)
COUNTING = (Function.COUNT, Function.CARDINALITY, Function.MATCHES, Function.CHANGES)
