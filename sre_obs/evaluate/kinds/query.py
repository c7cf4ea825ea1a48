"""Any document that matches, in the window: a count of at least one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sre_obs.evaluate.kinds import threshold
from sre_obs.evaluate.kinds.stream import Steps
from sre_obs.model.evaluation import EntityState
from sre_obs.model.rule import Rule, Threshold

ANY = Threshold()


def judge(rule: Rule, at: float, known: Mapping[str, EntityState]) -> Steps:
    """True for each entity with a document that matches."""
    return threshold.judge(
        replace(rule, threshold=replace(ANY, unit=rule.threshold.unit)), at, known
    )
