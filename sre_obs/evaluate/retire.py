"""What becomes of the alerts of a rule that is gone: they end, and say why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from sre_obs.model.alert import Alert, EndReason
from sre_obs.model.changes import Changes
from sre_obs.model.evaluation import EntityState


def retire(
    running: Collection[str],
    memory: Mapping[str, Mapping[str, EntityState]],
    alerts: Iterable[Alert],
    at: float,
) -> Changes:
    """End at `at` what rules outside `running` (ids of those that run) left behind.

    Alerts without a rule (from the API, the engine's own) are nobody's business here.
    """
    over = tuple(
        replace(alert, ends_at=at, updated_at=at, ended=EndReason.REMOVED, stale_since=None)
        for alert in alerts
        if alert.rule and alert.rule not in running and alert.ended is None
    )
    forgotten = tuple(
        (rule, key) for rule, states in memory.items() if rule not in running for key in states
    )
    return Changes(alerts=over, forgotten_entities=forgotten)
