"""The documents of one case as a source of `evaluate`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from sre_obs.evaluate.ports import Request
from sre_obs.model.errors import Blame, SourceError, SreObsError
from sre_obs.model.fields import FieldTypes
from sre_obs.query.search import Corpus, search

Document: TypeAlias = Mapping[str, Any]
# The types of an index's fields, by its name; what is not in them is found in the documents.
Types: TypeAlias = Callable[[str], FieldTypes]

_TIME: FieldTypes = {"@timestamp": "date"}


def corpus_of(documents: Mapping[str, Sequence[Document]], types: Types) -> Corpus:
    """All documents, searchable, with the fields that the telemetry contract gives them."""
    corpus = Corpus()
    for index, found in documents.items():
        corpus.create(index, {**types(index), **_TIME})
        corpus.add(index, *found)
    return corpus


class CaseSource:
    """Answers from a corpus what Elasticsearch would answer at `now`: documents of later
    are not there yet. They arrive at the very time that they name."""

    def __init__(self, corpus: Corpus, name: str = "default") -> None:
        self.name = name
        self.now = 0.0
        self._corpus = corpus

    def search(self, requests: Sequence[Request]) -> list[Mapping[str, Any] | SourceError]:
        """One answer or error a request."""
        return [self._one(request) for request in requests]

    def field_types(self, indices: Sequence[str]) -> FieldTypes:
        """The fields of these indices."""
        found: dict[str, str] = {}
        for name in self._corpus.resolve(indices, ignore_unavailable=True):
            for field in self._corpus.segment(name).fields():
                found.setdefault(field.name, field.type)
        return found

    def describe(self) -> str:
        """What is there."""
        return f"{len(self._corpus)} documents of a test"

    def _one(self, request: Request) -> Mapping[str, Any] | SourceError:
        body = request.body
        if not _past(body, self.now):
            known = {"range": {"@timestamp": {"lte": int(self.now * 1000 // 1)}}}
            query = body.get("query", {"match_all": {}})
            body = {**body, "query": {"bool": {"filter": [known, query]}}}
        try:
            return search(self._corpus, request.index, body, self.now, ignore_unavailable=True)
        except SourceError as error:
            return error
        except SreObsError as error:
            return SourceError(error.message, Blame.REQUEST, where=error.where, remedy=error.remedy)


def _past(body: Mapping[str, Any], now: float) -> bool:
    """Whether a request asks for nothing after `now` by itself, as those of rules do."""
    try:
        between = body["query"]["bool"]["filter"][0]["range"]["@timestamp"]
        return bool(between["format"] == "epoch_millis" and int(between["lt"]) <= now * 1000)
    except (KeyError, IndexError, TypeError, ValueError):
        return False
