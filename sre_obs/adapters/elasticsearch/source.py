"""The port `Source` on Elasticsearch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sre_obs.adapters.elasticsearch.access import Access
from sre_obs.adapters.elasticsearch.connect import connect
from sre_obs.adapters.elasticsearch.errors import Translator, failures, slow
from sre_obs.adapters.elasticsearch.options import ElasticsearchOptions
from sre_obs.evaluate.ports import Request
from sre_obs.model.errors import Blame, SourceError
from sre_obs.model.fields import FieldTypes
from sre_obs.model.problem import Wrong

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

# Ten searches a call have all that there is to gain; 500 are slower than 100.
BATCH = 10

# An index that is not there is an empty one: its stream is silent, which the rule says.
# A moving window makes the request cache a cost. Half an answer is none.
_SEARCH = {
    "request_cache": False,
    "ignore_unavailable": True,
    "allow_no_indices": True,
    "expand_wildcards": "open",
    "allow_partial_search_results": False,
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """Which cluster answers. `licence` is empty where it is not to be had."""

    version: str
    name: str
    uuid: str
    licence: str = ""


class ElasticsearchSource:
    """One cluster. Thread-safe, as the client is. Raises UsageError when set up wrongly."""

    def __init__(self, name: str, options: ElasticsearchOptions) -> None:
        self.name = name
        self._options = options
        self._client: Elasticsearch = connect(name, options)
        self._errors = Translator(name, options.shown, options.hidden)
        self._access = Access(self._client, self._errors)

    def search(self, requests: Sequence[Request]) -> list[Mapping[str, Any] | SourceError]:
        """One answer or error a request, in order."""
        return self._access.check(requests, self._search(requests))

    def field_types(self, indices: Sequence[str]) -> FieldTypes:
        """The fields of these indices. Raises SourceError."""
        self._access.forget()
        try:
            caps = self._client.field_caps(
                index=list(indices),
                fields="*",
                ignore_unavailable=True,
                allow_no_indices=True,
                expand_wildcards="open",
            )
            fields: Mapping[str, Mapping[str, Any]] = caps["fields"]
            return {name: _type(found) for name, found in fields.items() if name[:1] != "_"}
        except (KeyError, TypeError, AttributeError):
            raise self._errors.garbled("field_caps without fields") from None
        except failures() as error:
            raise self._errors.raised(error) from None

    def info(self) -> Cluster:
        """Which cluster this is. Raises SourceError."""
        try:
            answer = self._client.info()
            version, name = str(answer["version"]["number"]), str(answer["cluster_name"])
            uuid = str(answer["cluster_uuid"])
        except (KeyError, TypeError, AttributeError):
            raise self._errors.garbled("no version") from None
        except failures() as error:
            raise self._errors.raised(error) from None
        return Cluster(version, name, uuid, self._licence())

    def describe(self) -> str:
        """One line for the start: what answers, or why nothing does. Never raises."""
        try:
            found = self.info()
        except SourceError as error:
            return Wrong(f"{self._options.shown}: {error.message}; {error.remedy}")
        licence = f", {found.licence} licence" if found.licence else ""
        return (
            f"{self._options.shown}: Elasticsearch {found.version}{licence}, "
            f"cluster {found.name} ({found.uuid})"
        )

    def index_document(
        self, index: str, document: Mapping[str, Any], *, refresh: bool = False
    ) -> str:
        """Write one document and return its id. Raises SourceError."""
        try:
            answer = self._client.index(
                index=index, document=document, op_type="create", refresh=refresh
            )
            return str(answer["_id"])
        except failures() as error:
            raise self._errors.raised(error, writes=index) from None

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _search(self, requests: Sequence[Request]) -> list[Mapping[str, Any] | SourceError]:
        answers: list[Mapping[str, Any] | SourceError] = []
        lost: SourceError | None = None
        for start in range(0, len(requests), BATCH):
            batch = requests[start : start + BATCH]
            if lost is not None:
                answers.extend(lost for _ in batch)
                continue
            found = self._batch(batch)
            answers.extend(found)
            # Nobody is there: hundreds of timeouts in a row would say it no better.
            if all(isinstance(a, SourceError) and a.blame is Blame.UNREACHABLE for a in found):
                lost = next(a for a in found if isinstance(a, SourceError))
        return answers

    def _batch(self, requests: Sequence[Request]) -> list[Mapping[str, Any] | SourceError]:
        try:
            return self._call(requests)
        except failures() as error:
            lost = self._errors.raised(error)
            if len(requests) == 1:
                return [lost]
            if slow(error):
                return self._each(requests, lost)
            if lost.blame is Blame.REQUEST:
                return [self._alone(request)[0] for request in requests]
            return [lost for _ in requests]

    def _each(
        self, requests: Sequence[Request], lost: SourceError
    ) -> list[Mapping[str, Any] | SourceError]:
        """One of them was too slow, or the server is: two in a row prove the latter."""
        answers: list[Mapping[str, Any] | SourceError] = []
        timeouts = 0
        for request in requests:
            if timeouts >= 2:
                answers.append(lost)
                continue
            answer, late = self._alone(request)
            answers.append(answer)
            timeouts = timeouts + 1 if late else 0
        return answers

    def _alone(self, request: Request) -> tuple[Mapping[str, Any] | SourceError, bool]:
        try:
            return self._call([request])[0], False
        except failures() as error:
            return self._errors.raised(error), slow(error)

    def _call(self, requests: Sequence[Request]) -> list[Mapping[str, Any] | SourceError]:
        import orjson

        searches: list[Any] = []
        for request in requests:
            # As text already: the client's own NDJSON goes through the slower library.
            header = {"index": list(request.index), **_SEARCH}
            searches += [orjson.dumps(header).decode(), orjson.dumps(request.body).decode()]
        answer = self._client.msearch(searches=searches)
        body = answer.body if isinstance(answer.body, dict) else {}
        responses = body.get("responses")
        if not isinstance(responses, list) or len(responses) != len(requests):
            garbled = self._errors.garbled("an answer a search is missing", 200)
            return [garbled for _ in requests]
        return [self._one(response) for response in responses]

    def _one(self, response: Any) -> Mapping[str, Any] | SourceError:
        if not isinstance(response, Mapping):
            return self._errors.garbled("the answer is not that of a search", 200)
        status = response.get("status")
        if "error" in response or (isinstance(status, int) and status >= 400):
            return self._errors.answered(status if isinstance(status, int) else 500, response)
        return self._errors.incomplete(response) or response

    def _licence(self) -> str:
        try:
            found = self._client.license.get().body.get("license")
        except failures():
            # Builds without it answer 400, keys without the privilege 403: no news either way.
            return ""
        return str(found.get("type", "")) if isinstance(found, dict) else ""


def _type(found: Mapping[str, Any]) -> str:
    """One type for a field; where indices differ, keyword is what most queries mean."""
    types = sorted(name for name in found if name != "unmapped")
    if "keyword" in types:
        return "keyword"
    return types[0] if types else "unmapped"
