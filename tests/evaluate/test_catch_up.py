"""Ten minutes down gives the same alerts and times as never down."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from sre_obs.evaluate.schedule import due
from sre_obs.model.alert import Alert
from sre_obs.model.rule import Comparison, Function, Rule, RuleKind, Threshold
from tests.evaluate.world import LOGS, T0, World, every, rule

BUSY = Threshold(Function.MAX, "cpu", comparison=Comparison.GTE, limit=0.9)
RULES = (
    rule(threshold=BUSY, window=60.0, for_=180.0),
    rule(id="app/kept", threshold=BUSY, window=60.0, keep_firing_for=120.0),
    rule(id="app/errors", kind=RuleKind.QUERY, index=(LOGS,), window=60.0, interval=30.0),
    rule(id="app/gone", kind=RuleKind.ABSENCE, window=120.0, for_=60.0),
)


def history(seed: int) -> World:
    """Half an hour of three pods that get busy, idle, die and come back."""
    chance = random.Random(seed)
    world = World(*RULES)
    for pod in ("a", "b", "c"):
        at = T0 - 300
        while at < T0 + 1_800:
            length = chance.choice([60, 120, 240, 400])
            cpu = chance.choice([0.1, 0.95, 1.0, None])
            if cpu is not None:
                world.sample(every(10, at, at + length), pod=pod, cpu=cpu)
            at += length
    world.sample([T0 + chance.randrange(1_800) for _ in range(6)], LOGS, pod="a")
    return world


def live(world: World, wake_ups: Sequence[float]) -> list[Alert]:
    """Evaluate whatever is due at each of these times, as the daemon does."""
    for now in wake_ups:
        rounds: dict[float, list[Rule]] = {}
        for one in RULES:
            run = world.ledger.runs.get(one.id)
            for at in due(one, run.at if run else None, now).times:
                rounds.setdefault(at, []).append(one)
        for at in sorted(rounds):
            world.round(at, *rounds[at])
    return world.told


@pytest.mark.parametrize("seed", range(6))
def test_ten_minutes_down_change_nothing(seed: int) -> None:
    always = every(10, T0, T0 + 1_500)
    down = [at for at in always if not T0 + 400 <= at < T0 + 1_000]
    first = live(history(seed), always)
    assert first
    assert live(history(seed), down) == first
