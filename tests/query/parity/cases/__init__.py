"""Hand-picked documents and requests, by operator. Every name is one test."""

from __future__ import annotations

from tests.query.parity.cases import aggregations, hits, queries
from tests.query.parity.cases.documents import DOCUMENTS, MAPPINGS, Json

# Name -> request body.
CASES: dict[str, Json] = {**queries.CASES, **aggregations.CASES, **hits.CASES}

__all__ = ["CASES", "DOCUMENTS", "MAPPINGS", "Json"]
