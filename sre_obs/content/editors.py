"""JSON Schemas of our files, for editors: generated from the models that read them.

A model's schema is what it is; what is made simpler here helps a person who types: no title
that repeats the key, no null where nothing may be empty, defaults as they are written, and
enumerations in their place, where the description of the key is seen with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from sre_obs.content.duration import format_duration

# name -> (module, model, what it is). One line for each kind of file.
SCHEMAS: Mapping[str, tuple[str, str, str]] = {
    "rule": ("rules.schema", "RuleShape", "A rule of sre-obs"),
    "test": ("tests.schema", "SuiteShape", "Tests of a rule of sre-obs"),
    "overrides": ("overrides.schema", "OverridesShape", "Overrides of rules of sre-obs"),
    "routes": ("routes.schema", "RoutesShape", "Routes of sre-obs"),
    "silences": ("silences.schema", "SilencesShape", "Silences of sre-obs"),
    "telemetry": ("telemetry.schema", "PackShape", "Streams and fields that rules of sre-obs use"),
}

_NULL = {"type": "null"}
_BOUNDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}


def json_schema(name: str) -> dict[str, Any]:
    """The schema of one kind of file, `SCHEMAS` has their names."""
    module, model, what = SCHEMAS[name]
    shape = getattr(import_module(f"sre_obs.content.{module}"), model)
    written = shape.model_json_schema(by_alias=True, mode="validation")
    defined = written.pop("$defs", {})
    root = _simpler(written, defined)
    used = _used(root, defined)
    found = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": what,
        **{key: value for key, value in root.items() if key != "title"},
    }
    if used:
        found["$defs"] = {key: _simpler(defined[key], defined) for key in sorted(used)}
    return _with_parameters(found) if name == "test" else found


def _simpler(node: Any, defined: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_simpler(item, defined) for item in node]
    if not isinstance(node, dict):
        return node
    if "anyOf" in node:
        node = _without_null(node)
    if "$ref" in node:
        node = _inlined(node, defined)
    found: dict[str, Any] = {}
    of_numbers = "number" in _types(node) or "integer" in _types(node)
    of_text = "pattern" in node
    for key, value in node.items():
        if key == "title" and isinstance(value, str):
            continue
        if key in _BOUNDS:
            if of_numbers and not of_text:  # a duration's bounds are seconds
                found[_BOUNDS[key]] = value
        elif key == "default":
            if value not in (None, "", [], {}) and not isinstance(value, dict):
                found[key] = _default(value, node)
        elif key in ("maxLength", "minLength") and "object" in _types(node):
            found[f"{key[:3]}Properties"] = value
        elif key == "properties":
            found[key] = {name: _simpler(inner, defined) for name, inner in value.items()}
        else:
            found[key] = _simpler(value, defined)
    return found


def _without_null(node: Mapping[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    choices = [choice for choice in node["anyOf"] if choice != _NULL]
    if len(choices) == 1:
        return {**choices[0], **rest}
    return {**rest, "anyOf": choices}


def _inlined(node: Mapping[str, Any], defined: Mapping[str, Any]) -> dict[str, Any]:
    """An enumeration in its place; a reference to a block with what is said of it beside."""
    name = str(node["$ref"]).rpartition("/")[2]
    rest = {key: value for key, value in node.items() if key != "$ref"}
    if "enum" in defined[name]:
        own = {key: value for key, value in defined[name].items() if key != "description"}
        return {**own, **rest}
    reference = {"$ref": node["$ref"]}
    # In this draft a reference hides what stands beside it.
    return {**rest, "allOf": [reference]} if rest else reference


def _used(node: Any, defined: Mapping[str, Any]) -> set[str]:
    """The blocks that are referred to, and those that these refer to."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, list):
            waiting += here
        elif isinstance(here, dict):
            name = str(here.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found.add(name)
                waiting.append(_simpler(defined[name], defined))
            waiting += here.values()
    return found


def _default(value: Any, node: Mapping[str, Any]) -> Any:
    if isinstance(value, float) and "pattern" in node:
        back = "now-" if "now-" in str(node["pattern"]) else ""
        return back + format_duration(value)
    return value


def _types(node: Mapping[str, Any]) -> list[str]:
    types = node.get("type", [])
    return [types] if isinstance(types, str) else list(types)


def _with_parameters(node: Any) -> Any:
    """Each text, number or list may be written ``${n}`` instead: a parameter of the case."""
    if isinstance(node, list):
        return [_with_parameters(item) for item in node]
    if not isinstance(node, dict):
        return node
    inner = {
        key: value if key in ("required", "type", "description") else _with_parameters(value)
        for key, value in node.items()
    }
    types = _types(node)
    if not types or "object" in types:
        return inner
    said = {key: inner.pop(key) for key in ("description", "default") if key in inner}
    return {**said, "anyOf": [inner, {"type": "string", "pattern": r"\$\{"}]}
