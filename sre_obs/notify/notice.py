"""A `Notice`: all that rendering needs, so that a renderer looks nothing up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sre_obs.model.alert import Alert
from sre_obs.model.ledger import Ledger
from sre_obs.model.notification import Delivery, DeliveryKind, Group
from sre_obs.model.outcome import MessageRef
from sre_obs.model.routing import Integration, Route, Routing, TerminalIntegration


@dataclass(frozen=True, slots=True)
class Notice:
    """One delivery with everything it speaks of, as known at `now`.

    `message` is the message to edit or to answer, of the delivery's own generation; None
    for a post, and when it is not known. `route` is what a person finds the route by:
    ``payments, routes.yml:14``. `external_url` is where our page is reached, or empty.
    """

    delivery: Delivery
    group: Group
    firing: tuple[Alert, ...]
    resolved: tuple[Alert, ...]
    integration: Integration
    route: str
    external_url: str
    now: float
    message: MessageRef | None = None

    @property
    def receiver(self) -> str:
        """The receiver's name."""
        return self.delivery.receiver

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Firing, then resolved."""
        return self.firing + self.resolved


def make_notice(
    delivery: Delivery, ledger: Ledger, routing: Routing, external_url: str, now: float
) -> Notice:
    """Gather what `delivery` speaks of.

    An alert is listed where the delivery decided it belongs, with today's words. What the
    ledger no longer has (a group or an alert that was forgotten, an integration that a
    reload removed) is left out rather than refused: the delivery must still go out.
    """
    group = ledger.groups.get(delivery.group) or Group(
        key=delivery.group,
        route="",
        receiver=delivery.receiver,
        labels={},
        created_at=delivery.created_at,
        flush_at=None,
    )
    integration = routing.integration(delivery.integration)
    return Notice(
        delivery=delivery,
        group=group,
        firing=_alerts(delivery.firing, ledger),
        resolved=_alerts(delivery.resolved, ledger),
        integration=integration or TerminalIntegration(delivery.integration),
        route=_route_text(routing.root, group.route),
        external_url=external_url,
        now=now,
        message=_message(delivery, group),
    )


def _alerts(fingerprints: Iterable[str], ledger: Ledger) -> tuple[Alert, ...]:
    known = (ledger.alerts.get(fingerprint) for fingerprint in fingerprints)
    return tuple(alert for alert in known if alert is not None)


def _message(delivery: Delivery, group: Group) -> MessageRef | None:
    if delivery.kind is DeliveryKind.POST:
        return None
    if delivery.message is not None:
        return delivery.message
    told = group.told.get(delivery.integration)
    # Another generation is another message: an edit of the old one must not hit the new.
    if told is None or told.generation != delivery.generation:
        return None
    return told.message


def _route_text(root: Route, id_: str) -> str:
    route = _find(root, id_)
    if route is None:
        return ""
    return f"{route.receiver}, {route.location.file}:{route.location.line}"


def _find(route: Route, id_: str) -> Route | None:
    if route.id == id_:
        return route
    return next((found for child in route.routes if (found := _find(child, id_))), None)
