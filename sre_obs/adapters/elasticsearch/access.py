"""Whether an empty answer is empty because the key may not look.

Elasticsearch leaves out what a key may not read whenever a search tolerates missing
indices, and ours do: a stream that is not there is a silent one, which the rule says. A
forbidden stream would then look like a silent one, and an absence rule would fire for it.
So when a search met no shard at all, or names several indices, the server is asked once
more what the key may read. A pattern means what the key may see of it, as everywhere in
Elasticsearch; a plain name means that very index.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sre_obs.evaluate.ports import Request
from sre_obs.model.errors import Blame, SourceError

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from sre_obs.adapters.elasticsearch.errors import Translator

Found = Mapping[str, Any] | SourceError


class Access:
    """What the key of one client may read, as far as it was asked. Thread-safe."""

    def __init__(self, client: Elasticsearch, errors: Translator) -> None:
        self._client = client
        self._errors = errors
        self._open = False
        self._granted: frozenset[str] = frozenset()

    def forget(self) -> None:
        """Ask anew from now on: privileges may have been taken away meanwhile."""
        self._open, self._granted = False, frozenset()

    def check(self, requests: Sequence[Request], answers: Sequence[Found]) -> list[Found]:
        """The same answers, with an error for each that leaves out what the key can't read."""
        pairs = zip(requests, answers, strict=True)
        doubtful = [self._doubtful(request, answer) for request, answer in pairs]
        names = sorted({name for found in doubtful for name in found})
        checked = list(answers)
        if not names or self._open:
            return checked
        denied = self._denied(names)
        for n, found in enumerate(doubtful):
            if isinstance(denied, SourceError):
                if found:
                    checked[n] = denied
            elif lacking := [name for name in found if name in denied]:
                checked[n] = self._errors.denied(lacking)
        return checked

    def _doubtful(self, request: Request, answer: Found) -> tuple[str, ...]:
        """The names to be asked about."""
        if isinstance(answer, SourceError):
            return ()
        shards = answer.get("_shards")
        if isinstance(shards, Mapping) and shards.get("total") == 0:
            return tuple(name for name in request.index if _local(name))
        if len(request.index) < 2:
            return ()
        plain = (name for name in request.index if _local(name) and "*" not in name)
        return tuple(name for name in plain if name not in self._granted)

    def _denied(self, names: Sequence[str]) -> frozenset[str] | SourceError:
        """Those that the key may not read; an error if it can't be said for now."""
        from sre_obs.adapters.elasticsearch.errors import failures

        try:
            answer = self._client.security.has_privileges(
                index=[{"names": list(names), "privileges": ["read"]}]
            ).body
        except failures() as error:
            lost = self._errors.raised(error)
            # Without security nobody is asked who they are, and there is no such call.
            self._open = self._open or lost.status in (400, 404, 405)
            harmless = self._open or lost.blame in (Blame.REQUEST, Blame.GARBLED)
            return frozenset() if harmless or lost.status == 403 else lost
        granted = _granted(answer, names)
        self._granted |= granted
        return frozenset(names) - granted


def _local(name: str) -> bool:
    # Remote clusters answer for themselves, exclusions and date math are no names.
    return ":" not in name and name[:1] not in ("-", "<")


def _granted(answer: Any, names: Iterable[str]) -> frozenset[str]:
    found = answer.get("index") if isinstance(answer, Mapping) else None
    if not isinstance(found, Mapping):
        return frozenset(names)
    lacking = (
        name
        for name, privileges in found.items()
        if isinstance(privileges, Mapping) and privileges.get("read") is False
    )
    return frozenset(names) - frozenset(lacking)
