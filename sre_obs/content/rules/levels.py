"""Whether a rule's limits make sense together: on a built rule, so that what an override has
changed is held to the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sre_obs.content.duration import format_duration
from sre_obs.model.rule import Comparison, Level, Rule, RuleKind

_RANK = {"info": 0, "warning": 1, "critical": 2}
_UP = (Comparison.GTE, Comparison.GT)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, at a path of keys of the rule."""

    path: tuple[str | int, ...]
    message: str
    remedy: str


def faults(rule: Rule) -> Iterator[Fault]:
    """What is wrong with limits, levels, and the numbers of single entities."""
    if rule.kind is RuleKind.THRESHOLD:
        base = rule.threshold
        yield from _clear(base.comparison, base.limit, base.clear, ("threshold", "clear"))
    yield from _levels(rule)
    for number, tuned in enumerate(rule.tuned):
        if tuned.limit is None:
            continue
        path = ("entities", number, "limit")
        clear = rule.threshold.clear
        if rule.kind is not RuleKind.THRESHOLD:
            yield Fault(path, f"a rule of kind {rule.kind} has no limit", "remove it")
        elif clear is not None and _beyond(rule.threshold.comparison, tuned.limit, clear):
            message = f"this limit is met where the rule's alerts end, at {clear:g}"
            yield Fault(path, message, "change threshold.clear too")


def _levels(rule: Rule) -> Iterator[Fault]:
    severity, limit, for_ = rule.severity, rule.threshold.limit, rule.for_
    up = rule.threshold.comparison in _UP
    for number, level in enumerate(rule.levels):
        path = ("levels", number)
        yield from _keys(rule, level, path)
        if _RANK[level.severity] <= _RANK[severity]:
            message = f"a level is worse than the one before it, and that is {severity}"
            yield Fault((*path, "severity"), message, "write the worst one last")
        here = limit if level.limit is None else level.limit
        mine = rule.for_ if level.for_ is None else level.for_
        if here == limit:
            if mine <= for_:
                message = f"level {level.severity} is reached when the one before it is"
                remedy = "give it another limit"
                if rule.kind is not RuleKind.THRESHOLD:
                    remedy = f"give it a for longer than {format_duration(for_)}"
                yield Fault(path, message, remedy)
        elif (here < limit) == up:
            message = (
                f"level {level.severity} is reached at {here:g}, before the one before it "
                f"at {limit:g}"
            )
            remedy = f"a limit of {'more' if up else 'less'} than {limit:g}"
            yield Fault((*path, "limit"), message, remedy)
        comparison = level.comparison or rule.threshold.comparison
        yield from _clear(comparison, here, level.clear, (*path, "clear"))
        severity, limit, for_ = level.severity, here, mine


def _keys(rule: Rule, level: Level, path: tuple[str | int, ...]) -> Iterator[Fault]:
    if rule.kind is not RuleKind.THRESHOLD:
        for key in ("limit", "comparison", "clear"):
            if getattr(level, key) is not None:
                message = f'"{key}" is for kind threshold; a level of this one differs by "for"'
                yield Fault((*path, key), message, "remove it")
    elif level.comparison is not None and (level.comparison in _UP) != (
        rule.threshold.comparison in _UP
    ):
        message = f"{level.comparison} goes the other way than {rule.threshold.comparison}"
        yield Fault((*path, "comparison"), message, f"write {rule.threshold.comparison}")


def _clear(
    comparison: Comparison, limit: float, clear: float | None, path: tuple[str | int, ...]
) -> Iterator[Fault]:
    if clear is not None and _beyond(comparison, limit, clear):
        side = "less" if comparison in _UP else "more"
        message = f'"clear" is where an alert ends: not at {clear:g} if it begins at {limit:g}'
        yield Fault(path, message, f"write {side} than {limit:g}")


def _beyond(comparison: Comparison, limit: float, clear: float) -> bool:
    """Whether what would end an alert also begins one."""
    return limit <= clear if comparison in _UP else limit >= clear
