"""Whether one of Kibana's alerts fires, is held back, has ended, or is none of ours."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sre_obs.evaluate.kibana.document import KibanaAlert
from sre_obs.model.alert import EndReason

DAY = 86_400.0
# A document of the future is a clock gone wrong: waited for, not believed.
SKEW = 300.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the settings of a Kibana source say. `spaces` empty: all of them."""

    source: str
    url: str = ""  # Kibana's public base URL, for links
    spaces: tuple[str, ...] = ()
    severity: str = "warning"  # of an alert that says nothing of its own
    stale_after: float = DAY  # an active alert that no run wrote for so long is not believed
    security_ttl: float = DAY  # security alerts never recover


class Kind(StrEnum):
    """Where an alert stands."""

    FIRING = "firing"
    HELD = "held"  # fires, and Kibana was told to tell nobody
    ENDED = "ended"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where it stands and why; `at` and `ended` only of what has ended."""

    kind: Kind
    why: str = ""
    at: float = 0.0
    ended: EndReason | None = None


def standing(alert: KibanaAlert, options: Options, now: float) -> Standing:
    """How `alert` stands at `now`. A status that is not known says nothing.

    ``delayed`` (9.4) is an alert that may yet not come to be. An untracked one is not
    mended: nobody looks any more, and the reason says so.
    """
    if alert.seen_at > now + SKEW:
        return Standing(Kind.IGNORED, "its time is in the future")
    if not _in_space(alert, options.spaces):
        return Standing(Kind.ENDED, "its space is not followed", now, EndReason.REMOVED)
    if alert.block:
        return Standing(Kind.IGNORED, "a building block of another alert")
    end = min(alert.end if alert.end is not None else alert.seen_at, now)
    match alert.status:
        case "recovered":
            return Standing(Kind.ENDED, "recovered", end, EndReason.RECOVERED)
        case "untracked":
            return Standing(Kind.ENDED, "untracked", end, EndReason.UNTRACKED)
        case "active":
            return _active(alert, options, now)
        case _:
            return Standing(Kind.IGNORED, f"status {alert.status}")


def _active(alert: KibanaAlert, options: Options, now: float) -> Standing:
    if alert.security:
        if alert.workflow_status == "closed":
            return Standing(Kind.ENDED, "closed", now, EndReason.CLOSED)
        if now - alert.start >= options.security_ttl:
            return Standing(Kind.ENDED, "expired", now, EndReason.EXPIRED)
    elif now - alert.seen_at >= options.stale_after:
        # A disabled rule leaves its alerts active for ever.
        return Standing(Kind.ENDED, "its rule stopped reporting", now, EndReason.STOPPED)
    if alert.silenced:
        return Standing(Kind.HELD, f"{alert.silenced} in Kibana")
    return Standing(Kind.FIRING)


def _in_space(alert: KibanaAlert, spaces: tuple[str, ...]) -> bool:
    return not spaces or "*" in alert.spaces or any(space in spaces for space in alert.spaces)
