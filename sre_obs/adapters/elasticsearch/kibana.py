"""Reads Kibana's alert documents: one consistent view, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sre_obs.adapters.elasticsearch.connect import connect
from sre_obs.adapters.elasticsearch.errors import Translator, failures
from sre_obs.adapters.elasticsearch.options import ElasticsearchOptions
from sre_obs.evaluate.kibana.ask import ALIAS
from sre_obs.evaluate.kibana.document import FIELDS, LEFT_OUT
from sre_obs.model.errors import SourceError
from sre_obs.model.problem import Wrong

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

PAGE = 500
KEEP = "1m"
# A rule keeps 1,000 alerts; a hundred rules at their limit are still read whole.
MOST_PAGES = 400


class KibanaAlerts:
    """The `.alerts-*` of one cluster. Raises UsageError when set up wrongly."""

    def __init__(self, name: str, options: ElasticsearchOptions) -> None:
        self.name = name
        self._options = options
        self._client: Elasticsearch = connect(name, options)
        self._errors = Translator(name, options.shown, options.hidden)

    def fetch(self, queries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The hits of all queries, with `_source`. Blocks. Raises SourceError.

        Where there is no alert index yet, there are no hits: Kibana makes them lazily. A key
        that may not read them is an error, not an empty answer.
        """
        try:
            self._check_access()
            answer = self._client.open_point_in_time(
                index=ALIAS,
                keep_alive=KEEP,
                ignore_unavailable=True,
                expand_wildcards=["open", "hidden"],
            )
            view = str(answer["id"])
            try:
                return [hit for query in queries for hit in self._pages(view, query)]
            finally:
                with suppress(*failures()):
                    self._client.close_point_in_time(id=view)
        except (KeyError, TypeError, AttributeError):
            raise self._errors.garbled("a search without hits") from None
        except failures() as error:
            raise self._errors.raised(error) from None

    def describe(self) -> str:
        """One line for the start: how many alerts are active, or why it can't be said."""
        try:
            self._check_access()
            count = self._client.count(
                index=ALIAS,
                query={"term": {"kibana.alert.status": "active"}},
                ignore_unavailable=True,
                expand_wildcards=["open", "hidden"],
            )["count"]
        except SourceError as error:
            return Wrong(f"{self._options.shown}: {error.message}; {error.remedy}")
        except (KeyError, TypeError, AttributeError):
            return Wrong(f"{self._options.shown}: the answer is not that of Elasticsearch")
        except failures() as error:
            raised = self._errors.raised(error)
            return Wrong(f"{self._options.shown}: {raised.message}; {raised.remedy}")
        return f"{self._options.shown}: alerts of Kibana, {count} active"

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _pages(self, view: str, query: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        after: list[Any] | None = None
        for _ in range(MOST_PAGES):
            answer = self._client.search(
                pit={"id": view, "keep_alive": KEEP},
                query=dict(query),
                size=PAGE,
                sort=[{"_shard_doc": {"order": "asc"}}],
                search_after=after,
                source={"includes": list(FIELDS), "excludes": list(LEFT_OUT)},
                track_total_hits=False,
                allow_partial_search_results=False,
            )
            body: Mapping[str, Any] = answer.body
            partial = self._errors.incomplete(body)
            if partial is not None:
                raise partial
            hits = body["hits"]["hits"]
            yield from hits
            if len(hits) < PAGE:
                return
            after = hits[-1]["sort"]
        raise self._errors.garbled(f"more than {MOST_PAGES * PAGE} alerts")

    def _check_access(self) -> None:
        """A wildcard that a key may not read answers as an empty one. Raises SourceError."""
        try:
            answer = self._client.security.has_privileges(
                index=[
                    {"names": [ALIAS], "privileges": ["read"], "allow_restricted_indices": False}
                ]
            ).body
        except failures() as error:
            lost = self._errors.raised(error)
            if lost.status in (400, 404, 405):
                return  # without security nobody is asked who they are
            raise lost from None
        granted = answer.get("index", {}).get(ALIAS, {}) if isinstance(answer, dict) else {}
        if isinstance(granted, Mapping) and granted.get("read") is False:
            raise self._errors.denied([ALIAS])
