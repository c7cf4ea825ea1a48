"""What a rule holds an entity's numbers against: its levels, where they begin and end."""

from __future__ import annotations

from collections.abc import Mapping

from sre_obs.evaluate.levels import bounds
from sre_obs.model.evaluation import EntityState, Phase
from sre_obs.model.expression import NOW, WINDOW, Binary, Expression, Name, Number
from sre_obs.model.rule import Comparison, Rule
from sre_obs.query.expression import holds, value

_FALLING = (Comparison.LT, Comparison.LTE)


def value_of(rule: Rule, first: str) -> Expression:
    """What is held against the limit: the rule's value, or its one measure (`first`)."""
    return rule.value if rule.value is not None else Name(first)


def constants(rule: Rule, end: float) -> dict[str, float]:
    """The names that are the same for all entities."""
    found = {n: float(v) for n, v in rule.variables.items() if not isinstance(v, str)}
    return {**found, NOW: end, WINDOW: rule.window}


def condition(rule: Rule, first: str) -> Expression:
    """When an entity could be true at all: the loosest limit of the rule's levels and of those
    tuned for some entities. Whether it is `valid` is another question."""
    base = rule.threshold
    limits = {(base.comparison, base.limit)}
    for level in rule.levels:
        limit = base.limit if level.limit is None else level.limit
        limits.add((level.comparison or base.comparison, limit))
    limits |= {(base.comparison, one.limit) for one in rule.tuned if one.limit is not None}
    loosest: dict[Comparison, float] = {}
    for comparison, limit in limits:
        known = loosest.get(comparison, limit)
        loosest[comparison] = max(known, limit) if comparison in _FALLING else min(known, limit)
    tree: Expression | None = None
    for comparison in sorted(loosest):
        one = Binary(comparison.value, value_of(rule, first), Number(loosest[comparison]))
        tree = one if tree is None else Binary("or", tree, one)
    assert tree is not None
    return tree if rule.when is None else Binary("and", rule.when, tree)


def levels_held(
    rule: Rule,
    entity: Mapping[str, str],
    state: EntityState | None,
    names: Mapping[str, float | None],
    first: str,
) -> tuple[float | None, tuple[bool | None, ...]]:
    """The value, and which levels hold, the rule's own first; None is unknown.

    A level that the alert has is held against its `clear`, the others against their limit.
    """
    found = value(value_of(rule, first), names)
    further = True if rule.when is None else holds(rule.when, names)
    held: list[bool | None] = []
    for number, bound in enumerate(bounds(rule, entity)):
        limit = bound.limit
        if bound.clear is not None and _inside(state, number):
            limit = bound.clear
        beyond = None if found is None else bound.comparison.holds(found, limit)
        if further is False or beyond is False:
            held.append(False)
        else:
            held.append(None if further is None or beyond is None else True)
    return found, tuple(held)


def _inside(state: EntityState | None, level: int) -> bool:
    if state is None or state.phase is not Phase.FIRING:
        return False
    return state.level >= level
