"""Needs that look at the same documents by the same keys -> one need, and its rows apart again.

Twenty rules on the pods of one stream group the same 30,000 documents twenty times; as one
search with twenty rules' numbers they are grouped once, and a row travels where one of the
rules wants it. Only needs that are narrowed by the same filters are merged: a search that
looks at few documents must not be made to look at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sre_obs.evaluate.keep import met
from sre_obs.evaluate.needs import Entities, Figure, Of, Row, figure
from sre_obs.evaluate.request import shared_filters
from sre_obs.model.expression import Binary, Call, Expression, Name, Unary

# One response holds so many numbers a row, and one script so many parts.
FIGURES = 40
PARTS = 120
_NUMBERS = frozenset(
    (Of.COUNT, Of.SAMPLES, Of.CARDINALITY, Of.AVG, Of.SUM, Of.MIN, Of.MAX, Of.PERCENTILE)
)


@dataclass(frozen=True, slots=True)
class Merged:
    """One need made of several, and where the figures of each are in it."""

    need: Entities
    members: tuple[tuple[Entities, tuple[int, ...]], ...]

    def rows_of(self, member: int, rows: Sequence[Row]) -> list[Row]:
        """The rows that the member alone would have got."""
        need, places = self.members[member]
        found: list[Row] = []
        for row in rows:
            own = tuple(row.found[place] for place in places)
            if all(one is None or one == 0 for one in own):
                continue
            names = {
                figure(n): one if isinstance(one, float) else None for n, one in enumerate(own)
            }
            if need.keep is None or met(need.keep, names):
                found.append(replace(row, found=own))
        return found


def merged(needs: Mapping[str, Entities]) -> list[Merged]:
    """Which of the needs (by the text of what each alone would ask) are asked as one; those
    that are left out are asked alone."""
    groups: dict[Any, list[Entities]] = {}
    # In one order whoever came first: the same rules make the same script again.
    for _, need in sorted(needs.items()):
        if need.group_by and need.among is None and all(f.of in _NUMBERS for f in need.figures):
            groups.setdefault(_alike(need), []).append(need)
    return [one for group in groups.values() for one in _batches(group) if len(one.members) > 1]


def _alike(need: Entities) -> tuple[Any, ...]:
    shared = shared_filters(need)
    filters = json.dumps(shared, sort_keys=True) if shared else ""
    span = need.span
    return (
        (span.index, span.start, span.end, need.group_by, need.nameless),
        (filters, need.keep is None),
    )


def _batches(group: Sequence[Entities]) -> list[Merged]:
    batches: list[list[Entities]] = [[]]
    figures = parts = 0
    for need in group:
        size = 0 if need.keep is None else _parts(need.keep)
        if batches[-1] and (figures + len(need.figures) > FIGURES or parts + size > PARTS):
            batches.append([])
            figures = parts = 0
        batches[-1].append(need)
        figures += len(need.figures)
        parts += size
    return [_merge(batch) for batch in batches]


def _merge(batch: Sequence[Entities]) -> Merged:
    figures: dict[Any, int] = {}
    together: list[Figure] = []
    members: list[tuple[Entities, tuple[int, ...]]] = []
    keep: Expression | None = None
    for need in batch:
        places: list[int] = []
        for one in need.figures:
            own = replace(one, filters=(*need.filters, *one.filters))
            place = figures.setdefault(_identity(own), len(together))
            if place == len(together):
                together.append(own)
            places.append(place)
        members.append((need, tuple(places)))
        if need.keep is not None:
            condition = _renamed(
                need.keep, {figure(n): figure(place) for n, place in enumerate(places)}
            )
            keep = condition if keep is None else Binary("or", keep, condition)
    first = batch[0]
    whole = Entities(first.span, (), first.group_by, tuple(together), keep, nameless=first.nameless)
    return Merged(whole, tuple(members))


def _identity(one: Figure) -> tuple[Any, ...]:
    filters = json.dumps(one.filters, sort_keys=True) if one.filters else ""
    span = one.span
    spoken = (span.index, span.start, span.end) if span is not None else ()
    return (one.of, one.field, one.percent, one.order, filters, spoken)


def _renamed(tree: Expression, names: dict[str, str]) -> Expression:
    match tree:
        case Name():
            return Name(names.get(tree.name, tree.name))
        case Unary():
            return Unary(tree.operator, _renamed(tree.operand, names))
        case Binary():
            return Binary(tree.operator, _renamed(tree.left, names), _renamed(tree.right, names))
        case Call():
            return Call(tree.function, tuple(_renamed(one, names) for one in tree.arguments))
        case _:
            return tree


def _parts(tree: Expression) -> int:
    match tree:
        case Unary():
            return 1 + _parts(tree.operand)
        case Binary():
            return 1 + _parts(tree.left) + _parts(tree.right)
        case Call():
            return 1 + sum(map(_parts, tree.arguments))
        case _:
            return 1
