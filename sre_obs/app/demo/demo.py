"""Wires the recording, the fast clock and the Slack stand-in into the daemon's parts, and
says what happens, a line an event."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sre_obs.adapters.clock import ScaledClock
from sre_obs.adapters.recorded import RecordedSource, recording
from sre_obs.app.daemon.daemon import Daemon, Listening
from sre_obs.app.daemon.desk import Desk
from sre_obs.app.daemon.web import pages
from sre_obs.app.daemon.web.firing import card
from sre_obs.app.demo.slack_standin import StandIn
from sre_obs.app.settings import Settings
from sre_obs.app.wiring import build
from sre_obs.model.alert import Alert
from sre_obs.model.notification import Delivery
from sre_obs.model.outcome import Answer, Verdict
from sre_obs.model.rule import RuleState

HERE = Path(__file__).parent
# The recording's interesting part: 2026-11-24 06:38:20 UTC, seconds since the epoch.
START = 1_795_502_300.0
PORT = 9093
# How often (in real seconds) the ledger is looked at for what to say.
LOOK = 0.1


@dataclass(frozen=True, slots=True)
class Summary:
    """What the demo did, in numbers."""

    documents: int
    rules: int
    fired: int
    resolved: int
    delivered: int


@dataclass(frozen=True, slots=True)
class Voice:
    """Where the demo speaks: `head` before it runs, `event` a line for each thing."""

    head: Callable[[str], None]
    event: Callable[[str], None]


async def demo(
    *, speed: float, exit_after: float | None, listen: str, voice: Voice
) -> tuple[Summary, float]:
    """Run until stopped, or for `exit_after` real seconds; what it did, and for how long.

    Raises SreObsError if it can't start.
    """
    port = PORT if listen else _port()
    if port != PORT:
        voice.head(f"Port {PORT} is taken: the page gets another one.")
    clock = ScaledClock(START, speed)
    with (
        TemporaryDirectory(prefix="sre-obs-demo-") as folder,
        StandIn(channels=("platform",), clock=clock) as slack,
    ):
        settings = Settings.model_validate(
            {
                "data": folder,
                "rules": "bundled",
                "overrides": HERE / "overrides.yml",
                "routes": HERE / "routes.yml",
                "listen": listen or f"127.0.0.1:{port}",
                "slack": {"token": "xoxb-stand-in", "api_url": slack.api_url},
            }
        )
        source = RecordedSource("default", recording(HERE / "telemetry"), clock.now)
        parts = build(settings, clock=clock, sources={"default": source})
        summary, began = Summary(0, 0, 0, 0, 0), clock.timer()
        daemon: Daemon
        watches: list[_Watch] = []
        watching: list[asyncio.Task[None]] = []

        def ready(desk: Desk, listening: Listening) -> None:
            voice.head(f"Recorded telemetry at {speed:g}x. Nothing leaves this computer.")
            voice.head(f"  page http://{listening.api}   Slack stand-in: /slack")
            loop = asyncio.get_running_loop()
            watch = _Watch(desk, began, voice.event, ends=source.ends())
            parts.delivered = watch.delivered
            watches.append(watch)
            watching.append(loop.create_task(watch.run(LOOK * speed)))
            if exit_after is not None:
                loop.call_later(exit_after, daemon.stop)

        def finish(desk: Desk) -> None:
            nonlocal summary
            for task in watching:
                task.cancel()
            for watch in watches:
                watch.look()
            summary = _count(desk, source)

        def web(desk: Desk) -> list[BaseRoute]:
            return [*pages(desk), *_slack_pages(slack)]

        daemon = Daemon(parts, ready=ready, web=web, stopping=finish)
        await daemon.run()
        # What was under way at the end was still answered.
        delivered = sum(watch.told for watch in watches)
        return replace(summary, delivered=delivered), clock.timer() - began


class _Watch:
    """Says what began, ended and arrived, with real seconds since the start."""

    def __init__(
        self, desk: Desk, began: float, say: Callable[[str], None], *, ends: float
    ) -> None:
        self._desk = desk
        self._began = began
        self._say = say
        self._ends: float | None = ends  # of the recording; None once that was said
        self._firing: dict[str, Alert] = {}
        self.told = 0  # deliveries that arrived

    async def run(self, pause: float) -> None:
        """Look at the ledger every `pause` seconds of its clock, until cancelled."""
        while True:
            self.look()
            await self._desk.clock.sleep(pause)

    def look(self) -> None:
        """Say what changed since the last look."""
        now = self._desk.clock.now()
        for id_, alert in list(self._desk.engine.ledger.alerts.items()):
            if alert.firing(now) and id_ not in self._firing:
                self._firing[id_] = alert
                self._tell("FIRING", alert)
            elif not alert.firing(now) and self._firing.pop(id_, None) is not None:
                self._tell("RESOLVED", alert)
        if self._ends is not None and now > self._ends:
            self._ends = None
            self._line("OVER", "The recording is over: what fires now goes stale. Ctrl-C ends.")

    def delivered(self, delivery: Delivery, answer: Answer, seconds: float) -> None:
        """A receiver answered."""
        self.look()
        integration = self._desk.engine.routing.integration(delivery.integration)
        where = getattr(integration, "channel", delivery.receiver)
        if answer.verdict is not Verdict.DELIVERED:
            self._line("WAITS", f"{where}  {answer.detail}")
            return
        self.told += 1
        about = (*delivery.firing, *delivery.resolved)
        alerts = [self._desk.engine.ledger.alerts.get(id_) for id_ in about]
        names = ", ".join(sorted({alert.name for alert in alerts if alert is not None}))
        self._line("DELIVERED", f"{where}  {seconds * 1000:.0f} ms  {delivery.kind}: {names}")

    def _tell(self, word: str, alert: Alert) -> None:
        shown = card(alert, self._desk)
        parts = (shown.name, shown.entity, shown.measured)
        self._line(word, "  ".join(part for part in parts if part))

    def _line(self, word: str, text: str) -> None:
        seconds = self._desk.clock.timer() - self._began
        self._say(f"+{seconds:>3.0f} s  {word:<9} {text}")


def _count(desk: Desk, source: RecordedSource) -> Summary:
    alerts, now = desk.store.history(limit=10_000), desk.clock.now()
    return Summary(
        documents=source.visible(),
        rules=sum(r.state is not RuleState.DISABLED for r in desk.evaluations.rules),
        fired=len(alerts),
        resolved=sum(not alert.firing(now) for alert in alerts),
        delivered=0,
    )


def _slack_pages(slack: StandIn) -> list[BaseRoute]:
    async def page(_: Request) -> Response:
        html = slack.page_html(stylesheet="/slack/style.css")
        return Response(html, media_type="text/html; charset=utf-8")

    async def style(_: Request) -> Response:
        return Response(slack.stylesheet(), media_type="text/css")

    return [Route("/slack", page), Route("/slack/style.css", style)]


def _port() -> int:
    """The daemon's usual port, or 0 (any) when it is taken: a demo should just start."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            return 0
    return PORT
