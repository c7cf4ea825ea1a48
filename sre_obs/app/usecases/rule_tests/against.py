"""The same cases on a real server: where it and the in-process search do not agree."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sre_obs.app.usecases.rule_tests.compare import Difference, Telling
from sre_obs.app.usecases.rule_tests.play import Episode, Played
from sre_obs.app.usecases.rule_tests.source import Stage
from sre_obs.content.tests.suite import Case
from sre_obs.evaluate.ports import Request, Source
from sre_obs.model.errors import SourceError
from sre_obs.model.fields import FieldTypes
from sre_obs.model.rule import Rule

PREFIX = "sre-obs-test-"


class ScratchIndices(Protocol):
    """Indices on the server, under a prefix of their own."""

    def create(self, index: str, types: FieldTypes) -> None:
        """Make an index."""
        ...

    def fill(self, index: str, documents: Sequence[Mapping[str, Any]]) -> None:
        """Write documents, and let searches see them."""
        ...

    def drop(self) -> None:
        """Delete what was made."""
        ...

    def here(self, request: Request) -> Request:
        """The same request to these indices alone."""
        ...


class ServerSource:
    """A source that is asked only about the indices of one case."""

    def __init__(self, server: Source, scratch: ScratchIndices) -> None:
        self.name = server.name
        self.now = 0.0
        self._server = server
        self._scratch = scratch

    def search(self, requests: Sequence[Request]) -> list[Mapping[str, Any] | SourceError]:
        """What the server answers. Rules ask for nothing after the evaluation."""
        return self._server.search([self._scratch.here(request) for request in requests])

    def field_types(self, indices: Sequence[str]) -> FieldTypes:
        """The fields of these indices."""
        return self._server.field_types(self._scratch.here(Request(tuple(indices), {})).index)

    def describe(self) -> str:
        """Which server it is."""
        return self._server.describe()


def new_prefix() -> str:
    """A prefix that no other run has."""
    return f"{PREFIX}{secrets.token_hex(4)}-"


def put(scratch: ScratchIndices, stage: Stage) -> None:
    """A case's documents onto the server. Raises SourceError."""
    for index, found in stage.documents.items():
        scratch.create(index, stage.types[index])
        scratch.fill(index, found)


def disagreements(
    rule: Rule, case: Case, ours: Played, theirs: Played, start: float
) -> list[Difference]:
    """Each alert that came differently, and the first run after which the rule stood so."""
    telling = Telling(rule, start)
    found: list[Difference] = []
    left = list(theirs.episodes)
    alone: list[Episode] = []
    for one in ours.episodes:
        same = next((other for other in left if _key(other) == _key(one)), None)
        if same is None:
            alone.append(one)
            continue
        left.remove(same)
        if _facts(one) != _facts(same):
            here, there = telling.episode(one), telling.episode(same)
            if here == there:
                here, there = repr(_facts(one)), repr(_facts(same))
            found.append(Difference(case.location, here, there))
    found += [Difference(case.location, telling.episode(one), "nothing") for one in alone]
    found += [Difference(case.location, "nothing", telling.episode(one)) for one in left]
    for (at, outcome), (_, other) in zip(ours.stands, theirs.stands, strict=False):
        if outcome != other:
            words = f"{other}{': ' if theirs.error else ''}{theirs.error}"
            time = telling.at(at)
            found.append(Difference(case.location, f"{outcome} at {time}", f"{words} at {time}"))
            break
    return found


def _key(episode: Episode) -> tuple[Any, ...]:
    return (tuple(episode.entity.items()), episode.fires)


def _facts(episode: Episode) -> tuple[Any, ...]:
    value = None if episode.value is None else float(f"{episode.value:.9g}")
    return (
        episode.starts,
        episode.severity,
        episode.resolves,
        episode.ended,
        value,
        tuple((change.at, change.severity) for change in episode.levels),
        tuple(sorted(episode.text.items())),
    )
