"""Aggregations -> what Elasticsearch prints for them.

`build` reads the `aggs` of a request once. Metrics, buckets, date_histogram, composite,
top_hits and the two pipelines each have a module; `script` is the arithmetic of pipelines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sre_obs.query.search.aggs import buckets, composite, histogram, metrics, pipeline, top_hits
from sre_obs.query.search.aggs.types import Agg, Aggs, Run
from sre_obs.query.search.refuse import mapping, unsupported, wrong

__all__ = ["Aggs", "Run", "build"]

_BUCKETS: dict[str, Callable[[Any, str, float, Aggs], Agg]] = {
    **buckets.BUILDERS,
    "date_histogram": histogram.build,
    "composite": composite.build,
}
_MAX_DEPTH = 10


def build(body: Any, where: str, now: float, *, depth: int = 0) -> Aggs:
    """Read aggregations by name. Raises UnsupportedError and SourceError."""
    if depth > _MAX_DEPTH:
        raise unsupported(f"aggregations nested deeper than {_MAX_DEPTH}", where)
    found = Aggs()
    pipelines: list[tuple[str, str, Any, str]] = []
    for name, spec in mapping(body, where).items():
        at = f"{where}.{name}"
        if any(char in name for char in "[]>"):
            raise wrong(f"[{name}] is no name for an aggregation", at)
        kind, inner, subs = _parts(spec, at)
        here = f"{at}.{kind}"
        if kind in pipeline.NAMES:
            if depth == 0:
                raise wrong(f"{kind} needs buckets around it", here)
            if subs is not None:
                raise wrong(f"{kind} takes no aggregations", here)
            pipelines.append((name, kind, mapping(inner, here), here))
            continue
        leaf = metrics.build(kind, mapping(inner, here), here)
        if leaf is None and kind == "top_hits":
            leaf = top_hits.build(inner, here)
        if leaf is not None:
            if subs is not None:
                raise wrong(f"{kind} takes no aggregations", here)
            found.parts[name] = leaf
            continue
        if kind not in _BUCKETS:
            raise unsupported(f"aggregation '{kind}'", here)
        if kind == "composite" and depth > 0:
            raise wrong("composite stands at the top alone", here)
        sub = build(subs if subs is not None else {}, f"{at}.aggs", now, depth=depth + 1)
        found.parts[name] = _BUCKETS[kind](inner, here, now, sub)
    pipeline.add(found, pipelines)
    return found


def _parts(spec: Any, where: str) -> tuple[str, Any, Any]:
    """The kind of an aggregation, its body, and its sub-aggregations or None."""
    body = dict(mapping(spec, where))
    subs = body.pop("aggs", None)
    if subs is None:
        subs = body.pop("aggregations", None)

    if "meta" in body:
        raise unsupported("meta", f"{where}.meta")
    if len(body) != 1:
        raise wrong("an aggregation has exactly one kind", where)
    kind, inner = next(iter(body.items()))
    return kind, inner, subs
