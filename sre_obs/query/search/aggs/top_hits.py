"""top_hits: a few documents of each bucket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sre_obs.query.search.aggs.buckets import no_number
from sre_obs.query.search.aggs.types import Agg, Documents, Result, Run
from sre_obs.query.search.hits import Presenter, Sorter, SortKey, presenter, sort_keys
from sre_obs.query.search.refuse import only, unsupported, whole

MAX_SIZE = 3
_KNOWN = frozenset({"size", "sort", "_source", "docvalue_fields"})


@dataclass(frozen=True, slots=True)
class _TopHits:
    size: int
    sort: tuple[SortKey, ...]
    presenter: Presenter

    def run(self, run: Run, documents: Documents) -> Result:
        sorter = Sorter(run.view, self.sort)
        hits = []
        for document in sorter.first(documents, self.size):
            hit = self.presenter.hit(run.view, document, None)
            hit["sort"] = sorter.shown(document)
            hits.append(hit)
        total = {"value": len(documents), "relation": "eq"}
        return {"hits": {"total": total, "max_score": None, "hits": hits}}

    def number(self, result: Result, path: list[str], where: str) -> tuple[float, bool]:
        return no_number(result, path, where)


def build(body: Any, where: str) -> Agg:
    """Read a top_hits aggregation."""
    only(body, _KNOWN, where)
    size = whole(body.get("size", 3), f"{where}.size")
    if size > MAX_SIZE:
        raise unsupported(f"top_hits of more than {MAX_SIZE}", f"{where}.size")
    if "sort" not in body:
        raise unsupported("top_hits without a sort (relevance is not computed)", where)
    return _TopHits(size, sort_keys(body["sort"], f"{where}.sort"), presenter(body, where))
