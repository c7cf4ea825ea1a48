"""The kinds of rule, a file each: what a kind needs, and what it makes of the answers.

A kind is one function, a generator: it yields needs, is sent their answers, may yield
again, and returns its `Judgement`. So several rules go forward in step, and what they need
at one step is planned together. It knows no request and no state machine.

    query      any document that matches
    state      the newest document matches
    threshold  measures, or a value made of them, against limits
    absence    a stream, or an entity seen before, that stopped

Shared by them: `stream` (the window of a rule, whether its streams are alive, coverage),
`measures` (what is measured, a file each), `table` (which measures are asked together),
`inquiry` (what is asked of whom, and then known), `reach` (how far a condition could still
go), `sure` (what missing documents could undo), `limits` (the levels) and `once`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from sre_obs.evaluate.kinds import absence, query, state, threshold
from sre_obs.evaluate.kinds.stream import Judgement, Steps
from sre_obs.model.evaluation import EntityState
from sre_obs.model.rule import Rule, RuleKind

Judge: TypeAlias = Callable[[Rule, float, Mapping[str, EntityState]], Steps]

KINDS: Mapping[RuleKind, Judge] = {
    RuleKind.QUERY: query.judge,
    RuleKind.STATE: state.judge,
    RuleKind.THRESHOLD: threshold.judge,
    RuleKind.ABSENCE: absence.judge,
}

__all__ = ["KINDS", "Judge", "Judgement", "Steps"]
