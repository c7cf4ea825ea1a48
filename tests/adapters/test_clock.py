"""The clocks: what the rest of the program is told."""

from __future__ import annotations

import asyncio

import pytest

from sre_obs.adapters.clock import Clock, ScaledClock, SystemClock


def test_a_scaled_clock_runs_so_many_times_as_fast_from_its_start() -> None:
    ticks = iter([50.0, 50.0, 52.5])
    clock = ScaledClock(1_000.0, 20.0, timer=lambda: next(ticks))

    assert clock.now() == 1_000.0
    assert clock.now() == 1_050.0


def test_a_scaled_clock_waits_in_its_own_seconds() -> None:
    clock = ScaledClock(0.0, 10_000.0)

    async def wait() -> float:
        await asyncio.wait_for(clock.sleep(100.0), timeout=5.0)
        return clock.now()

    assert asyncio.run(wait()) >= 99.0


def test_a_clock_that_stands_still_is_refused() -> None:
    with pytest.raises(ValueError, match="above zero"):
        ScaledClock(0.0, 0.0)


@pytest.mark.parametrize("clock", [SystemClock(), ScaledClock(0.0, 60.0)])
def test_time_does_not_run_backwards(clock: Clock) -> None:
    before, started = clock.now(), clock.timer()
    asyncio.run(clock.sleep(-1.0))

    assert clock.now() >= before
    assert clock.timer() >= started
