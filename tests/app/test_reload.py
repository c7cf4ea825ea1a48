"""A reload that fails in a way that nobody foresaw keeps the old configuration, aloud."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sre_obs.app.daemon.daemon import Daemon, Listening
from sre_obs.app.daemon.desk import Desk
from sre_obs.app.settings import Settings
from sre_obs.app.usecases.load import Content
from sre_obs.app.wiring import build


def test_a_failure_of_ours_is_refused_like_any_other_and_the_next_reload_works(
    tmp_path: Path,
) -> None:
    settings = Settings.model_validate({"data": tmp_path, "listen": "127.0.0.1:0"})
    parts = build(settings)
    load = parts.load
    seen: list[tuple[bool, list[str]]] = []

    def broken() -> Content:
        raise ZeroDivisionError("secret-canary")

    async def ready(desk: Desk, _: Listening) -> None:
        for each in (broken, load):
            parts.load = each
            problems = await desk.reload()
            seen.append((desk.reload_ok, [problem.message for problem in problems]))
        daemon.stop()

    daemon = Daemon(parts, ready=ready)
    asyncio.run(daemon.run())
    (refused, (words,)), (fine, none) = seen
    assert (refused, fine, none) == (False, True, [])
    assert "ZeroDivisionError" in words
    assert "canary" not in words
