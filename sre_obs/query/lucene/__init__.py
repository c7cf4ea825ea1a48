"""Lucene's query syntax, as Elasticsearch's query_string reads it: text -> nodes -> DSL.

What parses here finds exactly what ``{"query_string": {"query": text}}`` finds on a server
(tests/query/parity proves it), its quirks included: AND makes both its neighbours required
and OR makes nobody optional again, so ``a OR b AND c`` is ``b AND c``; a text of several
words on a keyword field is one value. What can't be the same is refused by name: fuzzy
terms, a range or a regular expression without a field, and a few texts that Lucene reads as
something else than their author meant (``and`` in lower case, ``path:/var/log``).

Two differences are stated. query_string forgives a value that its field can't hold
(``replicas:many``) and finds nothing; what is compiled here is then an error, as in KQL. And
for a field whose type is not given, the bounds of a range are taken as they are written,
which finds other words in fields of type text, and in no others.

Here: `parse`, the nodes, `fields` (what a query uses, for checks), `write` (nodes back to
text), `compile_lucene`. Not here: KQL, and whether a field exists (that is a check's work).
"""

from __future__ import annotations

from sre_obs.query.lucene.compile import compile_lucene
from sre_obs.query.lucene.fields import fields
from sre_obs.query.lucene.nodes import (
    Clause,
    Everything,
    Exists,
    Group,
    Name,
    Node,
    Occur,
    Pattern,
    Phrase,
    Range,
    Regexp,
    Word,
)
from sre_obs.query.lucene.parse import MAX_DEPTH, MAX_LENGTH, parse
from sre_obs.query.lucene.write import write

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "Clause",
    "Everything",
    "Exists",
    "Group",
    "Name",
    "Node",
    "Occur",
    "Pattern",
    "Phrase",
    "Range",
    "Regexp",
    "Word",
    "compile_lucene",
    "fields",
    "parse",
    "write",
]
