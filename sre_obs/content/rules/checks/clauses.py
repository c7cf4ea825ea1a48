"""A query of either language as one small tree: all of, any of, not, and single clauses.

What the checks look at is the same in KQL and Lucene; what only one of them has (boosts,
slop, a nested group's path) does not matter here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from sre_obs.query import kql
from sre_obs.query.kql.fields import Use, text_of


@dataclass(frozen=True, slots=True)
class Leaf:
    """One clause on one field. `op` is gt, gte, lt or lte for a range, else "". The span is
    that of the field's name, `stop` where the clause ends."""

    field: str
    use: Use
    op: str
    value: str | bool
    start: int
    end: int
    stop: int
    pattern: bool = False


@dataclass(frozen=True, slots=True)
class All:
    """Every one of them."""

    nodes: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """At least one of them."""

    nodes: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class No:
    """Not this."""

    node: Clause


Clause: TypeAlias = Leaf | All | Any | No

_NOTHING = All(())


@lru_cache(maxsize=1_024)
def clauses(text: str, language: str, variables: tuple[tuple[str, str], ...]) -> Clause:
    """The tree of a text that was read before. Clauses without a field are left out.

    Raises QueryError where it can't be read after all.
    """
    known: Mapping[str, str] | None = dict(variables) if "${" in text else None
    if language == "kql":
        return _kql(kql.parse(text, known), "") or _NOTHING
    from sre_obs.query import lucene

    return _lucene(lucene.parse(text, known)) or _NOTHING


def leaves(node: Clause) -> Iterator[Leaf]:
    """All single clauses, in the order of the text."""
    match node:
        case Leaf():
            yield node
        case All() | Any():
            for inner in node.nodes:
                yield from leaves(inner)
        case No():
            yield from leaves(node.node)


def required(node: Clause) -> Iterator[Leaf]:
    """The single clauses that every match fulfils."""
    match node:
        case Leaf():
            yield node
        case All():
            for inner in node.nodes:
                yield from required(inner)
        case Any() if len(node.nodes) == 1:
            yield from required(node.nodes[0])


def _kql(node: kql.Node, prefix: str) -> Clause | None:
    match node:
        case kql.And():
            return All(tuple(c for n in node.nodes if (c := _kql(n, prefix)) is not None))
        case kql.Or():
            found = [_kql(n, prefix) for n in node.nodes]
            # A clause on any field may be the one that matches: then no other must.
            return Any(tuple(c if c is not None else _NOTHING for c in found))
        case kql.Not():
            inner = _kql(node.node, prefix)
            return None if inner is None else No(inner)
        case kql.Nested():
            return _kql(node.query, f"{prefix}{text_of(node.path)}.")
        case kql.Range():
            return Leaf(
                prefix + text_of(node.field),
                Use.RANGE,
                node.op,
                node.value.value,
                node.field.start,
                node.field.end,
                node.end,
                isinstance(node.field, kql.Wildcard),
            )
        case kql.Is():
            return _is(node, prefix)


def _is(node: kql.Is, prefix: str) -> Leaf | None:
    if node.field is None or (isinstance(node.field, kql.Wildcard) and node.field.lone):
        return None
    if isinstance(node.value, kql.Wildcard):
        use = Use.EXISTS if node.value.lone else Use.WILDCARD
        value: str | bool = text_of(node.value)
    else:
        use = Use.PHRASE if node.value.quoted else Use.TERM
        value = node.value.value
    return Leaf(
        prefix + text_of(node.field),
        use,
        "",
        value,
        node.field.start,
        node.field.end,
        node.end,
        isinstance(node.field, kql.Wildcard),
    )


def _lucene(node: object) -> Clause | None:
    from sre_obs.query import lucene

    match node:
        case lucene.Group():
            return _group(node)
        case lucene.Range():
            bounds = []
            for bound, closed, op in (
                (node.low, node.with_low, "gt"),
                (node.high, node.with_high, "lt"),
            ):
                if bound is not None:
                    name = node.field
                    op = f"{op}e" if closed else op
                    bounds.append(
                        Leaf(
                            name.text,
                            Use.RANGE,
                            op,
                            bound,
                            name.start,
                            name.end,
                            node.end,
                            name.pattern,
                        )
                    )
            return All(tuple(bounds))
        case lucene.Word(field=lucene.Name()) | lucene.Phrase(field=lucene.Name()):
            use = Use.TERM if isinstance(node, lucene.Word) else Use.PHRASE
            return _leaf(node.field, use, node.value, node.end)
        case lucene.Pattern(field=lucene.Name()):
            return _leaf(node.field, Use.WILDCARD, "".join(node.parts), node.end)
        case lucene.Regexp():
            return _leaf(node.field, Use.WILDCARD, node.pattern, node.end)
        case lucene.Exists():
            return _leaf(node.field, Use.EXISTS, "*", node.end)
    return None


def _leaf(name: object, use: Use, value: str, stop: int) -> Leaf | None:
    from sre_obs.query import lucene

    if not isinstance(name, lucene.Name):
        return None
    return Leaf(name.text, use, "", value, name.start, name.end, stop, name.pattern)


def _group(node: object) -> Clause:
    from sre_obs.query import lucene

    assert isinstance(node, lucene.Group)
    must: list[Clause] = []
    should: list[Clause] = []
    for clause in node.clauses:
        inner = _lucene(clause.node)
        if clause.occur is lucene.Occur.MUST_NOT:
            if inner is not None:
                must.append(No(inner))
        elif clause.occur is lucene.Occur.MUST:
            if inner is not None:
                must.append(inner)
        else:
            should.append(_NOTHING if inner is None else inner)
    if should and not any(c.occur is lucene.Occur.MUST for c in node.clauses):
        must.append(Any(tuple(should)))
    elif should:
        # They only rank what matches; their fields are looked at all the same.
        must.append(Any((*should, _NOTHING)))
    return All(tuple(must))
