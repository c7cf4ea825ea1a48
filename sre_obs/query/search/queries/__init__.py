"""Query DSL -> the set of documents of a segment.

`build` reads a query once per request; what it returns runs on each segment. Here:
dispatch, bool, nested and the few that combine others. `terms` has the queries on exact
values, `words` those that analyze or parse text.

Scores are not computed: a query says which documents match, not how well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sre_obs.query.search import bits
from sre_obs.query.search.queries import terms, words
from sre_obs.query.search.queries.types import Now, Query
from sre_obs.query.search.refuse import mapping, only, single, unsupported, wrong
from sre_obs.query.search.segment import Segment

# indices.query.bool.max_nested_depth
_MAX_DEPTH = 30

__all__ = ["Query", "build"]


def build(body: Any, where: str, now: Now, depth: int = 0) -> Query:
    """Read a query at path `where` of the request.

    Raises UnsupportedError for what is not here, SourceError for what Elasticsearch refuses.
    """
    if depth > _MAX_DEPTH:
        raise wrong(f"queries nested deeper than {_MAX_DEPTH}", where)
    name, inner = single(body, where)
    at = f"{where}.{name}"
    if name in _COMPOUND:
        return _COMPOUND[name](mapping(inner, at), at, now, depth)
    leaf = terms.BUILDERS.get(name) or words.BUILDERS.get(name)
    if leaf is None:
        raise unsupported(f"query '{name}'", at)
    return leaf(mapping(inner, at), at, now)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


_BOOL = frozenset({"must", "filter", "should", "must_not", "minimum_should_match", "boost"})


def _bool(body: Any, where: str, now: Now, depth: int) -> Query:
    only(body, _BOOL, where)
    clauses: dict[str, list[Query]] = {}
    for part in ("must", "filter", "should", "must_not"):
        if body.get(part) is None:
            clauses[part] = []
            continue
        several = isinstance(body[part], list)
        clauses[part] = [
            build(one, f"{where}.{part}[{i}]" if several else f"{where}.{part}", now, depth + 1)
            for i, one in enumerate(_list(body[part]))
        ]
    required = clauses["must"] + clauses["filter"]
    should, must_not = clauses["should"], clauses["must_not"]
    alone = bool(should) and not required
    least = _least(body.get("minimum_should_match"), len(should), where)
    if alone:
        least = max(least, 1)
    elif not (should or required or must_not):
        least = 0  # bool without any clause matches everything

    def run(segment: Segment) -> int:
        # No short cut where nothing is left: a later clause may be an error.
        found = bits.full(segment.size)
        for query in required:
            found &= query(segment)
        if least == 1 and should:
            any_of = 0
            for query in should:
                any_of |= query(segment)
            found &= any_of
        elif least > 1 or least > len(should):
            found &= _at_least(least, [query(segment) for query in should])
        for query in must_not:
            found &= ~query(segment)
        return found

    return run


def _at_least(least: int, sets: list[int]) -> int:
    """Documents in `least` or more of the sets: reached[k] has those in k+1 or more so far."""
    if least > len(sets):
        return 0
    reached = [0] * least
    for one in sets:
        for k in range(least - 1, 0, -1):
            reached[k] |= reached[k - 1] & one
        reached[0] |= one
    return reached[-1]


def _least(value: Any, count: int, where: str) -> int:
    """minimum_should_match: 2, -1, "75%", "-25%"."""
    if value is None:
        return 0
    text = str(value).strip()
    percent = text.endswith("%")
    try:
        number = int(text.removesuffix("%"))
    except ValueError:
        raise unsupported(
            f"minimum_should_match '{value}'", f"{where}.minimum_should_match"
        ) from None
    if percent:
        part = int(count * abs(number) / 100)
        number = part if number >= 0 else count - part
    elif number < 0:
        number += count
    return max(number, 0)


def _constant_score(body: Any, where: str, now: Now, depth: int) -> Query:
    only(body, frozenset({"filter", "boost"}), where)
    if "filter" not in body:
        raise wrong("constant_score without a filter", where)
    return build(body["filter"], f"{where}.filter", now, depth + 1)


def _match_all(body: Any, where: str, now: Now, depth: int) -> Query:
    only(body, frozenset({"boost"}), where)
    return lambda segment: bits.full(segment.size)


def _match_none(body: Any, where: str, now: Now, depth: int) -> Query:
    only(body, frozenset({"boost"}), where)
    return lambda segment: 0


_NESTED = frozenset({"path", "query", "score_mode", "ignore_unmapped", "boost"})


def _nested(body: Any, where: str, now: Now, depth: int) -> Query:
    only(body, _NESTED, where)
    if "path" not in body or "query" not in body:
        raise wrong("nested needs path and query", where)
    path = body["path"]
    if not isinstance(path, str):
        raise wrong("path is a text", f"{where}.path")
    query = build(body["query"], f"{where}.query", now, depth + 1)
    ignore = body.get("ignore_unmapped", False)

    def run(segment: Segment) -> int:
        nested = segment.mapping.nested
        if path not in nested:
            if ignore:
                return 0
            raise wrong(f"no nested objects at [{path}] in {segment.name}", f"{where}.path")
        # The steps from here down to the path; each has its documents within the one above.
        steps = [path]
        while nested[steps[-1]] and nested[steps[-1]] != segment.path:
            steps.append(nested[steps[-1]])
        chain = [segment]
        for step in reversed(steps):
            chain.append(chain[-1].child(step))
        found = query(chain[-1])
        for child, above in zip(reversed(chain[1:]), reversed(chain[:-1]), strict=True):
            parents = child.parents
            found = bits.of(sorted({parents[i] for i in bits.iterate(found)}), above.size)
        return found

    return run


_COMPOUND: dict[str, Callable[[Any, str, Now, int], Query]] = {
    "bool": _bool,
    "constant_score": _constant_score,
    "match_all": _match_all,
    "match_none": _match_none,
    "nested": _nested,
}
