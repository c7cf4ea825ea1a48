"""What rules are compared by: two that ask the same, or the same but for numbers.

Each rule has two short keys, so that a folder of thousands is compared in one pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from hashlib import blake2b
from typing import Any

from sre_obs.model.rule import Query, Rule

# What a rule asks; not what it is called, whose it is, and how it is told.
_ASKS = (
    *("kind", "source", "index", "query", "group_by", "measures", "value", "when", "valid"),
    *("entities", "no_data"),
)
_SETS = ("index", "group_by")
_NUMBERS = ("window", "threshold", "levels", "for_", "runs", "variables")


def keys(rule: Rule) -> tuple[str, str]:
    """(what it asks with every number, what it asks without them)."""
    parts: list[str] = []
    numbers: list[str] = []
    for name in _ASKS:
        value = getattr(rule, name)
        _write(sorted(value) if name in _SETS else value, parts, numbers)
    limit = rule.threshold
    _write((limit.function, limit.field, limit.comparison), parts, numbers)
    asks = "\n".join(parts)
    for name in _NUMBERS:
        _write(getattr(rule, name), parts, numbers)
    return _digest("\n".join([*parts, "", *numbers])), _digest(asks)


def _write(value: Any, parts: list[str], numbers: list[str]) -> None:
    """A noun as texts in its order; its numbers apart, with a mark in their place."""
    kind = type(value)
    if kind is str:
        parts.append(value)
    elif value is None or kind is bool:
        parts.append(repr(value))
    elif kind is float or kind is int:
        parts.append("#")
        numbers.append(repr(float(value)))
    elif kind is tuple or kind is list:
        parts.append(f"[{len(value)}")
        for inner in value:
            _write(inner, parts, numbers)
    elif kind is Query:
        _query(value.dsl, parts, numbers)
    elif isinstance(value, Mapping):
        parts.append(f"{{{len(value)}")
        for name in sorted(value):
            parts.append(str(name))
            _write(value[name], parts, numbers)
    elif is_dataclass(value):
        parts.append(kind.__name__)
        for name in _names(kind):
            _write(getattr(value, name), parts, numbers)
    else:
        parts.append(str(value))


def _query(dsl: Any, parts: list[str], numbers: list[str]) -> None:
    """A query; the bounds of its ranges are numbers, dates as well."""
    if isinstance(dsl, Mapping):
        parts.append(f"{{{len(dsl)}")
        for name, inner in dsl.items():
            parts.append(str(name))
            if name == "range" and isinstance(inner, Mapping):
                parts.append(",".join(map(str, inner)))
                numbers.append(str(inner))
            else:
                _query(inner, parts, numbers)
    elif isinstance(dsl, list | tuple):
        parts.append(f"[{len(dsl)}")
        for inner in dsl:
            _query(inner, parts, numbers)
    else:
        parts.append(repr(dsl))


_KNOWN: dict[type, tuple[str, ...]] = {}


def _names(kind: type) -> tuple[str, ...]:
    found = _KNOWN.get(kind)
    if found is None:
        found = _KNOWN[kind] = tuple(f.name for f in fields(kind) if f.compare)
    return found


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
