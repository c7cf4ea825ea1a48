"""Durations as people write them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.content.duration import format_duration, parse_duration, parse_window


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30.0),
        ("5m", 300.0),
        ("1h30m", 5_400.0),
        ("1d", 86_400.0),
        ("1w", 604_800.0),
        ("1y", 31_536_000.0),
        ("1s500ms", 1.5),
        ("0", 0.0),
        ("0s", 0.0),
    ],
)
def test_a_duration_is_read_as_prometheus_reads_it(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("30", '"30" is no duration: it lacks a unit, write 30s or 30m'),
        ("", '"" is no duration: write 30s, 5m or 1h30m'),
        ("1.5h", '"1.5h" is no duration: whole numbers only, write 1m30s'),
        ("-5m", '"-5m" is no duration: it can\'t be negative'),
        ("30m1h", '"30m1h" is no duration: units go from the largest down, each once, write 1h30m'),
        ("5 min", '"5 min" is no duration: write 30s, 5m or 1h30m'),
        ("٣s", '"٣s" is no duration: write 30s, 5m or 1h30m'),
        ("9999999999s", '"9999999999s" is no duration: units go from the largest down, each once, '
         "write 1h30m"),
    ],
)  # fmt: skip
def test_a_text_that_is_no_duration_says_what_to_write(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_duration(text)
    assert str(caught.value) == message


def test_a_window_begins_at_now() -> None:
    assert parse_window("now-5m") == 300.0
    with pytest.raises(ValueError, match="write now-5m"):
        parse_window("5m")


@given(st.integers(min_value=0, max_value=10**10))
def test_what_is_shown_reads_back_to_the_millisecond(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds / 1000)) == pytest.approx(
        milliseconds / 1000, abs=1e-4
    )


@given(st.text(max_size=30))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    seconds = 0.0
    with suppress(ValueError):
        seconds = parse_duration(text)
    assert seconds >= 0
