"""The answers of searches -> rows: what each figure came to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sre_obs.evaluate.needs import (
    WHOLE,
    Entities,
    Figure,
    Found,
    Of,
    Part,
    Row,
    entity_of,
    key_of,
)
from sre_obs.evaluate.request import Layout, Place


def row_of(need: Entities, layout: Layout, bucket: Mapping[str, Any]) -> Row | None:
    """The row of a bucket; None where it has none of the fields it is named by."""
    values: tuple[str | None, ...] = ()
    if need.group_by:
        key = bucket["key"]
        values = tuple(_as_text(key[name]) for name in need.group_by)
        if not need.nameless and all(value is None for value in values):
            return None
    count = int(bucket["doc_count"])
    found = tuple(
        _found(one, place, bucket) for one, place in zip(need.figures, layout.places, strict=True)
    )
    key_text = key_of(values) if values else WHOLE
    return Row(key_text, values, entity_of(need.group_by, values), count, found)


def nothing(need: Entities) -> Row:
    """The one row of a need without `group_by` where there is no index at all."""
    found: tuple[Found, ...] = tuple(
        0.0 if one.of in (Of.COUNT, Of.SLOTS, Of.SAMPLES)
        else () if one.of in (Of.STEPS, Of.MEANS, Of.STATES) else None
        for one in need.figures
    )  # fmt: skip
    return Row(WHOLE, (), {}, 0, found)


def _found(one: Figure, place: Place, bucket: Mapping[str, Any]) -> Found:
    if place.group:
        bucket = bucket[place.group]
    count = int(bucket["doc_count"])
    if one.of is Of.COUNT:
        return float(count)
    found = bucket[place.name]
    match one.of:
        case Of.SLOTS:
            return min(1.0, len(found["buckets"]) / one.parts)
        case Of.NEWEST:
            hits = found["hits"]["hits"]
            values = (hits[0].get("fields") or {}).get(one.field) if hits else None
            return _number(values[0]) if values else None
        case Of.STEPS:
            return _parts(found, "low", "high")
        case Of.MEANS:
            parts = _parts(found, "at", "mean")
            return tuple(Part(p.start, (p.numbers[0] / 1000, p.numbers[1])) for p in parts)
        case Of.STATES:
            return tuple(
                Part(part["key"] / 1000, texts=_states(part["states"]["buckets"]))
                for part in found["buckets"]
                if part["states"]["buckets"]
            )
        case Of.PERCENTILE:
            return _number(found["values"][0]["value"])
        case _:
            # A sum and a cardinality of nothing are 0 to Elasticsearch; to a rule there is
            # nothing.
            return None if count == 0 else _number(found["value"])


def _parts(found: Mapping[str, Any], *names: str) -> tuple[Part, ...]:
    parts: list[Part] = []
    for part in found["buckets"]:
        numbers = [_number(part[name]["value"]) for name in names]
        known = tuple(number for number in numbers if number is not None)
        if len(known) == len(names):
            parts.append(Part(part["key"] / 1000, known))
    return tuple(parts)


def _states(buckets: list[Mapping[str, Any]]) -> tuple[str, ...]:
    ordered = sorted(buckets, key=lambda b: b["last"]["value"])
    return tuple(str(b.get("key_as_string", b["key"])) for b in ordered)


def _number(value: Any) -> float | None:
    """Of true and false as the server counts them, of a text nothing."""
    if not isinstance(value, bool | int | float):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
