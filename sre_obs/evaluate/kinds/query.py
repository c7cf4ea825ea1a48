"""Any document that matches, in the window: a count of at least one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sre_obs.evaluate.kinds import threshold
from sre_obs.evaluate.kinds.once import Once
from sre_obs.evaluate.kinds.stream import Steps
from sre_obs.model.evaluation import EntityState
from sre_obs.model.rule import Rule, Threshold


def judge(rule: Rule, at: float, known: Mapping[str, EntityState]) -> Steps:
    """True for each entity with a document that matches."""
    return threshold.judge(_COUNTED(rule), at, known)


_COUNTED = Once(lambda rule: replace(rule, threshold=Threshold(unit=rule.threshold.unit)))
