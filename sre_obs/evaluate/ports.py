"""What the stage needs from outside: searches answered, annotations rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sre_obs.model.errors import SourceError, TemplateError
from sre_obs.model.fields import FieldTypes


@dataclass(frozen=True, slots=True)
class Request:
    """One search: the `index` names or patterns, and the body of `_search`.

    The same body is executed by Elasticsearch and by the in-process search.
    """

    index: tuple[str, ...]
    body: Mapping[str, Any]


class Source(Protocol):
    """Where searches are answered: one Elasticsearch cluster, or documents in memory."""

    name: str

    def search(self, requests: Sequence[Request]) -> list[Mapping[str, Any] | SourceError]:
        """One answer (the JSON of `_search`, complete: no failed shards) or error a request,
        in order. Blocks. Never raises because of a request or its answer. An index that
        is not there answers as an empty one.
        """
        ...

    def describe(self) -> str:
        """What is there, in a few words for the start line; a `Wrong` if it can't be
        reached. Blocks, never raises."""
        ...

    def field_types(self, indices: Sequence[str]) -> FieldTypes:
        """The fields of these indices; none if there is no such index. Raises SourceError."""
        ...


class Renderer(Protocol):
    """Renders the annotation templates of rules, bounded in time, memory and output."""

    def render(self, jobs: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str | TemplateError]:
        """One text or error for each (template, variables), in order. Blocks."""
        ...
