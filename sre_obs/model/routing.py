"""Who is told: the route tree, the receivers and their integrations (alertmanager.yml)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from sre_obs.model.matcher import Matcher
from sre_obs.model.problem import Location
from sre_obs.model.secret import Secret


@dataclass(frozen=True, slots=True)
class SlackIntegration:
    """A bot that posts into one channel. `api_url` is the Web API's base, with a slash."""

    id: str  # "<receiver>/slack[0]": the name of outcomes, lanes and metrics
    channel: str  # "#name" or an id
    token: Secret
    api_url: str = "https://slack.com/api/"
    send_resolved: bool = True
    rise_to_channel: bool = True  # the reply that a severity rose: in the channel as well
    kind: str = field(default="slack", init=False)


@dataclass(frozen=True, slots=True)
class WebhookIntegration:
    """Alertmanager's webhook: its JSON, version 4, in a POST to `url`."""

    id: str
    url: Secret  # may hold a token in its path
    send_resolved: bool = True
    max_alerts: int = 0  # 0: all of them
    timeout: float = 10.0
    bearer: Secret = field(default_factory=lambda: Secret(""))
    user: str = ""
    password: Secret = field(default_factory=lambda: Secret(""))
    kind: str = field(default="webhook", init=False)


@dataclass(frozen=True, slots=True)
class TerminalIntegration:
    """Prints to the daemon's standard output."""

    id: str
    send_resolved: bool = True
    kind: str = field(default="terminal", init=False)


Integration: TypeAlias = SlackIntegration | WebhookIntegration | TerminalIntegration


@dataclass(frozen=True, slots=True)
class Receiver:
    """A name that routes use, and the integrations that it stands for (none: a sink)."""

    name: str
    integrations: tuple[Integration, ...] = ()
    location: Location = field(default_factory=lambda: Location("-"))


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the tree; what a child does not set it has inherited already.

    `id` is the path of matchers from the root, stable while they are: it opens the key of
    each group. `group_by` of None means by all labels (``['...']``).
    """

    id: str
    receiver: str
    location: Location
    matchers: tuple[Matcher, ...] = ()
    group_by: tuple[str, ...] | None = ()
    group_wait: float = 30.0
    group_interval: float = 300.0
    repeat_interval: float = 14_400.0
    continues: bool = False
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True)
class Routing:
    """A whole routes file. `text` is as written, its secrets masked (for the API)."""

    root: Route
    receivers: tuple[Receiver, ...]
    resolve_timeout: float = 300.0  # an alert from the API ends so long after its last send
    text: str = ""

    def receiver(self, name: str) -> Receiver | None:
        """The receiver of that name."""
        return next((r for r in self.receivers if r.name == name), None)

    def integration(self, id_: str) -> Integration | None:
        """The integration of that id."""
        found = (i for r in self.receivers for i in r.integrations if i.id == id_)
        return next(found, None)
