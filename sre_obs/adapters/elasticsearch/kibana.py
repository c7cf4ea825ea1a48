"""Reads Kibana's alert documents page by page, through the alias alone.

No point in time: on a secured server its searches are held against the names of the
indices behind the alias (Elasticsearch 9.4: 403), which the least role does not grant. The
pages go by `kibana.alert.uuid`, which no document changes; what is written meanwhile is in
the next look's overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
            return [hit for query in queries for hit in self._pages(query)]
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

    def _pages(self, query: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        after: list[Any] | None = None
        for _ in range(MOST_PAGES):
            answer = self._client.search(
                index=ALIAS,
                ignore_unavailable=True,
                expand_wildcards=["open", "hidden"],
                query=dict(query),
                size=PAGE,
                sort=[{"kibana.alert.uuid": {"order": "asc", "unmapped_type": "keyword"}}],
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
            if not isinstance(hits, list) or len(hits) > PAGE:
                raise self._errors.garbled("not the page of hits that was asked for")
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
