"""What rules are compared by: two that ask the same, or the same but for numbers.

Each rule has two short keys, so that a folder of thousands is compared in one pass.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from hashlib import blake2b
from typing import Any

from sre_obs.model.rule import Query, Rule

DUPLICATE = "rules/duplicate"
NEAR_DUPLICATE = "rules/near-duplicate"

# What a rule asks; not what it is called, whose it is, and how it is told.
_ASKS = (
    *("kind", "source", "index", "query", "group_by", "measures", "value", "when", "valid"),
    *("entities", "no_data"),
)
_NUMBERS = ("window", "threshold", "levels", "for_", "runs", "variables")


def keys(rule: Rule) -> tuple[str, str]:
    """(what it asks with every number, what it asks without them)."""
    asks = {name: getattr(rule, name) for name in _ASKS}
    asks["index"] = sorted(rule.index)
    asks["group_by"] = sorted(rule.group_by)
    numbers = {name: getattr(rule, name) for name in _NUMBERS}
    threshold = (rule.threshold.function, rule.threshold.field, rule.threshold.comparison)
    return (
        _digest([_plain(asks, False), _plain(numbers, False)]),
        _digest([_plain(asks, True), threshold]),
    )


def _plain(value: Any, masked: bool) -> Any:
    """A noun as JSON; `masked` without its numbers."""
    if isinstance(value, Query):
        dsl = _unbounded(value.dsl) if masked else value.dsl
        return [value.language == "dsl", dsl]
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return "#" if masked else value
    if is_dataclass(value):
        shown = (f.name for f in fields(value) if f.compare)
        return [type(value).__name__, *(_plain(getattr(value, n), masked) for n in shown)]
    if isinstance(value, Mapping):
        return {str(name): _plain(inner, masked) for name, inner in value.items()}
    return [_plain(inner, masked) for inner in value]


def _unbounded(dsl: Any) -> Any:
    """A query without the bounds of its ranges."""
    if isinstance(dsl, Mapping):
        return {
            name: [[field, sorted(body)] for field, body in inner.items()]
            if name == "range" and isinstance(inner, Mapping)
            else _unbounded(inner)
            for name, inner in dsl.items()
        }
    return [_unbounded(inner) for inner in dsl] if isinstance(dsl, list | tuple) else dsl


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str, separators=(",", ":"))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
