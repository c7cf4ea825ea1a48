"""Step: what is told, as rows of the outbox.

A receiver that can't edit gets one POST a notification. On Slack a group has one message:
a POST, then UPDATEs of it; since an edit notifies nobody, what must be noticed is a REPLY
as well: that a severity has risen, that all of it resolved, and the reminder of the repeat
interval. That a severity has fallen is for the message alone.

Rows that wait are brought up to date rather than followed by another, but never so that
an end is told before, or without, what ended: a post to Slack that did not go out yet
says what is true now, even if that is "resolved"; a webhook gets both, in order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sre_obs.model.notification import Delivery, DeliveryKind, DeliveryState, Told
from sre_obs.route.dedup import Reason
from sre_obs.route.tree import Target

_SUPERSEDED = "a newer one says it all"


@dataclass(frozen=True, slots=True)
class Telling:
    """What one integration is to be told, and why. `told` is what it will have been told;
    `firing`, `news` (just ended) and `resolved` (all that ended and is still known) are
    fingerprints in order of joining. `relisted`: others fire than it was last told, or at
    other severities."""

    group: str  # Group.key
    target: Target
    reason: Reason
    told: Told
    firing: tuple[str, ...]
    news: tuple[str, ...]
    resolved: tuple[str, ...]
    relisted: bool
    drill: bool
    now: float


def enqueue(telling: Telling, waiting: Sequence[Delivery], number: int) -> tuple[Delivery, ...]:
    """The rows that stand for `telling`, new ones numbered from `number`.

    `waiting` are the conversation's unfinished deliveries; those that are superseded are
    among what is returned.
    """
    if telling.target.integration.kind == "slack":
        return _slack(telling, waiting, number)
    return _post(telling, waiting, number)


def _post(telling: Telling, waiting: Sequence[Delivery], number: int) -> tuple[Delivery, ...]:
    last = waiting[-1] if waiting else None
    if last is None or not _adds_to(telling, last):
        return (_delivery(telling, DeliveryKind.POST, number, telling.news),)
    owed = dict.fromkeys((*last.resolved, *telling.news))
    row = _delivery(telling, DeliveryKind.POST, number, tuple(owed), after=(last,))
    return (_superseded(last, telling.now), row)


def _adds_to(telling: Telling, last: Delivery) -> bool:
    """Whether `last` never left here, and nothing in it has turned since."""
    firing = frozenset(telling.firing)
    return (
        last.state is DeliveryState.READY
        and last.attempts == 0
        and last.generation == telling.told.generation
        and firing.issuperset(last.firing)
        and firing.isdisjoint(last.resolved)
    )


def _slack(telling: Telling, waiting: Sequence[Delivery], number: int) -> tuple[Delivery, ...]:
    kinds = DeliveryKind
    own = [row for row in waiting if row.generation == telling.told.generation]
    post = next((row for row in own if row.kind is kinds.POST), None)
    if post is not None and post.state is DeliveryState.READY:
        # What waits behind it knows less than it does now.
        older = [row for row in own if row is not post and row.state is DeliveryState.READY]
        rest = tuple(_superseded(row, telling.now) for row in older)
        return (_brought_up_to_date(post, telling), *rest)
    if post is None and telling.told.message is None:
        if telling.reason is Reason.CHANGED:
            return ()  # no message says anything else
        # The first of its generation; or the post was given up, so there is no message.
        first = telling.reason is Reason.FIRST
        ends = telling.news if first else telling.resolved
        return (_delivery(telling, kinds.POST, number, ends),)
    wanted = [kinds.UPDATE] if telling.relisted or telling.reason is not Reason.REPEAT else []
    if telling.reason in (Reason.RISEN, Reason.ALL_RESOLVED, Reason.REPEAT):
        wanted.append(kinds.REPLY)
    rows: list[Delivery] = []
    for kind in wanted:
        old = [row for row in own if row.kind is kind and row.state is DeliveryState.READY]
        rows.extend(_superseded(row, telling.now) for row in old)
        rows.append(_delivery(telling, kind, number, telling.resolved, after=old))
        number += 1
    return tuple(rows)


def _brought_up_to_date(post: Delivery, telling: Telling) -> Delivery:
    return replace(
        post,
        firing=telling.firing,
        resolved=telling.resolved,
        reason=post.reason if telling.firing else str(telling.reason),
        drill=telling.drill,
    )


def _superseded(row: Delivery, now: float) -> Delivery:
    return replace(
        row, state=DeliveryState.SUPERSEDED, finished_at=now, detail=row.detail or _SUPERSEDED
    )


def _delivery(
    telling: Telling,
    kind: DeliveryKind,
    number: int,
    resolved: tuple[str, ...],
    *,
    after: Sequence[Delivery] = (),
) -> Delivery:
    integration = telling.target.integration
    generation = telling.told.generation
    return Delivery(
        id=_id(telling.group, integration.id, str(generation), kind, str(number)),
        number=number,
        group=telling.group,
        receiver=telling.target.receiver,
        integration=integration.id,
        kind=kind,
        reason=str(telling.reason),
        firing=telling.firing,
        resolved=resolved if integration.send_resolved else (),
        generation=generation,
        created_at=telling.now,
        # What the receiver asked of the row that this one replaces (Retry-After) holds.
        due_at=max([telling.now, *(row.due_at for row in after)]),
        drill=telling.drill,
    )


def _id(*parts: str) -> str:
    text = "\udcff".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=8).hexdigest()
