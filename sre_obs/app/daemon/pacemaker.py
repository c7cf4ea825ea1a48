"""Wakes the engine when something falls due, and tells it the time while nothing does."""

from __future__ import annotations

import asyncio

from sre_obs.adapters.clock import Clock
from sre_obs.app.daemon.engine import Engine
from sre_obs.app.daemon.waiting import first_of

# Never longer than this: a clock that is set back must not stop the daemon, and one that
# jumps ahead is to be noticed.
MAX_NAP = 1.0


class Pacemaker:
    """One per daemon: give `moved` to the engine, then `run`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._earlier = asyncio.Event()
        self._planned: float | None = None

    def moved(self, wake: float | None) -> None:
        """The engine wants to be woken then."""
        if wake is not None and (self._planned is None or wake < self._planned):
            self._earlier.set()

    async def run(self, engine: Engine) -> None:
        """Sleep until the next group or delivery falls due, or an earlier one turns up."""
        clock = self._clock
        while True:
            now = clock.now()
            self._planned = engine.next_wake(now)
            nap = min(max((self._planned or now + MAX_NAP) - now, 0.0), MAX_NAP)
            self._earlier.clear()
            await first_of(clock.sleep(nap), self._earlier.wait())
            now = clock.now()
            engine.tick(now)
            wake = engine.next_wake(now)
            if wake is not None and wake <= now:
                engine.advance(now)
