"""What a receiver answered to one try of a delivery, or did not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What to do next: a closed set, the same for all receivers."""

    DELIVERED = "delivered"
    RETRY = "retry"  # it was not taken; try again
    AMBIGUOUS = "ambiguous"  # it may have been taken; ask before it is repeated
    CONTENT = "content"  # refused for what it says: send the plain form
    REFUSED = "refused"  # a setting must change: token, channel, address; kept, tried rarely
    MISSING = "missing"  # the message to edit or answer is gone: post anew


class Failure(StrEnum):
    """Why it failed: the label of the metric, as Alertmanager names them."""

    NONE = ""
    CANCELED = "contextCanceled"
    TIMEOUT = "contextDeadlineExceeded"
    CLIENT = "clientError"
    AUTH = "authError"
    RATE_LIMITED = "rateLimited"
    SERVER = "serverError"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class MessageRef:
    """Where a message is: on Slack a channel id and its timestamp."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One try's result. `detail` is the receiver's own word, cut, without secrets."""

    verdict: Verdict
    failure: Failure = Failure.NONE
    detail: str = ""
    remedy: str = ""
    retry_after: float | None = None  # seconds, as the receiver asked
    message: MessageRef | None = None
