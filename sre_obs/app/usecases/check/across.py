"""What only shows when the rules of a folder are seen together; one pass over their keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sre_obs.app.usecases.check.entry import Facts
from sre_obs.model.problem import Problem, Severity

DUPLICATE = "rules/duplicate"
NEAR_DUPLICATE = "rules/near-duplicate"
# Not found where one file is looked at alone.
ACROSS: frozenset[str] = frozenset((DUPLICATE, NEAR_DUPLICATE))


def taken_names(rules: Sequence[Facts]) -> Iterator[Problem]:
    """Two rules of one name: the second is left out, as when they are loaded."""
    first: dict[str, Facts] = {}
    for rule in rules:
        other = first.setdefault(rule.slug, rule)
        if other is not rule:
            yield Problem(
                DUPLICATE,
                Severity.ERROR,
                rule.place,
                f'the name "{rule.slug}" is taken by {other.place.file}',
                "rename one of the files: the name is the label alertname",
                rule.source,
            )


def same_rules(rules: Sequence[Facts]) -> Iterator[Problem]:
    """Rules that ask what another one asks, or the same but for numbers; each is told of
    once, with the first of its kind."""
    same = _Seen(lambda rule: rule.same)
    near = _Seen(lambda rule: rule.near)
    for rule in rules:
        twin, like = same.before(rule), near.before(rule)
        if twin is not None:
            yield Problem(
                DUPLICATE,
                Severity.WARNING,
                rule.place,
                f"asks what {twin.place.file} asks: one incident, two alerts",
                "remove one; levels give one alert several severities",
                rule.source,
            )
        elif like is not None:
            yield Problem(
                NEAR_DUPLICATE,
                Severity.WARNING,
                rule.place,
                f"asks what {like.place.file} asks, with other numbers",
                "one rule with levels, or with entities in overrides.yml",
                rule.source,
            )


class _Seen:
    """The first rule of each key."""

    def __init__(self, key: Callable[[Facts], str]) -> None:
        self._key = key
        self._first: dict[str, Facts] = {}

    def before(self, rule: Facts) -> Facts | None:
        other = self._first.setdefault(self._key(rule), rule)
        return None if other is rule else other
