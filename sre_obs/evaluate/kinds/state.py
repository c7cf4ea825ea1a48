"""The newest document of each entity is held against the query; the window is how old it may
be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sre_obs.evaluate.kinds import threshold
from sre_obs.evaluate.kinds.once import Once
from sre_obs.evaluate.kinds.stream import Steps
from sre_obs.model.evaluation import EntityState
from sre_obs.model.rule import EVERYTHING, Function, Measure, Rule, Threshold


def judge(rule: Rule, at: float, known: Mapping[str, EntityState]) -> Steps:
    """True for each entity whose newest document matches."""
    return threshold.judge(_COMPOSED(rule), at, known)


def _composed(rule: Rule) -> Rule:
    matches = Measure("state", Function.MATCHES, query=rule.query)
    return replace(rule, measures=(matches,), query=EVERYTHING, threshold=Threshold())


_COMPOSED = Once(_composed)
