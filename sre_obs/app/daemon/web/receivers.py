"""Who is told: how each receiver fares, and what became of every delivery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sre_obs.app.daemon.desk import Desk
from sre_obs.app.daemon.web import words
from sre_obs.model.notification import Delivery, DeliveryState
from sre_obs.model.outcome import Failure
from sre_obs.notify import wording

_OUTCOMES = {
    DeliveryState.READY: "waiting",
    DeliveryState.SENDING: "on its way",
    DeliveryState.AMBIGUOUS: "answer lost, the receiver is asked",
    DeliveryState.SENT: "delivered",
    DeliveryState.DEAD: "given up",
    DeliveryState.SUPERSEDED: "not sent: a newer one says it all",
}


@dataclass(frozen=True, slots=True)
class TellLine:
    """One delivery: to whom, how it went, why it was sent, by which route."""

    id: str
    at: words.Moment | None
    receiver: str
    integration: str
    target: str
    kind: str
    state: str
    outcome: str
    took: str
    reason: str
    detail: str
    next: words.Moment | None
    summary: str
    route: str  # empty when its group is known no more
    group: str
    alerts: tuple[str, ...]  # fingerprints
    may_repeat: bool


@dataclass(frozen=True, slots=True)
class ReceiverLine:
    """One integration of a receiver. `state`: ok, failing, waiting, idle or sink."""

    receiver: str
    integration: str
    target: str
    state: str
    last: words.Moment | None  # delivered
    took: str
    waiting: int
    since: words.Moment | None  # the oldest that waits
    next: words.Moment | None
    problem: str
    place: str


def tell_line(delivery: Delivery, desk: Desk) -> TellLine:
    """`delivery` as a line."""
    now = desk.clock.now()
    outcome = _OUTCOMES[delivery.state]
    if delivery.state is DeliveryState.READY and delivery.attempts:
        outcome = f"RETRY {delivery.attempts}"
    waits = delivery.state in (DeliveryState.READY, DeliveryState.AMBIGUOUS)
    began = delivery.started_at if delivery.started_at is not None else delivery.created_at
    integration = desk.engine.routing.integration(delivery.integration)
    return TellLine(
        id=delivery.id,
        at=words.moment(began, now),
        receiver=delivery.receiver,
        integration=delivery.integration,
        target=words.target(integration, delivery.receiver),
        kind=str(delivery.kind),
        state=str(delivery.state),
        outcome=outcome,
        took=_took(delivery),
        reason=delivery.reason,
        detail=delivery.detail,
        next=words.moment(delivery.due_at, now) if waits and delivery.due_at > now else None,
        summary=delivery.summary,
        route=_route(delivery, desk),
        group=wording.group_id(delivery.group),
        alerts=(*delivery.firing, *delivery.resolved),
        may_repeat=delivery.may_repeat,
    )


def receivers(desk: Desk, recent: Sequence[Delivery]) -> list[ReceiverLine]:
    """Each integration, failing ones first; `recent` are the store's, newest first."""
    rows: list[ReceiverLine] = []
    waiting: dict[str, list[Delivery]] = {}
    for delivery in desk.engine.ledger.deliveries.values():
        waiting.setdefault(delivery.integration, []).append(delivery)
    sent: dict[str, Delivery] = {}
    for delivery in recent:
        if delivery.state is DeliveryState.SENT:
            sent.setdefault(delivery.integration, delivery)
    for receiver in desk.engine.routing.receivers:
        where = f"{receiver.location.file}:{receiver.location.line}"
        if not receiver.integrations:
            rows.append(_sink(receiver.name, where))
        for integration in receiver.integrations:
            base = _sink(receiver.name, where)
            target = words.target(integration, integration.kind)
            known = replace(base, integration=integration.id, target=target, problem="")
            last, mine = sent.get(integration.id), waiting.get(integration.id, [])
            rows.append(_filled(known, last, mine, desk.clock.now()))
    order = ["failing", "waiting", "ok", "idle", "sink"]
    return sorted(rows, key=lambda row: order.index(row.state))


def _filled(
    line: ReceiverLine, last: Delivery | None, waiting: list[Delivery], now: float
) -> ReceiverLine:
    failing = [d for d in waiting if d.failure is not Failure.NONE]
    due = min((d.due_at for d in failing or waiting), default=0.0)
    return replace(
        line,
        state="failing" if failing else "waiting" if waiting else "ok" if last else "idle",
        last=words.moment(last.finished_at, now) if last else None,
        took=_took(last) if last else "",
        waiting=len(waiting),
        since=words.moment(min((d.created_at for d in waiting), default=None), now),
        next=words.moment(due, now) if due > now else None,
        problem=next((d.detail or str(d.failure) for d in failing), ""),
    )


def _sink(name: str, where: str) -> ReceiverLine:
    return ReceiverLine(
        *(name, "", "nobody", "sink", None, "", 0, None, None),
        problem="tells nobody, as its routes ask",
        place=where,
    )


def _took(delivery: Delivery) -> str:
    if delivery.state is not DeliveryState.SENT:
        return ""  # how long a refusal took helps nobody
    if delivery.finished_at is None or delivery.started_at is None:
        return ""
    return words.milliseconds(max(0.0, delivery.finished_at - delivery.started_at))


def _route(delivery: Delivery, desk: Desk) -> str:
    group = desk.engine.ledger.groups.get(delivery.group)
    route = desk.engine.router.routes.get(group.route) if group else None
    return f"{route.receiver}, {words.place(route)}" if route else ""
