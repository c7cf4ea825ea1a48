"""Indices of our own on a server, for as long as a test needs them.

Every name begins with one prefix that nobody else has; what is deleted is what was made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sre_obs.adapters.elasticsearch.connect import connect
from sre_obs.adapters.elasticsearch.errors import Translator, failures
from sre_obs.adapters.elasticsearch.options import ElasticsearchOptions
from sre_obs.evaluate.ports import Request
from sre_obs.model.errors import Blame, SourceError
from sre_obs.model.fields import FieldTypes

# What stands in for a type on a server that lacks it: the nearest that it has. A scaled
# float is a whole number divided: a double holds that, a float does not.
STAND_INS: Mapping[str, str] = {
    "scaled_float": "double",
    "half_float": "float",
    "unsigned_long": "long",
    "constant_keyword": "keyword",
    "wildcard": "keyword",
    "version": "keyword",
    "match_only_text": "text",
    "search_as_you_type": "text",
    "date_nanos": "date",
    "flattened": "object",
    "histogram": "object",
    "exponential_histogram": "object",
    "aggregate_metric_double": "object",
    "geo_shape": "object",
    "rank_feature": "float",
}
_LACKING = re.compile(r"(?:No handler for|The mapper) type \[([a-z_]+)\]")
_DYNAMIC = [
    {"strings": {"match_mapping_type": "string", "mapping": {"type": "keyword"}}},
    {"numbers": {"match_mapping_type": "double", "mapping": {"type": "double"}}},
]
_SETTINGS = {
    "number_of_shards": 1,
    "number_of_replicas": 0,
    "refresh_interval": "-1",
    "index.mapping.ignore_malformed": True,
    "index.mapping.total_fields.limit": 10_000,
}


class Scratch:
    """Makes, fills and deletes indices. Every call raises SourceError."""

    def __init__(self, name: str, options: ElasticsearchOptions, prefix: str) -> None:
        self.prefix = prefix
        self._client = connect(name, options)
        self._errors = Translator(name, options.shown, options.hidden)
        self._lacking: dict[str, str] = {}
        self._made: list[str] = []

    def create(self, index: str, types: FieldTypes) -> None:
        """An index with these fields; the others become what Elasticsearch makes of them, a
        string a keyword. `index` is without the prefix."""
        name = self.prefix + index
        for _ in range(len(STAND_INS) + 1):
            mappings = {
                "dynamic_templates": _DYNAMIC,
                "properties": properties(types, self._lacking),
            }
            try:
                self._client.indices.create(index=name, settings=_SETTINGS, mappings=mappings)
            except failures() as error:
                if not self._learn(error):
                    raise self._errors.raised(error, writes=name) from None
            else:
                self._made.append(name)
                return

    def fill(self, index: str, documents: Sequence[Mapping[str, Any]]) -> None:
        """Write documents and let searches see them."""
        name = self.prefix + index
        operations: list[Mapping[str, Any]] = []
        for number, document in enumerate(documents):
            operations += [{"create": {"_index": name, "_id": str(number)}}, document]
        try:
            for begin in range(0, len(operations), 10_000):
                part = operations[begin : begin + 10_000]
                answer = self._client.bulk(operations=part)
                if answer.get("errors"):
                    raise _refused(answer.get("items", ()))
            self._client.indices.refresh(index=name)
        except failures() as error:
            raise self._errors.raised(error, writes=name) from None

    def drop(self) -> None:
        """Delete what was made."""
        made, self._made = self._made, []
        for begin in range(0, len(made), 50):
            try:
                self._client.indices.delete(index=made[begin : begin + 50], ignore_unavailable=True)
            except failures() as error:
                raise self._errors.raised(error, writes=made[begin]) from None

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def here(self, request: Request) -> Request:
        """The same request to the indices of the prefix alone."""
        names = tuple(
            f"-{self.prefix}{name[1:]}" if name.startswith("-") else f"{self.prefix}{_local(name)}"
            for name in request.index
        )
        return Request(names, self._prefixed(request.body))

    def _prefixed(self, value: Any) -> Any:
        """The same clauses; those on ``_index`` name ours."""
        if isinstance(value, list):
            return [self._prefixed(one) for one in value]
        if not isinstance(value, Mapping):
            return value
        return {
            name: self._named(inner) if name == "_index" else self._prefixed(inner)
            for name, inner in value.items()
        }

    def _named(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.prefix + _local(value)
        if isinstance(value, Mapping) and isinstance(name := value.get("value"), str):
            return {**value, "value": self.prefix + _local(name)}
        return value

    def _learn(self, error: Exception) -> bool:
        """Whether the server lacks a type that has a stand-in."""
        found = _LACKING.search(str(error))
        lacking = found[1] if found else ""
        if lacking in self._lacking or lacking not in STAND_INS:
            return False
        self._lacking[lacking] = STAND_INS[lacking]
        return True


def properties(types: FieldTypes, instead: Mapping[str, str]) -> dict[str, Any]:
    """Mappings of flat names: objects where names have dots, sub-fields below leaves."""
    found: dict[str, Any] = {}
    for name in sorted(types):
        kind = instead.get(types[name], types[name])
        *above, last = name.split(".")
        inside, key = found, "properties"
        for step in above:
            node = inside.setdefault(step, {"properties": {}})
            key = "fields" if "type" in node and node["type"] != "nested" else "properties"
            inside = node.setdefault(key, {})
        if kind == "object":
            inside.setdefault(last, {"type": "object", "enabled": types[name] == "object"})
            continue
        body: dict[str, Any] = {"type": kind}
        if kind == "scaled_float":
            body["scaling_factor"] = 1000
        if kind == "nested":
            body["properties"] = {}
        inside[last] = body
    return found


def _local(name: str) -> str:
    """Without the cluster: ``*:metrics-*`` is of all of them, this one too."""
    return name.rpartition(":")[2]


def _refused(items: Iterable[Any]) -> SourceError:
    errors = (item.get("create", {}).get("error", {}).get("reason", "") for item in items)
    why = next((str(reason)[:200] for reason in errors if reason), "it does not say why")
    return SourceError(
        f"a document is refused: {why}", Blame.REQUEST, remedy="mend the documents of the case"
    )
