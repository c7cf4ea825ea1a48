"""Rules that count runs, from documents to alerts: n of m, and flapping."""

from __future__ import annotations

from sre_obs.model.alert import Alert, EndReason
from sre_obs.model.evaluation import Outcome, Phase
from sre_obs.model.rule import Flapping, Rule, Runs
from tests.evaluate.world import LOGS, T0, World, rule

MINUTE = 60.0


def logs(**changes: object) -> Rule:
    """True in a run whose last minute has a line of the pod."""
    return rule(index=(LOGS,), window=MINUTE, stale_after=1e6, **changes)


def lines(text: str, *, pods: tuple[str, ...] = ("a",), of: Rule) -> tuple[World, str]:
    """The world after a run for each letter, "a" with a line and "-" without, and after each
    run whether it fires: "f", "~" if it flaps, else "."."""
    world = World(of)
    seen = ""
    for number, letter in enumerate(text):
        at = T0 + MINUTE * number
        if letter == "a":
            for pod in pods:
                world.sample([at - 5], LOGS, pod=pod)
        world.round(at)
        firing = world.firing()
        seen += "." if not firing else "~" if any(a.flapping for a in firing) else "f"
    return world, seen


def ends(world: World) -> list[Alert]:
    return [alert for alert in world.told if alert.ended is not None]


def test_an_alert_fires_while_n_of_the_last_m_runs_were_true() -> None:
    world, seen = lines("a-aa-a-----", of=logs(runs=Runs(3, 5)))
    assert seen == "...ffff...."
    (over,) = ends(world)
    assert over.ended is EndReason.UNDER_LIMIT
    assert over.starts_at == over.fired_at == T0 + 3 * MINUTE
    assert not world.states()


def test_what_is_on_its_way_to_n_of_m_is_neither_pending_nor_an_alert() -> None:
    world, _ = lines("a-a", of=logs(runs=Runs(3, 5)))
    (state,) = world.states().values()
    assert state.phase is Phase.OK
    assert world.run().pending == world.run().firing == 0
    assert world.outcome is Outcome.OK


def test_an_alert_that_flaps_is_one_episode_and_ends_when_it_is_calm() -> None:
    damped = Flapping(changes=4, runs=8, calm=3)
    world, seen = lines("a-a-a-a---" + "-" * 8, of=logs(flapping=damped))
    assert seen == "f.f~~~~~~" + "." * 9
    assert [alert.fired_at - T0 for alert in ends(world)] == [0.0, 2 * MINUTE]
    assert not world.states(), "what has not changed for long is forgotten"


def test_a_silent_stream_neither_calms_nor_ends_what_flaps() -> None:
    one = rule(index=(LOGS,), window=MINUTE, flapping=Flapping(changes=4, runs=8, calm=4))
    world = World(one)
    for number, letter in enumerate("a-a-" + "-" * 9):
        at = T0 + MINUTE * number
        if letter == "a":
            world.sample([at - 5], LOGS, pod="a")
        if number < 4:
            world.sample([at - 5], LOGS, pod="other")
        world.round(at)
    (alert,) = [alert for alert in world.firing() if alert.labels["pod"] == "a"]
    assert alert.flapping
    assert alert.stale_since is not None


def test_thousands_that_never_fired_leave_nothing_behind() -> None:
    pods = tuple(f"p{n}" for n in range(2_000))
    one = logs(for_=10 * MINUTE, flapping=Flapping(), runs=None)
    world, seen = lines("aa-", pods=pods, of=one)
    assert seen == "..."
    assert not world.states()
