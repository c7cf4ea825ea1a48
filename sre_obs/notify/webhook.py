"""Alertmanager's webhook, version 4: the body of its POST, and what an answer means.

The keys, their spelling and the order of the alerts (firing, then resolved) are those of
Alertmanager's documentation under "webhook_config"; what we add is named differently.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sre_obs.model.alert import Alert
from sre_obs.model.outcome import Answer, Failure, Verdict
from sre_obs.model.routing import WebhookIntegration
from sre_obs.notify.notice import Notice
from sre_obs.notify.text import clean, cut

# What Alertmanager writes for an alert that has no end yet: Go's zero time.
NO_END = "0001-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class WebhookCall:
    """The body and the headers of one POST; credentials are the adapter's to add."""

    body: bytes
    headers: Mapping[str, str]


def render(notice: Notice) -> WebhookCall:
    """The POST that tells of `notice`. `Idempotency-Key` is the same in each try of one
    delivery, so that a receiver can tell a repetition."""
    integration = notice.integration
    most = integration.max_alerts if isinstance(integration, WebhookIntegration) else 0
    alerts = notice.alerts
    kept = alerts[:most] if most > 0 else alerts
    body = {
        "version": "4",
        "groupKey": notice.group.key,
        "truncatedAlerts": len(alerts) - len(kept),
        "status": "firing" if notice.firing else "resolved",
        "receiver": notice.receiver,
        "groupLabels": dict(notice.group.labels),
        "commonLabels": _common([alert.labels for alert in alerts]),
        "commonAnnotations": _common([alert.annotations for alert in alerts]),
        "externalURL": notice.external_url,
        "alerts": [
            _alert(alert, i < len(notice.firing), notice.external_url)
            for i, alert in enumerate(kept)
        ],
        "notificationReason": notice.delivery.reason,
        "deliveryId": notice.delivery.id,
        "mayRepeat": notice.delivery.may_repeat,
        "drill": notice.delivery.drill,
    }
    return WebhookCall(
        body=json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode("ascii"),
        headers={
            "Content-Type": "application/json",
            "User-Agent": "sre-obs",
            "Idempotency-Key": notice.delivery.id,
        },
    )


def _alert(alert: Alert, firing: bool, page: str) -> dict[str, Any]:
    ended = alert.ends_at if alert.ends_at is not None else alert.updated_at
    return {
        "status": "firing" if firing else "resolved",
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": rfc3339(alert.starts_at),
        "endsAt": NO_END if firing else rfc3339(ended),
        # An alert of ours comes from no other page than its own.
        "generatorURL": alert.generator_url
        or (f"{page.rstrip('/')}/alerts/{alert.fingerprint}" if page else ""),
        "fingerprint": alert.fingerprint,
    }


def _common(maps: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What all of them have, with the same value."""
    if not maps:
        return {}
    first, *rest = maps
    return {k: v for k, v in first.items() if all(other.get(k) == v for other in rest)}


def rfc3339(at: float) -> str:
    """A time as Go reads it, in UTC to the millisecond: ``2026-11-25T03:12:00.125Z``."""
    try:
        then = datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError):
        return NO_END
    return then.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def classify_status(status: int, body: str = "", retry_after: float | None = None) -> Answer:
    """What an HTTP status means. Anything in 200 to 299 was taken."""
    said = f"HTTP {status}"
    if words := cut(clean(body), 200):
        said += f": {words}"
    if 200 <= status < 300:
        return Answer(Verdict.DELIVERED)
    if status == 429:
        return Answer(Verdict.RETRY, Failure.RATE_LIMITED, said, retry_after=retry_after)
    if status == 408 or status >= 500:
        return Answer(Verdict.RETRY, Failure.SERVER, said, retry_after=retry_after)
    if 300 <= status < 400:
        remedy = "name the address that it redirects to; redirects are not followed"
        return Answer(Verdict.REFUSED, Failure.CLIENT, said, remedy)
    if status in (401, 403, 407):
        return Answer(Verdict.REFUSED, Failure.AUTH, said, "check the receiver's credentials")
    return Answer(Verdict.REFUSED, Failure.CLIENT, said, "check the receiver's address")
