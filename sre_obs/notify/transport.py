"""What HTTP says whoever the receiver is: faults below it, and `Retry-After`."""

from __future__ import annotations

import math
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum

from sre_obs.model.outcome import Answer, Failure, Verdict

# No receiver may hold a lane for longer by one answer.
RETRY_AFTER_MOST = 3_600.0


class Fault(StrEnum):
    """Why there was no answer; the words are for people."""

    UNREACHABLE = "can't be reached"  # refused, no route, proxy: nothing was sent
    UNKNOWN_HOST = "its host name is unknown"
    TLS = "its certificate is not trusted"
    CONNECT_TIMEOUT = "can't be reached in time"
    TIMEOUT = "no answer in time"  # from here on it may have been taken
    RESET = "the connection broke before the answer"
    GARBLED = "an answer that is none"


_SENT = {Fault.TIMEOUT, Fault.RESET, Fault.GARBLED}
_TIMEOUTS = {Fault.TIMEOUT, Fault.CONNECT_TIMEOUT}


def classify_fault(fault: Fault, host: str, why: str = "") -> Answer:
    """Tried again if nothing can have arrived, asked for if something may have."""
    return Answer(
        verdict=Verdict.AMBIGUOUS if fault in _SENT else Verdict.RETRY,
        failure=Failure.TIMEOUT if fault in _TIMEOUTS else Failure.OTHER,
        detail=f"{host}: {fault}" + (f" ({why})" if why else ""),
        remedy=_REMEDIES.get(fault, ""),
    )


_REMEDIES = {
    Fault.UNREACHABLE: "check the address, the network and the proxy",
    Fault.UNKNOWN_HOST: "check the host name and DNS",
    Fault.TLS: "check its certificate, this machine's CA certificates and clock",
    Fault.CONNECT_TIMEOUT: "check the network, a firewall and the proxy",
}


def retry_after(header: str | None, now: float, date: str | None = None) -> float | None:
    """Seconds of a `Retry-After` (seconds or an HTTP date), None without a usable one.

    A date is held against the answer's own `Date` rather than our clock, which may differ.
    """
    if not header:
        return None
    try:
        seconds = float(header.strip())
    except ValueError:
        until = http_date(header)
        if until is None:
            return None
        sent = http_date(date)
        seconds = until - (now if sent is None else sent)
    if not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), RETRY_AFTER_MOST)


def http_date(text: str | None) -> float | None:
    """Seconds since the epoch of an HTTP date, None if it is none."""
    try:
        parsed = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=UTC)
    try:
        return parsed.timestamp()
    except (ValueError, OverflowError):
        return None
