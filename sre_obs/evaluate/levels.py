"""What an entity of a rule is held against: how bad, from where, for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sre_obs.model.rule import Comparison, Rule, Tuned


@dataclass(frozen=True, slots=True)
class Bound:
    """One level with everything that it takes from the rule where its file says nothing.

    `clear` is where it is left again; None: where it is entered.
    """

    severity: str
    comparison: Comparison
    limit: float
    clear: float | None
    for_: float


def bounds(rule: Rule, entity: Mapping[str, str]) -> tuple[Bound, ...]:
    """The levels of `entity` (field -> value), the rule's own severity first, worse ones
    behind it. An entity that is tuned has but the one."""
    base = rule.threshold
    tuned = tuned_of(rule, entity) if rule.tuned else None
    if tuned is not None:
        limit = base.limit if tuned.limit is None else tuned.limit
        return (
            Bound(
                tuned.severity or rule.severity,
                base.comparison,
                limit,
                # Where the alert ends is as far from the limit as it was.
                None if base.clear is None else limit + base.clear - base.limit,
                rule.for_ if tuned.for_ is None else tuned.for_,
            ),
        )
    first = Bound(rule.severity, base.comparison, base.limit, base.clear, rule.for_)
    if not rule.levels:
        return (first,)
    further = (
        Bound(
            level.severity,
            level.comparison or base.comparison,
            base.limit if level.limit is None else level.limit,
            # A level that differs by time alone is left where the rule's own is.
            base.clear if level.clear is None and level.limit is None else level.clear,
            rule.for_ if level.for_ is None else level.for_,
        )
        for level in rule.levels
    )
    return (first, *further)


def tuned_of(rule: Rule, entity: Mapping[str, str]) -> Tuned | None:
    """The first of the rule's `tuned` that is about `entity`."""
    return next(
        (
            tuned
            for tuned in rule.tuned
            if all(fits(pattern, entity.get(name, "")) for name, pattern in tuned.match.items())
        ),
        None,
    )


def fits(pattern: str, text: str) -> bool:
    """Whether `text` is of the `pattern`, in which ``*`` is any text. Linear in both."""
    first, *middle = pattern.split("*")
    if not middle:
        return pattern == text
    last = middle.pop()
    if len(text) < len(first) + len(last):
        return False
    if not (text.startswith(first) and text.endswith(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True
