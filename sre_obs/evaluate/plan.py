"""Needs -> requests -> rows: what is asked once, page by page, and read.

- Identical requests are sent once, whoever needs them, and needs that look at the same
  documents are one request (`merge`). If that fails each is asked alone, so that one bad
  rule blinds only itself. Kinds don't notice: they declare needs and read rows.
- Entities are paged to their end: the last of 25,000 fires like the first. Where only bad
  groups travel there is one more, empty, page, because nothing in the answer tells a last
  page from a full one; it costs a quarter of the first on Elasticsearch 9.4 with 1,000
  groups.
- A document that lacks the only `group_by` field belongs to no entity. Of several fields,
  one may be missing (a cluster's name often is): its value is null, shown as a dash; if
  all are missing the row is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson

from sre_obs.evaluate.merge import merged
from sre_obs.evaluate.needs import Answer, Entities, Need, Newest, Row, Samples, Span
from sre_obs.evaluate.ports import Request, Source
from sre_obs.evaluate.request import Layout, page_size, request_of
from sre_obs.evaluate.rows import nothing, row_of
from sre_obs.model.errors import Blame, SourceError

# A composite that never ends is a server's fault, not a reason to never end.
MOST_PAGES = 1_000
ANSWER_TEXT = 4_000
# What one of several needs may be to blame for: where nobody answers nobody is asked again.
_OTHERS = (Blame.REQUEST, Blame.BUSY, Blame.GARBLED)


def ask(
    needs: Sequence[Need], source: Source, timer: Callable[[], float]
) -> list[Answer | SourceError]:
    """One answer or error a need, in order. Blocks; never raises because of a need."""
    alone: dict[str, _Asked] = {}
    keys: list[str] = []
    lives: dict[Span, str] = {}
    for need in needs:
        if isinstance(need, Newest) and need.span in lives:
            # Every rule asks whether its stream lives: not worth a text each.
            keys.append(lives[need.span])
            continue
        request = request_of(need)
        # Two needs of one request may read different figures of its answer.
        text = _text(request)
        key = f"{text} {_read(need)}"
        keys.append(key)
        if isinstance(need, Newest):
            lives[need.span] = key
        if key not in alone:
            alone[key] = _Asked(need, request, text)
    by_need = {id(one.need): one for one in alone.values()}
    together = merged({k: a.need for k, a in alone.items() if isinstance(a.need, Entities)})
    inside = {id(need) for one in together for need, _ in one.members}
    shared = [_Asked(one.need, request_of(one.need), "") for one in together]
    _to_the_end([*(a for a in alone.values() if id(a.need) not in inside), *shared], source, timer)
    again: list[_Asked] = []
    for one, asked in zip(together, shared, strict=True):
        members = [by_need[id(need)] for need, _ in one.members]
        if asked.error is not None:
            if asked.error.blame in _OTHERS:
                # One bad rule must blind only itself.
                again += members
                continue
            for member in members:
                member.error, member.more = asked.error, False
            continue
        for number, member in enumerate(members):
            member.rows = one.rows_of(number, asked.rows)
            member.said, member.more = asked.said, False
            member.seconds = asked.seconds / len(members)
    _to_the_end(again, source, timer)
    answers = {key: one.answer() for key, one in alone.items()}
    return [answers[key] for key in keys]


def _to_the_end(asked: Sequence[_Asked], source: Source, timer: Callable[[], float]) -> None:
    waiting = list(asked)
    while waiting:
        began = timer()
        received = source.search([a.request for a in waiting])
        seconds = timer() - began
        for one, answer in zip(waiting, received, strict=True):
            one.take(answer, seconds)
        waiting = [a for a in waiting if a.more]


def _read(need: Need) -> str:
    """What of an answer is read, where the request does not tell."""
    return " ".join(one.of.value for one in need.figures) if isinstance(need, Entities) else ""


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
    said: Callable[[], str] | None = None
    seconds: float = 0.0
    error: SourceError | None = None
    layout: Layout | None = None

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
        try:
            self._read(answer)
            if self.said is None:
                self.said = _cut(answer)
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
            self.said or str,
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
                self.rows.append(nothing(need))
        elif not need.group_by:
            row = row_of(need, self._layout(need), answer["aggregations"]["all"])
            self.rows += [row] if row is not None else []
        else:
            self._read_page(need, answer["aggregations"]["entities"])

    def _read_page(self, need: Entities, page: Mapping[str, Any]) -> None:
        buckets = page["buckets"]
        layout = self._layout(need)
        for bucket in buckets:
            row = row_of(need, layout, bucket)
            if row is not None:
                self.rows.append(row)
        after = page.get("after_key")
        whole = need.keep is None and len(buckets) < page_size(need)
        if after is None or whole:
            return
        if self.pages >= MOST_PAGES:
            raise ValueError(f"more than {MOST_PAGES} pages of groups")
        self.request = request_of(need, after)
        self.more = True

    def _layout(self, need: Entities) -> Layout:
        if self.layout is None:
            self.layout = Layout(need)
        return self.layout


def _text(request: Request) -> str:
    shown = {"index": list(request.index), **request.body}
    try:
        # A text for each need of each round: with `json` a sixth of what planning costs.
        return orjson.dumps(shown).decode()
    except TypeError:
        # It can't be sent either, which the source says.
        return json.dumps(shown, separators=(",", ":"))


def _cut(answer: Mapping[str, Any]) -> Callable[[], str]:
    """What makes an answer's text, once, and holds no more than that needs: it may be read for
    each rule of a merged request, or for none."""
    aggregations = answer.get("aggregations")
    if isinstance(aggregations, Mapping) and "entities" in aggregations:
        # Printing 10,000 buckets to keep 4,000 characters would cost more than the search.
        page = aggregations["entities"]
        few = {**page, "buckets": page["buckets"][:20]}
        answer = {**answer, "aggregations": {"entities": few}}

    @cache
    def text() -> str:
        whole = json.dumps(answer, ensure_ascii=False, separators=(",", ":"), default=str)
        return whole if len(whole) <= ANSWER_TEXT else whole[: ANSWER_TEXT - 1] + "…"

    return text
