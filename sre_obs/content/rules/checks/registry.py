"""All checks of a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from sre_obs.content.rules.checks import (
    always_fires,
    fraction_as_percent,
    missing_owner,
    missing_runbook,
    missing_test,
    never_fires,
    never_matches,
    raw_counter,
    unbounded_group_by,
    unknown_field,
    unknown_stream,
    window_below_period,
    wrong_type,
)
from sre_obs.content.rules.checks.subject import Subject
from sre_obs.model.problem import Problem

Check: TypeAlias = Callable[[Subject], Iterator[Problem]]

CHECKS: Mapping[str, Check] = {
    module.SLUG: module.check
    for module in (
        unknown_stream,
        unknown_field,
        wrong_type,
        raw_counter,
        fraction_as_percent,
        never_matches,
        never_fires,
        always_fires,
        window_below_period,
        unbounded_group_by,
        missing_owner,
        missing_runbook,
        missing_test,
    )
}
"""Slug -> check, in the order of their work."""


def check_rule(subject: Subject) -> Iterator[Problem]:
    """What all checks say of one rule."""
    for check in CHECKS.values():
        yield from check(subject)
