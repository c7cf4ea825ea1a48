"""Slack's rate limits (docs.slack.dev, apis/web-api/rate-limits).

Posting: about one message a second per channel, short bursts tolerated. Other methods
have a tier per app and workspace: 2 is 20 calls a minute, 3 is 50, 4 is 100.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_TIERS = {
    "chat.update": 50,
    "chat.delete": 50,
    "conversations.history": 50,
    "conversations.replies": 50,
    "conversations.list": 20,
}
_OTHER = 100
_BURST = 5  # "short bursts" and "more is tolerated now and then": Slack states no number


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Rates:
    """Token buckets; not thread-safe, times are seconds of a clock that never steps."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def wait(self, method: str, channel: str, at: float) -> int:
        """Seconds that Slack would ask to wait: whole ones, 0 if the call may go through."""
        if method == "chat.postMessage":
            key, per_second = (method, channel), 1.0
        else:
            key, per_second = (method, ""), _TIERS.get(method, _OTHER) / 60
        bucket = self._buckets.setdefault(key, _Bucket(_BURST, at))
        bucket.tokens = min(_BURST, bucket.tokens + (at - bucket.at) * per_second)
        bucket.at = at
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return 0
        return math.ceil((1 - bucket.tokens) / per_second)
