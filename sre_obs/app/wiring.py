"""Builds the parts from the settings: the only place that knows which adapter is used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TextIO

from sre_obs.adapters.clock import Clock, SystemClock
from sre_obs.app.settings import Settings, SourceSettings, secret, split_address
from sre_obs.app.usecases.load import Content, load_content
from sre_obs.evaluate.ports import Renderer, Source
from sre_obs.model.errors import UsageError
from sre_obs.model.notification import Delivery
from sre_obs.model.outcome import Answer
from sre_obs.model.routing import (
    Integration,
    Routing,
    SlackIntegration,
    TerminalIntegration,
    WebhookIntegration,
)
from sre_obs.model.secret import Secret
from sre_obs.model.store import Store
from sre_obs.notify.ports import Sender

if TYPE_CHECKING:
    from sre_obs.adapters.elasticsearch import ElasticsearchOptions
    from sre_obs.adapters.elasticsearch.kibana import KibanaAlerts


@dataclass(slots=True)
class Parts:
    """Everything that the daemon is made of. The demo differs in `sources` and `clock`."""

    settings: Settings
    version: str
    clock: Clock
    content: Content
    store: Store
    sources: Mapping[str, Source]
    renderer: Renderer
    senders: Mapping[str, Sender]
    token: Secret
    load: Callable[[], Content]
    terminal: TextIO
    kibanas: Mapping[str, KibanaAlerts] = field(default_factory=dict)
    heartbeat: Callable[[], None] | None = None
    delivered: Callable[[Delivery, Answer, float], None] = lambda *_: None
    closers: list[Callable[[], None]] = field(default_factory=list)

    def replace(self, content: Content) -> None:
        """Take newly loaded content over; senders whose receiver is unchanged stay."""
        self.senders = make_senders(
            content.routing, self.terminal, self.senders, self.content.routing
        )
        self.content = content

    def close(self) -> None:
        """Let go of all that holds a file, a process or a connection."""
        for part in (*self.senders.values(), *self.sources.values(), *self.kibanas.values()):
            close = getattr(part, "close", None)
            if close is not None:
                close()
        for close in reversed(self.closers):
            close()


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    sources: Mapping[str, Source] | None = None,
    dry_run: bool = False,
    terminal: TextIO = sys.stdout,
) -> Parts:
    """The parts for `settings`. Raises SreObsError when one can't be had.

    `dry_run` evaluates and routes as always, and prints instead of sending.
    """
    from importlib.metadata import version

    from sre_obs.adapters.store.sqlite import SqliteStore
    from sre_obs.adapters.templates import BoundedRenderer

    clock = clock or SystemClock()

    def load() -> Content:
        content = load_content(settings)
        return replace(content, routing=_printed(content.routing)) if dry_run else content

    content = load()
    token = secret(settings.token, settings.token_file, "token")
    check_exposure(settings.listen, bool(token))
    store = SqliteStore(settings.data / "state.db", timer=clock.timer)
    if not dry_run:
        store.make_room()
    renderer = BoundedRenderer()
    parts = Parts(
        settings=settings,
        version=version("sre-obs"),
        clock=clock,
        content=content,
        store=store,
        sources=sources if sources is not None else make_sources(settings),
        renderer=renderer,
        senders=make_senders(content.routing, terminal),
        terminal=terminal,
        token=token,
        load=load,
        kibanas={} if sources is not None else make_kibanas(settings),
        closers=[store.close, renderer.close],
    )
    url = secret(settings.heartbeat.url, settings.heartbeat.url_file, "heartbeat.url")
    if url and not dry_run:
        from sre_obs.adapters.heartbeat import call

        parts.heartbeat = lambda: call(url)
    return parts


def make_sources(settings: Settings) -> dict[str, Source]:
    """A client for each cluster that has hosts and that rules read."""
    from sre_obs.adapters.elasticsearch import ElasticsearchSource

    return {
        name: ElasticsearchSource(name, source_options(name, source))
        for name, source in settings.sources.items()
        if source.hosts and source.from_ == "rules"
    }


def make_kibanas(settings: Settings) -> dict[str, KibanaAlerts]:
    """A reader for each cluster whose Kibana's alerts are to be told."""
    from sre_obs.adapters.elasticsearch.kibana import KibanaAlerts

    return {
        name: KibanaAlerts(name, source_options(name, source))
        for name, source in settings.sources.items()
        if source.hosts and source.from_ == "kibana"
    }


def source_options(name: str, source: SourceSettings) -> ElasticsearchOptions:
    """One cluster's settings with its secrets read."""
    from sre_obs.adapters.elasticsearch import ElasticsearchOptions

    place = f"sources.{name}"
    return ElasticsearchOptions(
        hosts=source.hosts,
        api_key=secret(source.api_key, source.api_key_file, f"{place}.api_key"),
        user=source.user,
        password=secret(source.password, source.password_file, f"{place}.password"),
        ca_certs=str(source.ca_certs or ""),
        verify=source.verify,
        proxy=source.proxy,
        timeout=source.timeout,
    )


def make_senders(
    routing: Routing,
    terminal: TextIO,
    known: Mapping[str, Sender] | None = None,
    before: Routing | None = None,
) -> dict[str, Sender]:
    """A sender for each integration; one that did not change is kept with its connections."""
    senders: dict[str, Sender] = {}
    for receiver in routing.receivers:
        for integration in receiver.integrations:
            same = before is not None and before.integration(integration.id) == integration
            if same and known is not None and integration.id in known:
                senders[integration.id] = known[integration.id]
            else:
                senders[integration.id] = make_sender(integration, terminal)
    return senders


def make_sender(integration: Integration, terminal: TextIO) -> Sender:
    """The client that speaks to one integration."""
    match integration:
        case SlackIntegration():
            from sre_obs.adapters.slack import SlackSender

            return SlackSender(integration)
        case WebhookIntegration():
            from sre_obs.adapters.webhook import WebhookSender

            return WebhookSender(integration)
        case TerminalIntegration():
            from sre_obs.adapters.terminal import TerminalSender

            return TerminalSender(terminal)


def check_exposure(listen: str, token: bool) -> None:
    """Refuse to serve strangers without a token. Raises UsageError."""
    host, _ = split_address(listen)
    if not token and host not in ("127.0.0.1", "::1", "localhost"):
        raise UsageError(
            f"refused: {listen} is open to others and no token is set",
            where="listen",
            remedy="set token_file, or listen on 127.0.0.1",
        )


def _printed(routing: Routing) -> Routing:
    """The same routes, but every receiver prints."""
    receivers = tuple(
        replace(
            receiver,
            integrations=(TerminalIntegration(f"{receiver.name}/terminal[0]"),),
        )
        for receiver in routing.receivers
    )
    return replace(routing, receivers=receivers)
