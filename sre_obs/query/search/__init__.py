"""Search in process: an Elasticsearch `_search` body over documents, and its response.

::

    corpus = Corpus()
    corpus.add("logs-app-default", {"@timestamp": "2026-01-01T00:00:00Z", "level": "error"})
    search(corpus, "logs-*", {"query": {"term": {"level": "error"}}, "size": 0}, now)

What is here equals Elasticsearch (tests/query/parity proves it against a real server);
what is not raises UnsupportedError with its name and path. Where both could answer
differently, Elasticsearch is right.

Queries: match_all, match_none, bool, constant_score, nested, term, terms, range, exists,
ids, prefix, wildcard, regexp, match, match_phrase, multi_match, and query_string as far as
KQL compiles to it. Aggregations: filter, filters, missing, terms, composite,
date_histogram, top_hits, avg, sum, min, max, value_count, cardinality, percentiles, stats,
bucket_selector, bucket_script. Hits: size, from, sort, collapse, _source, docvalue_fields,
track_total_hits, terminate_after.

Stated differences: no relevance (hits need a sort unless all score alike); cardinality and
percentiles are exact where Elasticsearch estimates; several indices answer as one shard,
so a terms aggregation that Elasticsearch cuts per shard is exact here; with
terminate_after the server may count further than it had to (whether there is any hit is
the same); a wrong clause is an error even where the server would have optimised it away;
of text there is the standard analyzer, approximated (`text`).
"""

from __future__ import annotations

from sre_obs.query.search.corpus import Corpus
from sre_obs.query.search.mapping import Dynamic, types_of
from sre_obs.query.search.refuse import DocumentError
from sre_obs.query.search.request import search

__all__ = ["Corpus", "DocumentError", "Dynamic", "search", "types_of"]
