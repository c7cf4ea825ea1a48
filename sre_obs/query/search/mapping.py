"""What each field of an index is: from Elasticsearch's mappings, or from `FieldTypes`.

Fields that are in neither are found in the documents when a request names them, as
Elasticsearch's dynamic mapping would have made them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from sre_obs.model.fields import FieldTypes
from sre_obs.query.search.refuse import mapping as _object
from sre_obs.query.search.refuse import unsupported, wrong


class Kind(StrEnum):
    """How values of a type behave; several types are one kind."""

    KEYWORD = "keyword"
    TEXT = "text"
    LONG = "long"
    DOUBLE = "double"
    DATE = "date"
    BOOLEAN = "boolean"
    IP = "ip"


class Dynamic(StrEnum):
    """What becomes of a field that is not mapped."""

    ELASTICSEARCH = "elasticsearch"  # strings: text with a keyword sub-field
    KEYWORD = "keyword"  # strings: keyword, as the templates of Elastic's integrations do
    OFF = "off"  # not indexed


KINDS: dict[str, Kind] = {
    "keyword": Kind.KEYWORD,
    "constant_keyword": Kind.KEYWORD,
    "wildcard": Kind.KEYWORD,
    "text": Kind.TEXT,
    "match_only_text": Kind.TEXT,
    "long": Kind.LONG,
    "integer": Kind.LONG,
    "short": Kind.LONG,
    "byte": Kind.LONG,
    "unsigned_long": Kind.LONG,
    "double": Kind.DOUBLE,
    "float": Kind.DOUBLE,
    "half_float": Kind.DOUBLE,
    "scaled_float": Kind.DOUBLE,
    "date": Kind.DATE,
    "boolean": Kind.BOOLEAN,
    "ip": Kind.IP,
}

_MAX_DEPTH = 20  # index.mapping.depth.limit

_PARAMETERS = frozenset(
    {
        "type", "fields", "properties", "dynamic", "ignore_above", "null_value", "format",
        "ignore_malformed", "coerce", "scaling_factor", "value", "norms", "index_options",
        "meta", "time_series_dimension", "time_series_metric", "eager_global_ordinals",
        "store", "index", "doc_values", "similarity", "path", "split_queries_on_whitespace",
        "analyzer", "normalizer", "enabled", "locale", "subobjects",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a mapping. `kind` is None for a type that searches can't use here."""

    name: str
    type: str
    kind: Kind | None
    source: tuple[str, ...]  # where in _source its values are
    nested: str = ""  # innermost nested path above it
    ignore_above: int = 0  # longer strings are not indexed; 0: no limit
    ignore_malformed: bool = False
    coerce: bool = True
    null_value: Any = None
    format: str = ""
    scaling_factor: float = 1.0
    constant: str | None = None
    lowercase: bool = False


@dataclass(slots=True)
class IndexMapping:
    """The fields of one index by name, its nested paths and what is dynamic."""

    fields: dict[str, Field] = field(default_factory=dict)
    nested: dict[str, str] = field(default_factory=dict)  # path -> enclosing nested path
    dynamic: Dynamic = Dynamic.ELASTICSEARCH
    objects: set[str] = field(default_factory=set)
    ignore_malformed: bool = False

    def home(self, name: str) -> str:
        """The innermost nested path above a field name, or ""."""
        best = ""
        for path in self.nested:
            if name.startswith(path + ".") and len(path) > len(best):
                best = path
        return best


def from_types(types: FieldTypes, *, dynamic: Dynamic = Dynamic.KEYWORD) -> IndexMapping:
    """A mapping from field names and types alone. A wrong value is ignored, not refused, as
    in the data streams of Elastic's integrations."""
    found = IndexMapping(dynamic=dynamic, ignore_malformed=True)
    for name in sorted(n for n, t in types.items() if t == "nested"):
        found.nested[name] = found.home(name)
    for name, type_name in types.items():
        if type_name in ("nested", "object"):
            found.objects.add(name)
            continue
        found.fields[name] = Field(
            name,
            type_name,
            KINDS.get(type_name),
            tuple(name.split(".")),
            nested=found.home(name),
            ignore_malformed=True,
            scaling_factor=1000.0,
        )
    _share_sources(found)
    return found


def _share_sources(found: IndexMapping) -> None:
    """FieldTypes do not tell sub-fields apart: ``message.keyword`` below the leaf ``message``
    takes its values from there."""
    for name, one in list(found.fields.items()):
        parent = name.rpartition(".")[0]
        if parent in found.fields:
            found.fields[name] = replace(one, source=found.fields[parent].source)


