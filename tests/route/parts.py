"""Builders for the tests of this room: routes, routings, alerts, with plain defaults."""

from __future__ import annotations

from typing import Any

from sre_obs.model.alert import Alert, EndReason, fingerprint
from sre_obs.model.problem import Location
from sre_obs.model.routing import (
    Receiver,
    Route,
    Routing,
    SlackIntegration,
    WebhookIntegration,
)
from sre_obs.model.secret import Secret
from sre_obs.query.matchers import parse_matchers

HOOK = WebhookIntegration("hook/webhook[0]", Secret("http://127.0.0.1:1/"))
CHAT = SlackIntegration("chat/slack[0]", "#chat", Secret("xoxb-1"))
RECEIVERS = (Receiver("hook", (HOOK,)), Receiver("chat", (CHAT,)), Receiver("nobody"))


def route(matchers: str = "", *children: Route, **fields: Any) -> Route:
    """A route to the webhook; its id is its matchers."""
    defaults: dict[str, Any] = {
        "id": f"{{{matchers}}}",
        "receiver": "hook",
        "location": Location("routes.yml", 1),
        "matchers": parse_matchers(matchers),
        "group_by": ("alertname",),
        "routes": children,
    }
    return Route(**(defaults | fields))


def routing(root: Route | None = None) -> Routing:
    """A routing with all receivers of this module."""
    return Routing(root or route(), RECEIVERS)


def alert(labels: dict[str, str], *, at: float = 1000.0, **fields: Any) -> Alert:
    """An alert that fires since `at`, until something says otherwise."""
    defaults: dict[str, Any] = {
        "annotations": {"summary": "It is bad"},
        "starts_at": at,
        "fired_at": at,
        "updated_at": at,
    }
    return Alert(fingerprint=fingerprint(labels), labels=labels, **(defaults | fields))


def ended(labels: dict[str, str], *, at: float, **fields: Any) -> Alert:
    """The same alert, resolved by its sender at `at`."""
    return alert(labels, at=at, **({"ends_at": at, "ended": EndReason.SENDER} | fields))
