"""What follows from a rule alone is worked out once, not at every evaluation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from sre_obs.model.rule import Rule

T = TypeVar("T")
# A reload makes new rules of all; the old ones must not stay for ever.
MOST = 10_000


class Once(Generic[T]):
    """A function of a rule that is called once for each rule. By identity: a rule holds
    mappings, and comparing two would cost more than it saves."""

    def __init__(self, make: Callable[[Rule], T]) -> None:
        self._make = make
        self._known: dict[int, tuple[Rule, T]] = {}

    def __call__(self, rule: Rule) -> T:
        known = self._known.get(id(rule))
        if known is None or known[0] is not rule:
            if len(self._known) >= MOST:
                self._known.clear()
            known = self._known[id(rule)] = (rule, self._make(rule))
        return known[1]
