"""What becomes of a delivery: when it is claimed, answered, interrupted or asked for.

::

    READY -claim-> SENDING -settle-> SENT | READY later | READY plain | AMBIGUOUS | DEAD
                   SENDING -recover (the process died)-> AMBIGUOUS
    AMBIGUOUS -reconciled-> SENT | READY | READY "may repeat" | AMBIGUOUS, asked later

An edit can be repeated without harm, so it never becomes ambiguous. Nothing is given up
but a message whose plain form is refused too: what is refused because of a setting waits,
for somebody to mend it, as long as rows are kept.
"""

from __future__ import annotations

from dataclasses import replace

from sre_obs.model.notification import Delivery, DeliveryKind, DeliveryState, Group
from sre_obs.model.outcome import Answer, Failure, Verdict
from sre_obs.notify.ports import Found, Search

RETRY_FIRST = 1.0
RETRY_MOST = 60.0
REFUSED_FIRST = 30.0
REFUSED_MOST = 300.0
# How long after a lost answer the receiver is asked: what it had taken must be readable.
SETTLING = 2.0
ASK_MOST = 60.0
# A receiver that says "at once" is still given a moment.
SOONEST = 0.25
# 429 is followed within Retry-After and half a second; jitter may take half of that.
JITTER = 0.25


def claim(delivery: Delivery, now: float) -> Delivery:
    """About to be sent: to be on disk before the first byte goes out."""
    return replace(
        delivery,
        state=DeliveryState.SENDING,
        started_at=now,
        attempts=delivery.attempts + 1,
    )


def settle(delivery: Delivery, answer: Answer, now: float, jitter: float) -> Delivery:
    """After a try. `jitter` is in [0, 1) and spreads what failed together."""
    told = replace(
        delivery,
        state=DeliveryState.READY,
        failure=answer.failure,
        detail=_detail(answer),
        finished_at=now,
    )
    match answer.verdict:
        case Verdict.DELIVERED:
            message = answer.message or delivery.message
            return replace(told, state=DeliveryState.SENT, failure=Failure.NONE, message=message)
        case Verdict.AMBIGUOUS if delivery.kind is not DeliveryKind.UPDATE:
            return replace(told, state=DeliveryState.AMBIGUOUS, due_at=now + SETTLING)
        case Verdict.RETRY | Verdict.AMBIGUOUS:
            return replace(told, due_at=now + _delay(delivery, answer, jitter))
        case Verdict.CONTENT if not delivery.plain:
            return replace(told, plain=True, due_at=now)
        case Verdict.CONTENT:
            return replace(told, state=DeliveryState.DEAD)
        case Verdict.MISSING if delivery.kind is not DeliveryKind.POST:
            return replace(told, kind=DeliveryKind.POST, message=None, due_at=now)
        case _:
            wait = _doubled(REFUSED_FIRST, REFUSED_MOST, delivery.attempts, jitter)
            return replace(told, due_at=now + max(wait, answer.retry_after or 0))


def recover(delivery: Delivery, now: float) -> Delivery:
    """At start, from the disk: whether a try under way arrived is not known."""
    if delivery.state is not DeliveryState.SENDING:
        return delivery
    if delivery.kind is DeliveryKind.UPDATE:
        return replace(delivery, state=DeliveryState.READY, due_at=now)
    started = delivery.started_at if delivery.started_at is not None else now
    # Not in the future for long, whatever the clock has done since.
    due = min(max(now, started + SETTLING), now + SETTLING)
    return replace(delivery, state=DeliveryState.AMBIGUOUS, due_at=due)


def reconciled(delivery: Delivery, found: Found, now: float) -> Delivery:
    """After the receiver was asked whether an ambiguous delivery arrived."""
    match found.search:
        case Search.FOUND:
            return replace(
                delivery,
                state=DeliveryState.SENT,
                finished_at=now,
                failure=Failure.NONE,
                detail="",
                message=found.message or delivery.message,
            )
        case Search.NOT_FOUND:
            return replace(delivery, state=DeliveryState.READY, due_at=now)
        case Search.LATER:
            wait = found.retry_after
            if wait is None:
                # Each question waits about as long as all before it together.
                since = now - (delivery.started_at if delivery.started_at is not None else now)
                wait = min(max(since, SETTLING), ASK_MOST)
            return replace(delivery, due_at=now + max(wait, SOONEST), detail=str(found))
        case Search.CANT_ASK:
            repeats = delivery.kind is not DeliveryKind.UPDATE
            return replace(
                delivery,
                state=DeliveryState.READY,
                due_at=now,
                may_repeat=repeats or delivery.may_repeat,
                detail=str(found),
            )


def settled_group(group: Group, delivery: Delivery) -> Group:
    """The group, knowing where its message is once the post was answered."""
    told = group.told.get(delivery.integration)
    posted = delivery.kind is DeliveryKind.POST and delivery.state is DeliveryState.SENT
    if not posted or delivery.message is None or told is None:
        return group
    # The group may have moved on to its next message meanwhile.
    if told.generation != delivery.generation:
        return group
    known = {**group.told, delivery.integration: replace(told, message=delivery.message)}
    return replace(group, told=known)


def _delay(delivery: Delivery, answer: Answer, jitter: float) -> float:
    if answer.retry_after is not None:
        return max(answer.retry_after, SOONEST) + JITTER * jitter
    return _doubled(RETRY_FIRST, RETRY_MOST, delivery.attempts, jitter)


def _doubled(first: float, most: float, attempts: int, jitter: float) -> float:
    """Twice as long after each attempt, up to a quarter more, never above `most`."""
    wait: float = first * 2 ** min(max(attempts - 1, 0), 30)
    return min(most, wait * (1 + 0.25 * jitter))


def _detail(answer: Answer) -> str:
    return f"{answer.detail}; do: {answer.remedy}" if answer.remedy else answer.detail
