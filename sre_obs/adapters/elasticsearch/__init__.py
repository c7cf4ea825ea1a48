"""Elasticsearch as a `Source`, through the official client (8.19 and 9.x alike).

    options  what the operator may set
    connect  the client: hosts, keys, proxy; no retries of our own
    tls      what is trusted, and what is said of what is not
    errors   every way to fail -> SourceError, with whose fault it is
    access   an empty answer is an error if the key may not look
    source   searches by tens in `_msearch`, fields, the start line, the drill's document

The client's major decides which servers accept it. What does not live here: what is asked
(evaluate) and when (app). The client itself is imported where it is used.
"""

from sre_obs.adapters.elasticsearch.options import ElasticsearchOptions
from sre_obs.adapters.elasticsearch.source import Cluster, ElasticsearchSource

__all__ = ["Cluster", "ElasticsearchOptions", "ElasticsearchSource"]
