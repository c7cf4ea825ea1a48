"""Which group of a route an alert is in."""

from __future__ import annotations

from collections.abc import Mapping

from sre_obs.model.alert import Alert
from sre_obs.model.notification import Group
from sre_obs.model.routing import Route

_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}


def group_key(route: Route, labels: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """The group's key, as Alertmanager prints it, and the labels that its alerts share.

    ``{}/{team="x"}:{alertname="y", job="z"}``. A label that an alert has not is left out:
    an absent label equals an empty one.
    """
    shared = labels
    if route.group_by is not None:
        shared = {name: value for name in route.group_by if (value := labels.get(name))}
    printed = ", ".join(
        [f"{_name(n)}={quote(value)}" for n in sorted(shared) if (value := shared[n])]
    )
    return f"{route.id}:{{{printed}}}", shared


def belongs(alert: Alert, group: Group, route: Route) -> bool:
    """Whether an alert that takes `route` is in `group` of it, by the labels that it has now."""
    if route.group_by is None:
        return alert.labels == group.labels
    get, shared = alert.labels.get, group.labels.get
    return all((get(name) or "") == (shared(name) or "") for name in route.group_by)


def new_group(route: Route, key: str, labels: Mapping[str, str], alert: Alert, now: float) -> Group:
    """A group that begins with `alert`."""
    return Group(
        key=key,
        route=route.id,
        receiver=route.receiver,
        labels=labels,
        created_at=now,
        flush_at=first_look(route, alert, now),
    )


def first_look(route: Route, alert: Alert, now: float) -> float:
    """When a group that begins with `alert` is looked at: after `group_wait`, or at once
    for an alert that is older than that (we were down, or it changed its group)."""
    return now if alert.fired_at < now - route.group_wait else now + route.group_wait


def waits(group: Group, route: Route) -> bool:
    """Whether the group still waits for its first look."""
    return group.flush_at is not None and group.flush_at <= group.created_at + route.group_wait


def quote(text: str) -> str:
    """In double quotes on one line, no two texts alike; as Go's %q."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join([_ESCAPES.get(c) or _visible(c) for c in text]) + '"'


def _name(name: str) -> str:
    return name if name.isascii() and name.isidentifier() else quote(name)


def _visible(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
