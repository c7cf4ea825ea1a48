"""Of an alert that did not come: how near it was, and which documents nothing reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sre_obs.app.usecases.rule_tests.compare import Difference
from sre_obs.app.usecases.rule_tests.play import TimedSource
from sre_obs.app.usecases.rule_tests.source import CaseSource
from sre_obs.evaluate.evaluate import evaluate
from sre_obs.evaluate.ports import Renderer
from sre_obs.model.rule import Comparison, Rule, RuleKind

# Beyond every value: with it as the limit each entity that has a value is true.
FAR = 1e300


def loosened(rule: Rule) -> Rule:
    """The same rule, true for every entity that has a value, at once."""
    above = rule.threshold.comparison in (Comparison.GT, Comparison.GTE)
    limit = -FAR if above else FAR
    return replace(
        rule,
        threshold=replace(rule.threshold, limit=limit, clear=None),
        when=None,
        levels=(),
        tuned=(),
        runs=None,
        flapping=None,
        for_=0.0,
        keep_firing_for=0.0,
        annotations={},
        evidence=(),
    )


def unread(found: Sequence[Difference], rule: Rule, source: CaseSource) -> list[Difference]:
    """The same differences; those of a missing alert name the indices of the case that the
    rule does not read."""
    read = list(dict.fromkeys((*rule.index, *(i for m in rule.measures for i in m.index))))
    names = source.unread(read)
    if not names:
        return list(found)
    words = f"the rule reads {', '.join(read)} and not {', '.join(names)}"
    return [replace(one, got=f"{one.got}; {words}") if one.missing else one for one in found]


def nearest(
    found: Sequence[Difference],
    rule: Rule,
    source: TimedSource,
    renderer: Renderer,
    times: Sequence[float],
) -> list[Difference]:
    """The same differences; those of a missing alert say the value that came nearest."""
    if rule.kind is not RuleKind.THRESHOLD:
        return list(found)
    loose = loosened(rule)
    falling = rule.threshold.comparison in (Comparison.LT, Comparison.LTE)
    best: float | None = None
    for source.now in times:
        changes = evaluate((loose,), source.now, source, {}, renderer, timer=lambda: 0.0)
        for state in changes.entities:
            if state.value is not None and (
                best is None or (state.value < best if falling else state.value > best)
            ):
                best = state.value
    words = "no value at all" if best is None else f"nearest value {best:.12g}"
    limit = f"limit {rule.threshold.limit:.12g}"
    return [
        replace(one, got=f"{one.got}; {words}, {limit}") if one.missing else one for one in found
    ]
