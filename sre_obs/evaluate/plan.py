"""Needs -> requests -> rows: the only place that knows how a need becomes a request.

- Identical requests are sent once, whoever needs them.
- Entities come from a `composite` aggregation, paged to its end: the last of 25,000 fires
  like the first. A page has 10,000 groups (on a server with fewer it costs no more than
  one of 1,000; small pages are eight times dearer), fewer where buckets nest in it, since
  a response may hold 65,536.
- A limit is pushed to the server (`bucket_selector`): only bad groups travel. The price is
  one more, empty, page, because nothing in the answer tells a last page from a full one;
  it costs a quarter of the first on Elasticsearch 9.4 with 1,000 groups.
- Times are absolute and in milliseconds, never `now`: catching up asks what would have
  been asked. `size` is 0 except for one newest document and three samples.
- A document that lacks the only `group_by` field belongs to no entity. Of several fields,
  one may be missing (a cluster's name often is): its value is null, shown as a dash; if
  all are missing the row is dropped.

Merging comes here: needs with the same span and group keys can share one composite, each
with its filter and limit beside the others', and their rows be told apart afterwards. A
merged request that fails must then be asked again as separate ones, so that one bad rule
blinds only itself. Kinds will not notice: they declare needs and read rows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sre_obs.evaluate.needs import (
    WHOLE,
    Answer,
    Entities,
    Need,
    Newest,
    Row,
    Samples,
    Span,
    entity_of,
    key_of,
    values_of,
)
from sre_obs.evaluate.ports import Request, Source
from sre_obs.model.errors import Blame, SourceError
from sre_obs.model.rule import Comparison, Function

PAGE = 10_000
BUCKETS = 60_000
# A composite that never ends is a server's fault, not a reason to never end.
MOST_PAGES = 1_000
ANSWER_TEXT = 4_000

# An index without documents may not know the field yet.
_NEWEST_FIRST = {"@timestamp": {"order": "desc", "unmapped_type": "date"}}
_SCRIPTS: Mapping[Comparison, str] = {c: f"params.value {c.value} params.limit" for c in Comparison}


def ask(
    needs: Sequence[Need], source: Source, timer: Callable[[], float]
) -> list[Answer | SourceError]:
    """One answer or error a need, in order. Blocks; never raises because of a need."""
    asked: dict[str, _Asked] = {}
    keys: list[str] = []
    for need in needs:
        request = request_of(need)
        text = _text(request)
        keys.append(text)
        asked.setdefault(text, _Asked(need, request, text))
    waiting = list(asked.values())
    while waiting:
        began = timer()
        received = source.search([a.request for a in waiting])
        seconds = timer() - began
        for one, answer in zip(waiting, received, strict=True):
            one.take(answer, seconds)
        waiting = [a for a in waiting if a.more]
    answers = {text: one.answer() for text, one in asked.items()}
    return [answers[key] for key in keys]


@dataclass(slots=True)
class _Asked:
    """One distinct request on its way through its pages."""

    need: Need
    request: Request
    text: str
    more: bool = True
    pages: int = 0
    rows: list[Row] = field(default_factory=list)
    newest: float | None = None
    documents: tuple[Mapping[str, Any], ...] = ()
    first: Mapping[str, Any] | None = None
    seconds: float = 0.0
    error: SourceError | None = None

    def take(self, answer: Mapping[str, Any] | SourceError, seconds: float) -> None:
        self.more = False
        self.pages += 1
        if isinstance(answer, SourceError):
            self.error = answer
            self.seconds += seconds
            return
        # The server's own time where it says it: the call's is that of nine others too.
        took = answer.get("took")
        self.seconds += took / 1000 if isinstance(took, int | float) else seconds
        if self.first is None:
            self.first = answer
        try:
            self._read(answer)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            self.error = SourceError(
                f"the answer lacks what was asked for ({type(error).__name__}: {error})",
                Blame.GARBLED,
                remedy="check that the source's hosts are Elasticsearch and no proxy's pages",
            )

    def answer(self) -> Answer | SourceError:
        if self.error is not None:
            return self.error
        return Answer(
            tuple(self.rows),
            self.newest,
            self.documents,
            self.text,
            _cut(self.first or {}),
            self.seconds,
        )

    def _read(self, answer: Mapping[str, Any]) -> None:
        need = self.need
        if isinstance(need, Newest):
            hits = answer["hits"]["hits"]
            self.newest = hits[0]["sort"][0] / 1000 if hits else None
        elif isinstance(need, Samples):
            hits = answer["hits"]["hits"]
            self.documents = tuple(hit.get("_source") or {} for hit in hits[: need.size])
        elif "aggregations" not in answer and answer["_shards"]["total"] == 0:
            # Where there is no index there is nothing to aggregate, not even nothing.
            if not need.group_by:
                self.rows.append(Row(WHOLE, {}, 0, _nothing(need), 0.0 if need.slots else 1.0))
        elif not need.group_by:
            bucket = answer["aggregations"]["all"]
            self.rows.append(_row(need, bucket, ()))
        else:
            self._read_page(need, answer["aggregations"]["entities"])

    def _read_page(self, need: Entities, page: Mapping[str, Any]) -> None:
        buckets = page["buckets"]
        for bucket in buckets:
            key = bucket["key"]
            values = tuple(_as_text(key[name]) for name in need.group_by)
            if any(value is not None for value in values):
                self.rows.append(_row(need, bucket, values))
        after = page.get("after_key")
        whole = need.keep is None and len(buckets) < page_size(need)
        if after is None or whole:
            return
        if self.pages >= MOST_PAGES:
            raise ValueError(f"more than {MOST_PAGES} pages of groups")
        self.request = request_of(need, after)
        self.more = True


def request_of(need: Need, after: Mapping[str, Any] | None = None) -> Request:
    """The request for a need; `after` is the last key of the page before."""
    body: dict[str, Any]
    match need:
        case Newest():
            body = {
                "size": 1,
                "track_total_hits": False,
                "query": _query(need.span, ()),
                "sort": [_NEWEST_FIRST],
                "_source": False,
            }
        case Samples():
            filters = (*need.filters, *_of_entity(need.group_by, need.key))
            body = {
                "size": need.size,
                "track_total_hits": False,
                "query": _query(need.span, filters),
                "sort": [_NEWEST_FIRST],
                "_source": list(need.fields),
            }
        case _:
            body = {
                "size": 0,
                "track_total_hits": False,
                "query": _query(need.span, (*need.filters, *_among(need))),
                "aggs": _aggregations(need, after),
            }
    return Request(need.span.index, body)


def page_size(need: Entities) -> int:
    """Groups a page."""
    return min(PAGE, BUCKETS // (1 + (need.slots + 1 if need.slots else 0)))


def _query(span: Span, filters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    between = {
        "gte": str(_millis(span.start)),
        "lt": str(_millis(span.end)),
        "format": "epoch_millis",  # whatever format the field's mapping has
    }
    wanted = [f for f in filters if f != {"match_all": {}}]
    return {"bool": {"filter": [{"range": {"@timestamp": between}}, *wanted]}}


def _aggregations(need: Entities, after: Mapping[str, Any] | None) -> dict[str, Any]:
    inner: dict[str, Any] = {}
    path = "_count"
    if need.measure.function is not Function.COUNT:
        inner["value"], path = _measure(need)
    if need.keep is not None and need.group_by:
        inner["keep"] = {
            "bucket_selector": {
                "buckets_path": {"value": path},
                "script": {
                    "source": _SCRIPTS[need.keep.comparison],
                    "params": {"limit": need.keep.value},
                },
            }
        }
    if need.slots:
        inner["slots"] = _slots(need)
    if not need.group_by:
        return {"all": {"filter": {"match_all": {}}, **({"aggs": inner} if inner else {})}}
    composite: dict[str, Any] = {"size": page_size(need), "sources": _sources(need.group_by)}
    if after is not None:
        composite["after"] = dict(after)
    return {"entities": {"composite": composite, **({"aggs": inner} if inner else {})}}


def _sources(group_by: Sequence[str]) -> list[dict[str, Any]]:
    missing = {"missing_bucket": True} if len(group_by) > 1 else {}
    return [{name: {"terms": {"field": name, **missing}}} for name in group_by]


def _measure(need: Entities) -> tuple[dict[str, Any], str]:
    measure = need.measure
    if measure.function is Function.PERCENTILE:
        percent = float(measure.percent)
        asked = {"field": measure.field, "percents": [percent], "keyed": False}
        return {"percentiles": asked}, f"value[{percent}]"
    return {measure.function.value: {"field": measure.field}}, "value"


def _slots(need: Entities) -> dict[str, Any]:
    start, width = _millis(need.span.start), slot_width(need)
    return {
        "date_histogram": {
            "field": "@timestamp",
            "fixed_interval": f"{width}ms",
            "offset": f"{start % width}ms",
            "min_doc_count": 1,
        }
    }


def slot_width(need: Entities) -> int:
    """Milliseconds."""
    length = _millis(need.span.end) - _millis(need.span.start)
    return max(1, math.ceil(length / need.slots))


def _among(need: Entities) -> list[dict[str, Any]]:
    if need.among is None or not need.group_by:
        return []
    if len(need.group_by) == 1:
        return [{"terms": {need.group_by[0]: [values_of(key)[0] for key in need.among]}}]
    each = [{"bool": {"filter": _of_entity(need.group_by, key)}} for key in need.among]
    return [{"bool": {"should": each, "minimum_should_match": 1}}]


def _of_entity(group_by: Sequence[str], key: str) -> list[dict[str, Any]]:
    clauses: list[dict[str, Any]] = []
    for name, value in zip(group_by, values_of(key), strict=True):
        if value is None:
            clauses.append({"bool": {"must_not": [{"exists": {"field": name}}]}})
        else:
            clauses.append({"term": {name: {"value": value}}})
    return clauses


def _row(need: Entities, bucket: Mapping[str, Any], values: tuple[str | None, ...]) -> Row:
    count = int(bucket["doc_count"])
    covered = 1.0
    if need.slots:
        covered = min(1.0, len(bucket["slots"]["buckets"]) / need.slots)
    return Row(
        key_of(values) if values else WHOLE,
        entity_of(need.group_by, values),
        count,
        _value(need, bucket, count),
        covered,
    )


def _nothing(need: Entities) -> float | None:
    return 0.0 if need.measure.function is Function.COUNT else None


def _value(need: Entities, bucket: Mapping[str, Any], count: int) -> float | None:
    if need.measure.function is Function.COUNT:
        return float(count)
    found = bucket["value"]
    value = found["values"][0]["value"] if "values" in found else found["value"]
    # A sum and a cardinality of nothing are 0 to Elasticsearch; to a rule there is nothing.
    if value is None or count == 0:
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _millis(seconds: float) -> int:
    return round(seconds * 1000)


def _text(request: Request) -> str:
    shown = {"index": list(request.index), **request.body}
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def _cut(answer: Mapping[str, Any]) -> str:
    aggregations = answer.get("aggregations")
    if isinstance(aggregations, Mapping) and "entities" in aggregations:
        # Printing 10,000 buckets to keep 4,000 characters would cost more than the search.
        page = aggregations["entities"]
        few = {**page, "buckets": page["buckets"][:20]}
        answer = {**answer, "aggregations": {"entities": few}}
    text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"), default=str)
    return text if len(text) <= ANSWER_TEXT else text[: ANSWER_TEXT - 1] + "…"
