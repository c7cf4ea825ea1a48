"""A `_search` request body over a corpus -> the response that Elasticsearch would give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sre_obs.query.search import aggs, bits
from sre_obs.query.search.corpus import Corpus
from sre_obs.query.search.hits import Sorter, presenter, sort_keys
from sre_obs.query.search.queries import build as build_query
from sre_obs.query.search.refuse import mapping, only, unsupported, whole, wrong
from sre_obs.query.search.view import View

_KNOWN = frozenset(
    {
        "query", "aggs", "aggregations", "size", "from", "sort", "_source", "docvalue_fields",
        "track_total_hits", "terminate_after", "timeout", "collapse",
    }
)  # fmt: skip
_TRACKED = 10_000  # how far Elasticsearch counts hits unless told
_MAX_WINDOW = 10_000  # index.max_result_window


def search(
    corpus: Corpus,
    indices: str | Sequence[str],
    body: Mapping[str, Any],
    now: float,
    *,
    ignore_unavailable: bool = False,
) -> dict[str, Any]:
    """Execute a request.

    `indices` is a name, a pattern, a comma list or a sequence of them; `now` is what
    ``now`` means in the request, in seconds since the epoch. `took` is 0.

    Raises UnsupportedError with the construct and its path in the body for what is not
    here, and SourceError (blame: request) where Elasticsearch answers 400 or 404.
    """
    only(body, _KNOWN, "body")
    names = corpus.resolve(indices, ignore_unavailable=ignore_unavailable)
    view: View | None = corpus.views.get(names)
    if view is None:
        view = corpus.views[names] = View([corpus.segment(name) for name in names])
    query_body = body.get("query", {"match_all": {}})
    query = build_query(query_body, "query", now)
    tree = _aggregations(body, now)
    size, start = _whole(body, "size", 10), _whole(body, "from", 0)
    if size + start > _MAX_WINDOW:
        raise wrong(f"from + size is more than {_MAX_WINDOW}", "size")
    present = _hits(body, query_body, size, start, len(names))

    matching = view.matching(query)
    total = matching.bit_count()
    limit = _whole(body, "terminate_after", 0)
    early = False
    if limit:
        matching, early = _terminate(view, matching, limit)
        total = matching.bit_count()
    documents = view.members(matching) if tree.parts or (size and total) else []
    response: dict[str, Any] = {"took": 0, "timed_out": False}
    if limit or (body.get("track_total_hits") is True and not size and not tree.parts):
        response["terminated_early"] = early
    shards = len(names)
    response["_shards"] = {"total": shards, "successful": shards, "skipped": 0, "failed": 0}
    hits: dict[str, Any] = {}
    counted = _total(body, total)
    if counted is not None:
        hits["total"] = counted
    hits.update(present(view, documents))
    response["hits"] = hits
    if tree.parts:
        queried = frozenset(_queried(query_body))
        response["aggregations"] = tree.run(aggs.Run(view, now, queried, matching), documents)
    return response


def _aggregations(body: Mapping[str, Any], now: float) -> aggs.Aggs:
    if "aggs" in body and "aggregations" in body:
        raise wrong("aggs and aggregations", "aggregations")
    name = "aggs" if "aggs" in body else "aggregations"
    return aggs.build(body.get(name, {}), name, now)


_ABOUT_VALUES = frozenset({"range", "term", "terms", "match", "match_phrase"})


def _queried(query: Any) -> Iterator[str]:
    """The fields whose values a query asks for."""
    if isinstance(query, list):
        for one in query:
            yield from _queried(one)
    elif isinstance(query, Mapping):
        for name, inner in query.items():
            if name in _ABOUT_VALUES and isinstance(inner, Mapping):
                yield from inner
            else:
                yield from _queried(inner)


def _whole(body: Mapping[str, Any], name: str, default: int) -> int:
    value = whole(body.get(name, default), name)
    if value < 0:
        raise wrong(f"{name} is a whole number from 0 on", name)
    return value


def _total(body: Mapping[str, Any], total: int) -> dict[str, Any] | None:
    track = body.get("track_total_hits", _TRACKED)
    if track is False:
        return None
    if isinstance(track, str) and track in ("true", "false"):
        track = track == "true"
        if not track:
            return None
    if track is not True:
        track = whole(track, "track_total_hits")
    if track is True or total <= track:
        return {"value": total, "relation": "eq"}
    return {"value": track, "relation": "gte"}


def _terminate(view: View, matching: int, limit: int) -> tuple[int, bool]:
    """The first `limit` matching documents of each index."""
    kept, early = 0, False
    for segment, offset in zip(view.segments, view.offsets, strict=True):
        mine = bits.members((matching >> offset) & bits.full(segment.size))
        early = early or len(mine) >= limit
        kept |= bits.of(mine[:limit], segment.size) << offset
    return kept, early


def _hits(
    body: Mapping[str, Any], query: Any, size: int, start: int, indices: int
) -> Callable[[View, list[int]], dict[str, Any]]:
    """What writes max_score and hits."""
    show = presenter(body, "body")
    keys = sort_keys(body["sort"], "sort") if body.get("sort", []) not in ([], {}) else ()
    collapse = _collapse(body)
    if size == 0:
        return lambda view, documents: {"max_score": None, "hits": []}
    score = None
    if not keys:
        score = constant_score(query)
        if score is None:
            raise unsupported("hits in the order of relevance (give a sort, or size 0)", "query")
    if collapse and start:
        raise unsupported("from with collapse", "from")

    def run(view: View, documents: list[int]) -> dict[str, Any]:
        sorter = Sorter(view, keys)
        wanted = len(documents) if collapse else start + size
        ordered = sorter.first(documents, wanted) if keys else documents[:wanted]
        groups: dict[int, Any] = {}
        if collapse:
            ordered, groups = _collapsed(view, collapse, ordered, size)
        hits = []
        for document in ordered[start : start + size]:
            hit = show.hit(view, document, score)
            if collapse and groups[document] is not None:
                hit.setdefault("fields", {})[collapse] = [groups[document]]
            if keys:
                hit["sort"] = sorter.shown(document)
            hits.append(hit)
        return {"max_score": score if hits else None, "hits": hits}

    return run


def _collapse(body: Mapping[str, Any]) -> str:
    if "collapse" not in body:
        return ""
    spec = mapping(body["collapse"], "collapse")
    only(spec, frozenset({"field"}), "collapse")
    name = spec.get("field")
    if not isinstance(name, str):
        raise wrong("a field is missing", "collapse")
    return name


def _collapsed(
    view: View, field: str, ordered: list[int], size: int
) -> tuple[list[int], dict[int, Any]]:
    """The first document of each value; those without one are a group of their own."""
    column = view.column(field, "collapse.field")
    kind = column.kind("collapse.field")
    if kind not in ("keyword", "long", None):
        raise unsupported(f"collapse on a {kind}", "collapse.field")
    if column.multi and any(len(column.cells[d] or ()) > 1 for d in ordered):
        raise wrong(f"collapse on {field}, which has several values", "collapse.field")
    seen: set[Any] = set()
    kept: list[int] = []
    groups: dict[int, Any] = {}
    for document in ordered:
        value = column.cells[document]
        if column.multi and value is not None:
            value = value[0]
        if value not in seen:
            seen.add(value)
            kept.append(document)
            groups[document] = value
            if len(kept) == size:
                break
    return kept, groups


_CONSTANT = frozenset(
    {
        "match_all",
        "range",
        "exists",
        "terms",
        "prefix",
        "wildcard",
        "regexp",
        "ids",
        "constant_score",
    }
)


def constant_score(query: Any) -> float | None:
    """The score that every hit of a query has, or None where hits differ in relevance."""
    if not isinstance(query, Mapping) or len(query) != 1:
        return None
    name, body = next(iter(query.items()))
    if not isinstance(body, Mapping) or "boost" in body:
        return None
    if name in _CONSTANT:
        return None if any(isinstance(v, Mapping) and "boost" in v for v in body.values()) else 1.0
    if name != "bool":
        return None
    must = body.get("must", [])
    clauses = must if isinstance(must, list) else [must]
    if body.get("should"):
        return None
    total = 0.0
    for clause in clauses:
        one = constant_score(clause)
        if one is None:
            return None
        total += one
    return total
