"""How fast a receiver may be written to, so that Slack need not say 429.

Slack takes about one post a second into a channel, with short bursts, and about fifty
edits a minute in a workspace (Tier 3). One message is edited at most every two seconds:
an older edit that waits is superseded by a newer one meanwhile. A lane that the receiver
closed (`Retry-After`) stays closed for all that goes the same way, whichever receiver of
ours it belongs to. Webhooks and terminals have no pace of ours, but can be closed too.
"""

from __future__ import annotations

from dataclasses import dataclass

from sre_obs.model.notification import Delivery, DeliveryKind
from sre_obs.model.outcome import Failure
from sre_obs.model.routing import Integration, SlackIntegration
from sre_obs.notify.transport import RETRY_AFTER_MOST

POSTS_PER_SECOND = 1.0
POST_BURST = 4.0
EDITS_PER_SECOND = 50 / 60
EDIT_BURST = 10.0
EDIT_SPACING = 2.0
# Who waits comes back after this much more at the latest: places in line may fall vacant.
_LINE = 30.0
# Beyond so many remembered lanes those that are free again are dropped.
_REMEMBERED = 10_000

_Lane = tuple[str, ...]


@dataclass(slots=True)
class _Bucket:
    """Tokens at a time: `tokens` were there at `at`, `rate` come in a second."""

    rate: float
    burst: float
    tokens: float
    at: float

    def free_at(self, now: float) -> float:
        self.at = min(self.at, now)  # the clock may have stepped back
        missing = 1.0 - self._level(now)
        # Seconds since 1970 are exact to a microsecond at best.
        return now if missing < 1e-3 else now + missing / self.rate

    def take(self, now: float) -> None:
        self.tokens, self.at = self._level(now) - 1.0, now

    def _level(self, now: float) -> float:
        return min(self.burst, self.tokens + max(0.0, now - self.at) * self.rate)


class Pace:
    """When each lane is free. Belongs to one thread; forgets itself on restart."""

    def __init__(self) -> None:
        self._buckets: dict[_Lane, _Bucket] = {}
        self._closed: dict[_Lane, float] = {}
        self._promised: dict[_Lane, float] = {}  # the latest time that was given out
        self._edited: dict[tuple[str, str], float] = {}

    def next_free(self, integration: Integration, delivery: Delivery, now: float) -> float:
        """The earliest time at which `delivery` may go out; `now` if it may at once.

        Those that have to wait are given times one after the other, so that a thousand
        of them do not come back together for one free place. A time is a hint, not a
        reservation: ask again when it has come.
        """
        lane = _lane(integration, delivery.kind)
        # Who was told when to come back does that, whatever our own count says.
        limited = delivery.failure is Failure.RATE_LIMITED
        at = self._open_at(lane, now) if limited else self._place(lane, now)
        if delivery.kind is DeliveryKind.UPDATE:
            edited = self._edited.get(delivery.conversation)
            # An edit in the future was before the clock stepped back.
            if edited is not None and edited <= now:
                at = max(at, edited + EDIT_SPACING)
        return at

    def _open_at(self, lane: _Lane, now: float) -> float:
        """When a lane that the receiver closed is open again."""
        closed = self._closed.get(lane, now)
        # Nobody asks for more than the most: then the clock has stepped back.
        return now if closed > now + RETRY_AFTER_MOST else max(closed, now)

    def _place(self, lane: _Lane, now: float) -> float:
        """`now`, or a time of one's own at which the lane may be free."""
        at, bucket = self._open_at(lane, now), self._buckets.get(lane)
        if bucket is None:
            return at
        at = max(at, bucket.free_at(now))
        if at > now:
            after_others = self._promised.get(lane, now) + 1 / bucket.rate
            at = min(max(at, after_others), at + _LINE)
            self._promised[lane] = at
        return at

    def took(self, integration: Integration, delivery: Delivery, now: float) -> None:
        """`delivery` goes out now."""
        if not isinstance(integration, SlackIntegration):
            return
        edit = delivery.kind is DeliveryKind.UPDATE
        rate, burst = (EDITS_PER_SECOND, EDIT_BURST) if edit else (POSTS_PER_SECOND, POST_BURST)
        lane = _lane(integration, delivery.kind)
        self._buckets.setdefault(lane, _Bucket(rate, burst, burst, now)).take(now)
        if edit:
            self._edited[delivery.conversation] = now
        self._tidy(now)

    def close(self, integration: Integration, delivery: Delivery, until: float) -> None:
        """The receiver asked for silence until then, for all that goes this way."""
        lane = _lane(integration, delivery.kind)
        self._closed[lane] = max(until, self._closed.get(lane, until))

    def set_back(self, seconds: float) -> None:
        """The clock was set back by so much: what a receiver asked for is as long as it was."""
        self._closed = {lane: until - seconds for lane, until in self._closed.items()}
        self._promised = {lane: at - seconds for lane, at in self._promised.items()}

    def closed_until(self, integration: Integration, delivery: Delivery) -> float | None:
        """Until when the receiver asked for silence, if it ever did."""
        return self._closed.get(_lane(integration, delivery.kind))

    def _tidy(self, now: float) -> None:
        if len(self._edited) > _REMEMBERED:
            self._edited = {k: at for k, at in self._edited.items() if at + EDIT_SPACING > now}
        if len(self._closed) > _REMEMBERED:
            self._closed = {k: until for k, until in self._closed.items() if until > now}


def _lane(integration: Integration, kind: DeliveryKind) -> _Lane:
    """What shares one limit at the receiver: a channel for posts, a workspace for edits."""
    if not isinstance(integration, SlackIntegration):
        return (integration.id,)
    workspace = (integration.api_url, integration.token.reveal())
    if kind is DeliveryKind.UPDATE:
        return ("chat.update", *workspace)
    return ("chat.postMessage", integration.channel, *workspace)
