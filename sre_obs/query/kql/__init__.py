"""KQL, Kibana's query language: text -> nodes with positions -> Elasticsearch DSL.

The language is exactly Kibana's, minus a few texts that Kibana accepts and reads as
something else than their author meant (``a:b and``, ``a = b``, ``'quoted'``): those are
errors with a remedy, see `mistakes`. So a query that parses here means the same there.

Here: `parse`, the nodes, `fields` (what a query uses, for checks), `compile_kql`.
Not here: Lucene syntax, whether a field exists (that is a check's work).
"""

from __future__ import annotations

from sre_obs.query.kql.compile import compile_kql
from sre_obs.query.kql.fields import FieldUse, Use, fields
from sre_obs.query.kql.nodes import And, Is, Literal, Nested, Node, Not, Or, Range, Wildcard
from sre_obs.query.kql.parse import MAX_DEPTH, parse

__all__ = [
    "MAX_DEPTH",
    "And",
    "FieldUse",
    "Is",
    "Literal",
    "Nested",
    "Node",
    "Not",
    "Or",
    "Range",
    "Use",
    "Wildcard",
    "compile_kql",
    "fields",
    "parse",
]
