"""Wires the recording, the fast clock and the Slack stand-in into the daemon's parts."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sre_obs.adapters.clock import ScaledClock
from sre_obs.adapters.recorded import RecordedSource, recording
from sre_obs.app.daemon.daemon import Daemon, Listening
from sre_obs.app.daemon.desk import Desk
from sre_obs.app.daemon.web import pages
from sre_obs.app.demo.slack_standin import StandIn
from sre_obs.app.settings import Settings
from sre_obs.app.wiring import build
from sre_obs.model.notification import DeliveryState
from sre_obs.model.rule import RuleState

HERE = Path(__file__).parent
# The recording's interesting part: 2026-11-24 06:38:20 UTC, seconds since the epoch.
START = 1_795_502_300.0
PORT = 9093


@dataclass(frozen=True, slots=True)
class Summary:
    """What the demo did, in numbers."""

    documents: int
    rules: int
    fired: int
    resolved: int
    delivered: int


async def demo(
    *,
    speed: float,
    exit_after: float | None,
    listen: str,
    terminal: TextIO,
    say: Callable[[str], None],
) -> Summary:
    """Run until stopped, or for `exit_after` real seconds. Raises SreObsError."""
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
                "listen": listen or f"127.0.0.1:{_port()}",
                "slack": {"token": "xoxb-stand-in", "api_url": slack.api_url},
            }
        )
        source = RecordedSource("default", recording(HERE / "telemetry"), clock.now)
        parts = build(settings, clock=clock, sources={"default": source}, terminal=terminal)
        summary = Summary(0, 0, 0, 0, 0)
        daemon: Daemon

        def ready(desk: Desk, listening: Listening) -> None:
            say(f"Recorded telemetry at {speed:g}x. Nothing leaves this computer.")
            say(f"  page http://{listening.api}   Slack stand-in: http://{listening.api}/slack")
            if exit_after is not None:
                loop = asyncio.get_running_loop()
                loop.call_later(exit_after, daemon.stop)

        def finish(desk: Desk) -> None:
            nonlocal summary
            summary = _count(desk, source)

        def web(desk: Desk) -> list[BaseRoute]:
            return [*pages(desk), *_slack_pages(slack)]

        daemon = Daemon(parts, ready=ready, web=web, stopping=finish)
        await daemon.run()
        return summary


def _count(desk: Desk, source: RecordedSource) -> Summary:
    alerts = desk.store.history(limit=10_000)
    sent = [d for d in desk.store.deliveries(limit=10_000) if d.state is DeliveryState.SENT]
    return Summary(
        documents=source.visible(),
        rules=sum(r.state is not RuleState.DISABLED for r in desk.evaluations.rules),
        fired=len(alerts),
        resolved=sum(not alert.firing(desk.clock.now()) for alert in alerts),
        delivered=len(sent),
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
