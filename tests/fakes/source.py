"""A Source over documents in memory: the in-process search, with failures on demand."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sre_obs.evaluate.ports import Request
from sre_obs.model.errors import Blame, SourceError, SreObsError
from sre_obs.model.fields import FieldTypes
from sre_obs.query.search import Corpus, search

Failing = Callable[[Request], SourceError | None]


class FakeSource:
    """Keeps every request that it was asked. `failing` may answer one with an error."""

    def __init__(self, *, types: FieldTypes | None = None, name: str = "default") -> None:
        self.name = name
        self.asked: list[Request] = []
        self.calls: list[int] = []  # requests a call
        self.failing: Failing = lambda _: None
        self._corpus = Corpus(types=types)

    def add(self, index: str, *documents: Mapping[str, Any]) -> None:
        """Documents; `@timestamp` as seconds becomes a date."""
        self._corpus.add(index, *(_dated(document) for document in documents))

    def search(self, requests: Sequence[Request]) -> list[Mapping[str, Any] | SourceError]:
        self.calls.append(len(requests))
        self.asked.extend(requests)
        return [self._one(request) for request in requests]

    def describe(self) -> str:
        return "documents in memory"

    def field_types(self, indices: Sequence[str]) -> FieldTypes:
        found: dict[str, str] = {}
        for name in self._corpus.resolve(indices, ignore_unavailable=True):
            found.update({f.name: f.type for f in self._corpus.segment(name).fields()})
        return found

    def bytes_of(self, request: Request) -> int:
        """How long the answer to a request is."""
        return len(json.dumps(self._one(request)))

    def _one(self, request: Request) -> Mapping[str, Any] | SourceError:
        error = self.failing(request)
        if error is not None:
            return error
        try:
            return search(self._corpus, request.index, request.body, 0.0, ignore_unavailable=True)
        except SourceError as problem:
            return problem
        except SreObsError as problem:
            return SourceError(problem.message, Blame.REQUEST)


def _dated(document: Mapping[str, Any]) -> Mapping[str, Any]:
    at = document.get("@timestamp")
    return {**document, "@timestamp": round(at * 1000)} if isinstance(at, float | int) else document
