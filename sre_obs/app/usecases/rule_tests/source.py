"""The documents of one case as a source of `evaluate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sre_obs.app.usecases.rule_tests.types import Types
from sre_obs.content.tests.documents import documents_of, fields_of
from sre_obs.content.tests.suite import Case
from sre_obs.evaluate import fields as reading
from sre_obs.evaluate.ports import Request
from sre_obs.model.errors import Blame, SourceError, SreObsError
from sre_obs.model.fields import FieldTypes
from sre_obs.model.rule import Rule
from sre_obs.query.search import Corpus, search

Document: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """What a case plays on: documents by index, and the types of their fields.

    Of the contract's fields only those that the documents have, or the rule reads: an index
    of three hundred fields takes longer to make than three of them to search.
    """

    documents: Mapping[str, Sequence[Document]]
    types: Mapping[str, FieldTypes]

    @classmethod
    def of(cls, rule: Rule, case: Case, types: Types, start: float) -> Stage:
        """Raises ContentError for a recording that can't be read."""
        documents = documents_of(case.documents, start)
        names = fields_of(case.documents, start)
        for read in reading.fields_of(rule).values():
            names.update(read)
        return cls(documents, {index: _known(types(index), names) for index in documents})

    def source(self, name: str) -> CaseSource:
        """The documents, searchable in process."""
        corpus = Corpus()
        for index, found in self.documents.items():
            corpus.create(index, self.types[index])
            corpus.add(index, *found)
        return CaseSource(corpus, name)


def _known(types: FieldTypes, names: set[str]) -> FieldTypes:
    # What is above or below a name counts too: a nested path, a sub-field of a text.
    wanted = {part for name in names for part in _above(name)}
    found = {name: types[name] for name in wanted if name in types}
    found |= {f"{n}.keyword": types[f"{n}.keyword"] for n in names if f"{n}.keyword" in types}
    if any("*" in name for name in names):
        found = dict(types)
    return {**found, "@timestamp": "date"}


def _above(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


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

    def unread(self, indices: Sequence[str]) -> list[str]:
        """The indices that have documents and that these patterns do not name."""
        read = self._corpus.resolve(indices, ignore_unavailable=True)
        return [name for name in self._corpus.indices if name not in read]

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