def from_mappings(mappings: Mapping[str, Any]) -> IndexMapping:
    """A mapping from Elasticsearch's own JSON (``{"properties": ...}``, with or without
    ``{"mappings": ...}`` around it). Raises UnsupportedError for what it does not have."""
    body = _object(mappings.get("mappings", mappings), "mappings")
    found = IndexMapping(dynamic=_dynamic(body.get("dynamic", True)))
    templates = body.get("dynamic_templates", [])
    if not isinstance(templates, list):
        raise wrong("a list should be here", "mappings.dynamic_templates")
    for template in templates:
        _dynamic_template(_object(template, "mappings.dynamic_templates"), found)
    for key in body:
        if key not in _ROOT:
            raise unsupported(f"mapping parameter '{key}'", f"mappings.{key}")
    _properties(_object(body.get("properties", {}), "mappings.properties"), "", "", found)
    for name, target in _aliases(body.get("properties", {}), ""):
        if not isinstance(target, str) or target not in found.fields:
            raise wrong(f"alias {name} points at {target}, which is not a field", "mappings")
        found.fields[name] = replace(found.fields[target], name=name)
    return found


def types_of(mappings: Mapping[str, Any]) -> dict[str, str]:
    """Field -> type of Elasticsearch's own JSON, objects and sub-fields included. Raises
    UnsupportedError, SourceError."""
    found = from_mappings(mappings)
    types = dict.fromkeys(sorted(found.objects), "object") | dict.fromkeys(found.nested, "nested")
    return types | {name: field.type for name, field in found.fields.items()}


_ROOT = frozenset(
    {
        "properties", "dynamic", "dynamic_templates", "date_detection", "numeric_detection",
        "_meta", "_data_stream_timestamp", "_source", "_routing",
    }
)  # fmt: skip


def _dynamic(value: Any) -> Dynamic:
    if value is False or value in ("false", "strict"):
        return Dynamic.OFF
    if value is True or value == "true":
        return Dynamic.ELASTICSEARCH
    raise unsupported(f"dynamic: {value}", "mappings.dynamic")


def _dynamic_template(template: Mapping[str, Any], found: IndexMapping) -> None:
    for name, body in template.items():
        rule = _object(body, f"mappings.dynamic_templates.{name}")
        simple = set(rule) <= {"match_mapping_type", "mapping"}
        kind = _object(rule.get("mapping", {}), f"mappings.dynamic_templates.{name}").get("type")
        if not simple or rule.get("match_mapping_type") != "string" or kind != "keyword":
            raise unsupported("dynamic template", f"mappings.dynamic_templates.{name}")
        found.dynamic = Dynamic.KEYWORD


def _properties(properties: Mapping[str, Any], prefix: str, home: str, found: IndexMapping) -> None:
    if prefix.count(".") > _MAX_DEPTH:
        raise wrong(f"objects nested deeper than {_MAX_DEPTH}", f"mappings.{prefix}")
    for name, one in properties.items():
        full = prefix + name
        body = _object(one, f"mappings.{full}")
        type_name = body.get("type", "object")
        for key in body:
            if key not in _PARAMETERS:
                raise unsupported(f"mapping parameter '{key}'", f"mappings.{full}.{key}")
        if type_name == "alias":
            continue
        if type_name in ("object", "nested"):
            found.objects.add(full)
            inner = home
            if type_name == "nested":
                found.nested[full] = home
                inner = full
            inside = _object(body.get("properties", {}), f"mappings.{full}.properties")
            _properties(inside, f"{full}.", inner, found)
            continue
        source = tuple(full.split("."))
        found.fields[full] = _field(full, body, source, home)
        for sub, sub_body in _object(body.get("fields", {}), f"mappings.{full}.fields").items():
            sub_name = f"{full}.{sub}"
            sub_body = _object(sub_body, f"mappings.{sub_name}")
            found.fields[sub_name] = _field(sub_name, sub_body, source, home)


def _field(name: str, body: Mapping[str, Any], source: tuple[str, ...], home: str) -> Field:
    where = f"mappings.{name}"
    type_name = body.get("type")
    if not isinstance(type_name, str):
        raise wrong("a field without a type", where)
    if body.get("analyzer", "standard") != "standard":
        raise unsupported(f"analyzer '{body['analyzer']}'", f"{where}.analyzer")
    if body.get("normalizer", "lowercase") != "lowercase":
        raise unsupported(f"normalizer '{body['normalizer']}'", f"{where}.normalizer")
    kind = KINDS.get(type_name)
    if body.get("index") is False or body.get("doc_values") is False:
        kind = None
    return Field(
        name,
        type_name,
        kind,
        source,
        nested=home,
        ignore_above=int(_number(body.get("ignore_above", 0), f"{where}.ignore_above")),
        ignore_malformed=body.get("ignore_malformed") in (True, "true"),
        coerce=body.get("coerce", True) in (True, "true"),
        null_value=body.get("null_value"),
        format=str(body.get("format", "")),
        scaling_factor=_number(body.get("scaling_factor", 1.0), f"{where}.scaling_factor"),
        constant=body.get("value") if type_name == "constant_keyword" else None,
        lowercase="normalizer" in body,
    )


def _number(value: Any, where: str) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise wrong(f"a number should be here, not {value!r}"[:200], where) from None
    if not math.isfinite(found) or found < 0:
        raise wrong("a positive number should be here", where)
    return found


def _aliases(properties: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, body in properties.items():
        if body.get("type") == "alias":
            yield prefix + name, body.get("path")
        yield from _aliases(body.get("properties", {}), f"{prefix}{name}.")
