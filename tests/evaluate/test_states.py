"""One entity from judgement to judgement, whatever their order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sre_obs.evaluate.states import ALERTING, BEGUN, Truth, Verdict, step
from sre_obs.model.evaluation import EntityState, Phase
from tests.evaluate.world import T0, rule

TRUTHS = st.lists(st.sampled_from(list(Truth)), max_size=40)
SECONDS = st.sampled_from([0.0, 60.0, 150.0, 300.0])


def walk(truths: list[Truth], for_: float, keep: float) -> list[EntityState | None]:
    one = rule(for_=for_, keep_firing_for=keep)
    states: list[EntityState | None] = [None]
    for number, truth in enumerate(truths):
        verdict = Verdict('["a"]', truth, {"pod": "a"}, value=float(number))
        states.append(step(one, states[-1], verdict, T0 + 60 * number))
    return states


@given(TRUTHS, SECONDS, SECONDS)
def test_nothing_begins_or_ends_because_nothing_was_seen(
    truths: list[Truth], for_: float, keep: float
) -> None:
    states = walk(truths, for_, keep)
    for before, after, truth in zip(states, states[1:], truths, strict=False):
        if truth in (Truth.STALE, Truth.INSUFFICIENT):
            assert (before is None) == (after is None)
            if before is not None and after is not None:
                assert (before.phase, before.since) == (after.phase, after.since)
                assert before.fired_at == after.fired_at


@given(TRUTHS, SECONDS, SECONDS)
def test_an_alert_starts_when_it_was_first_true_and_fires_when_for_is_over(
    truths: list[Truth], for_: float, keep: float
) -> None:
    for number, state in enumerate(walk(truths, for_, keep)):
        if state is None:
            continue
        assert state.phase in BEGUN
        assert truths[round(state.since - T0) // 60] is Truth.TRUE
        alerting = state.phase in ALERTING
        assert (state.fired_at is not None) == alerting
        if state.fired_at is not None:
            assert state.fired_at - state.since >= for_
            assert state.fired_at <= T0 + 60 * (number - 1)


@given(TRUTHS, SECONDS)
def test_keeping_lasts_no_longer_than_it_was_told(truths: list[Truth], keep: float) -> None:
    states = walk(truths, 0.0, keep)
    for number, (state, truth) in enumerate(zip(states[1:], truths, strict=True)):
        if state is not None and state.phase is Phase.KEEPING and truth is Truth.FALSE:
            assert 0 < T0 + 60 * number - state.last_true_at < keep


def test_a_state_is_enough_to_go_on_after_a_restart() -> None:
    one = rule(for_=120.0)
    seen = Verdict('["a"]', Truth.TRUE, {"pod": "a"}, value=3.0)
    state = step(one, None, seen, T0)
    assert state is not None
    stored = EntityState(
        state.rule, state.key, dict(state.entity), Phase(str(state.phase)), state.since,
        state.last_true_at, state.last_seen_at, state.fired_at, state.value, state.peak,
        state.stale_since,
    )  # fmt: skip
    fired = step(one, stored, seen, T0 + 120)
    assert fired is not None
    assert (fired.phase, fired.since, fired.fired_at) == (Phase.FIRING, T0, T0 + 120)
