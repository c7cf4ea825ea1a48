"""The dead man's switch: an outside address hears from us while all is well.

What "well" means is asked for each time; when it is not, the call is left out, and whoever
expects it pages. So the one failure that we can't tell of ourselves is told by silence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor

import structlog

from sre_obs.adapters.clock import Clock

log = structlog.get_logger("heartbeat")


async def beat(
    call: Callable[[], None],
    trouble: Callable[[], str],
    report: Callable[[bool], None],
    *,
    interval: float,
    clock: Clock,
    pool: Executor,
) -> None:
    """Call every `interval` seconds, until cancelled, unless there is `trouble`."""
    loop = asyncio.get_running_loop()
    while True:
        why = trouble()
        if why:
            log.error("heartbeat left out", why=why)
            report(False)
        else:
            try:
                await loop.run_in_executor(pool, call)
                report(True)
            except OSError as error:
                log.error("heartbeat not delivered", error=str(error))
                report(False)
        await clock.sleep(interval)
