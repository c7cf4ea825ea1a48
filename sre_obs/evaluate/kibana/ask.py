"""The queries on `.alerts-*`: query clauses of Elasticsearch, times in milliseconds.

The names: Kibana's documented alias pattern. Behind it lie hidden indices, which a search
by alias reaches and a grant on the alias does not cover by their own names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

ALIAS = ".alerts-*"
# A run may take five minutes until its documents can be seen, and clocks differ.
OVERLAP = 360.0
MOST_TERMS = 1_000

# `@timestamp` alone would miss what happens between runs: untracking, workflow, suppression.
_MOVES = (
    "@timestamp",
    "kibana.alert.rule.execution.timestamp",
    "kibana.alert.end",
    "kibana.alert.last_detected",
    "kibana.alert.workflow_status_updated_at",
)
_ACTIVE = {"term": {"kibana.alert.status": {"value": "active"}}}

Query = dict[str, Any]


def active() -> Query:
    """Everything that fires."""
    return {"bool": {"filter": [_ACTIVE]}}


def moved(since: float) -> Query:
    """What was written, ended or worked on since."""
    bound = {"gte": round((since - OVERLAP) * 1000), "format": "epoch_millis"}
    moves = [{"range": {name: bound}} for name in _MOVES]
    return {"bool": {"should": moves, "minimum_should_match": 1}}


def these(uuids: Sequence[str]) -> list[Query]:
    """The documents with these ids, so many a query as one may name."""
    batches = (uuids[n : n + MOST_TERMS] for n in range(0, len(uuids), MOST_TERMS))
    return [{"terms": {"kibana.alert.uuid": list(batch)}} for batch in batches]
