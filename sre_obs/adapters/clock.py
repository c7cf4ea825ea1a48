"""The one module that reads a clock, and the demo's clock that runs faster.

Everybody else takes the time as an argument: `now` for what happens when, a `timer` for
how long something took.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """What time it is, how long things take, and waiting."""

    def now(self) -> float:
        """Seconds since the epoch, UTC. May step when the machine's clock is set."""
        ...

    def timer(self) -> float:
        """Seconds since some start, never stepping: only differences mean anything.

        Real seconds at any speed, since work and networks don't speed up with the clock.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of this clock; not at all if zero or less."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return time.time()

    def timer(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""
        import asyncio

        await asyncio.sleep(max(seconds, 0.0))


class ScaledClock:
    """A clock that starts at `start` (seconds since the epoch) and runs `speed` times as
    fast as the machine's; it never steps. Raises ValueError for a speed of zero or less.
    """

    def __init__(
        self, start: float, speed: float, *, timer: Callable[[], float] = time.monotonic
    ) -> None:
        if not speed > 0:
            raise ValueError("a clock's speed must be above zero")
        self._start = start
        self._speed = speed
        self._timer = timer
        self._origin = timer()

    def now(self) -> float:
        """Seconds since the epoch on this clock."""
        return self._start + (self._timer() - self._origin) * self._speed

    def timer(self) -> float:
        """Monotonic real seconds."""
        return self._timer()

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of this clock."""
        import asyncio

        await asyncio.sleep(max(seconds, 0.0) / self._speed)
