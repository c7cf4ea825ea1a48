"""The engine's own alert: a source can't be read, so nothing of it can be told."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from sre_obs.model.alert import Alert, EndReason, fingerprint

NAME = "engine-blind"
SILENT = "kibana-silent"
# A restart of Elasticsearch takes about a minute and pages nobody.
PATIENCE = 120.0


def identity(source: str) -> str:
    """The fingerprint of the alert that says that `source` can't be read."""
    return fingerprint({"alertname": NAME, "source": source})


def blind(
    source: str, since: float | None, error: str, known: Alert | None, now: float
) -> tuple[Alert, ...]:
    """The alert to raise, to mend or to end; `source` fails since `since`, None if it works.

    `known` is that alert as it stands, from the Ledger: a restart forgets nothing.
    """
    out = known is not None and known.firing(now)
    if since is None:
        if known is None or not out:
            return ()
        return (replace(known, ends_at=now, updated_at=now, ended=EndReason.UNDER_LIMIT),)
    if now - since < PATIENCE and not out:
        return ()
    annotations = {
        "summary": f"sre-obs can't read {source}",
        "description": f"{error}. Alerts of its rules are held, none is resolved.",
        "action": "Check that Elasticsearch answers, and the key that sre-obs uses.",
    }
    if known is not None and out:
        if known.annotations == annotations:
            return ()
        return (replace(known, annotations=annotations, updated_at=now),)
    alert = Alert(
        fingerprint=identity(source),
        labels={"alertname": NAME, "severity": "critical", "source": source},
        annotations=annotations,
        starts_at=since,
        fired_at=now,
        updated_at=now,
    )
    return (alert,)


def unwatched(alerts: Iterable[Alert], sources: Collection[str], now: float) -> tuple[Alert, ...]:
    """The ends of the engine's own alerts on sources that nobody reads any more: that they
    work again would not be noticed."""
    return tuple(
        replace(alert, ends_at=now, updated_at=now, ended=EndReason.REMOVED)
        for alert in alerts
        if alert.name in (NAME, SILENT)
        and alert.ends_at is None  # an alert of that name from the API has an end
        and not alert.rule
        and alert.labels.get("source") not in sources
    )
