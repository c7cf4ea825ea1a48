"""The clock stepped, or we stood still: what follows for times that were already set.

Forward, or after a suspended machine: nobody could reach us in the time that is missing,
so an alert that is only kept alive by being sent again gets one `resolve_timeout` more, as
after a restart. Back: what was to happen in a minute must not wait for the hour that the
clock will run a second time. What senders or people fixed (a silence's end) stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sre_obs.model.alert import Alert
from sre_obs.model.changes import Changes
from sre_obs.model.ledger import Ledger

# While we run the clock is looked at every second; so much missing is no load any more.
GAP = 30.0
# A clock that is set right by less than this is followed without ado.
BACK = 1.0


@dataclass(frozen=True, slots=True)
class Stepped:
    """`changes` are for Ledger and Store, `refreshed` for the Ledger alone."""

    changes: Changes
    refreshed: Changes


def stepped(ledger: Ledger, before: float, now: float, resolve_timeout: float) -> Stepped | None:
    """What becomes of the ledger's times when `now` follows `before`; None if they agree."""
    if now - before > GAP:
        again = extended(ledger, before, now + resolve_timeout)
        return Stepped(Changes(), Changes(alerts=again))
    if before - now > BACK:
        return _back(ledger, before, now, resolve_timeout)
    return None


def extended(ledger: Ledger, since: float, grace: float) -> tuple[Alert, ...]:
    """Alerts that fired at `since` and end unless they are sent again: not before `grace`."""
    return tuple(
        replace(alert, ends_at=grace)
        for alert in ledger.alerts.values()
        if alert.ended is None and alert.ends_at is not None and since < alert.ends_at < grace
    )


def unended(ledger: Ledger, now: float) -> tuple[Alert, ...]:
    """Alerts that ended in what is the future by now: they have ended."""
    return tuple(
        replace(alert, ends_at=now)
        for alert in ledger.alerts.values()
        if alert.ended is not None and alert.ends_at is not None and alert.ends_at > now
    )


def _back(ledger: Ledger, before: float, now: float, resolve_timeout: float) -> Stepped:
    step = before - now
    groups = tuple(
        replace(group, flush_at=max(group.flush_at - step, now))
        for group in ledger.groups.values()
        if group.flush_at is not None and group.flush_at > now
    )
    deliveries = tuple(
        replace(delivery, due_at=max(delivery.due_at - step, now))
        for delivery in ledger.deliveries.values()
        if delivery.due_at > now
    )
    promised = tuple(_promised(ledger, before, now + resolve_timeout, resolve_timeout))
    return Stepped(
        Changes(alerts=unended(ledger, now)),
        Changes(alerts=promised, groups=groups, deliveries=deliveries),
    )


def _promised(ledger: Ledger, before: float, end: float, timeout: float) -> Iterator[Alert]:
    for alert in ledger.alerts.values():
        # Further away than our own promise, it was not we who set the end.
        promised = alert.ended is None and alert.ends_at is not None
        if promised and end < (alert.ends_at or 0.0) <= before + timeout:
            yield replace(alert, ends_at=end)
