"""When rules are due."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sre_obs.evaluate.schedule import Due, due, next_due, offset
from tests.evaluate.world import LOGS, T0, rule


def test_rules_on_one_stream_share_their_tick_and_streams_take_turns() -> None:
    one, two = rule(), rule(id="app/other", for_=60.0)
    assert offset(one) == offset(two)
    offsets = {offset(rule(index=(f"metrics-{n}",))) for n in range(50)}
    assert len(offsets) > 40
    assert all(0 <= o < 60 for o in offsets)


def test_a_rule_that_never_ran_runs_at_the_newest_time() -> None:
    (at,) = due(rule(), None, T0).times
    assert T0 - 60 < at <= T0
    assert next_due(rule(), None, T0) == T0


def test_missed_times_are_caught_up_in_order_and_old_ones_counted() -> None:
    (last,) = due(rule(), None, T0).times
    found = due(rule(), last, last + 600)
    assert found == Due(tuple(last + 60 * n for n in range(1, 11)), 0)
    late = due(rule(), last, last + 600, catch_up=300.0)
    assert (late.times, late.dropped) == (found.times[5:], 5)
    day = due(rule(), last, last + 2 * 86_400)
    assert (len(day.times), day.dropped) == (1_440, 1_440)


def test_a_clock_set_back_does_not_stop_a_rule() -> None:
    (last,) = due(rule(), None, T0).times
    assert due(rule(), last, last - 30).times == ()
    (again,) = due(rule(), last, last - 7_200).times
    assert last - 7_260 < again <= last - 7_200
    assert next_due(rule(), last, last - 7_200) == last - 7_200


@given(
    st.floats(1.0, 3_600.0),
    st.floats(1e9, 2e9),
    st.lists(st.floats(0.01, 5_000.0), min_size=1, max_size=20),
)
def test_no_time_is_run_twice_or_left_out(
    interval: float, start: float, steps: list[float]
) -> None:
    one = rule(interval=interval, index=(LOGS,))
    ran: list[float] = []
    now, last = start, None
    for step in steps:
        wake = next_due(one, last, now)
        found = due(one, last, now)
        assert bool(found.times) == (wake <= now)
        ran.extend(found.times)
        last = ran[-1] if ran else None
        now += step
    assert ran == sorted(set(ran))
    whole = due(one, ran[0], ran[-1]).times
    assert [ran[0], *whole] == ran
