"""The text that gives one value a document."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.content.tests.series import MISSING, MOST, SeriesError, parse_series


@pytest.mark.parametrize(
    ("text", "samples"),
    [
        ("0+10x3", (0, 10, 20, 30)),
        ("5x3", (5, 5, 5, 5)),
        ("10-2x2", (10, 8, 6)),
        ("-3+1x2", (-3, -2, -1)),
        ("0+0.1x3", (0.0, 0.1, 0.2, 0.3)),
        ("1e3", (1000.0,)),
        ("1 2 _ 7", (1, 2, MISSING, 7)),
        ("_x2 1", (MISSING, MISSING, 1)),
        ("0+10x1 0+10x1", (0, 10, 0, 10)),
        ("truex1 false", (True, True, False)),
        ("runningx1 waiting", ("running", "running", "waiting")),
        ('"idle in transaction"x1 idle', ("idle in transaction",) * 2 + ("idle",)),
        ('"true" "5" "a\\"b\\\\"', ("true", "5", 'a"b\\')),
        ("  7\t8\n9 ", (7, 8, 9)),
        ("web-1", ("web-1",)),
        ('"x89" x86_64', ("x89", "x86_64")),
        ("größe", ("größe",)),
    ],
)
def test_a_series_gives_one_sample_after_another(text: str, samples: tuple[Any, ...]) -> None:
    found = parse_series(text)
    assert found == samples
    assert [type(one) for one in found] == [type(one) for one in samples]


def test_steps_are_multiplied_so_that_tenths_stay_tenths() -> None:
    assert parse_series("0+0.1x100")[-1] == 10.0


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ("", "a series without a sample", (0, 1)),
        ("5 0x", "no count behind x", (3, 1)),
        ("0+ 5", "no step behind it", (1, 1)),
        ("0+10y3", "unexpected y3", (4, 2)),
        ('1 "open', "the quote is never closed", (2, 1)),
        ('"a"b', "text behind the closing quote", (3, 1)),
        ("1 §", "§ is no sample", (2, 1)),
        ("0x999999999", "more than 100,000 samples", (0, 11)),
        ("1x99998 1x5", "more than 100,000 samples", (8, 3)),
        ("1 0+5", "0+5 does not say how often", (2, 3)),
        ("0+5 x89", "a blank in front of the count", (4, 3)),
        ("0+5x3 x89", "x89 is a count without a sample", (6, 3)),
        ("x89", "x89 is a count without a sample", (0, 3)),
        ("1e999", "1e999 is too large a number", (0, 5)),
    ],
)
def test_a_mistake_is_said_at_its_character(text: str, message: str, at: tuple[int, int]) -> None:
    with pytest.raises(SeriesError) as caught:
        parse_series(text)
    assert caught.value.message == message
    assert (caught.value.offset, caught.value.length) == at


@given(st.text(alphabet=st.sampled_from('0123456789+-x_."ab \\e\té')))
def test_any_text_is_a_series_or_a_mistake(text: str) -> None:
    with contextlib.suppress(SeriesError):
        assert 1 <= len(parse_series(text)) <= MOST


@given(st.text(alphabet=st.sampled_from('0123456789+-x_."ab \\e')))
def test_a_mistake_lies_inside_the_text(text: str) -> None:
    found = _mistake(text)
    assert found is None or (0 <= found.offset <= len(text) and found.length >= 1)


def _mistake(text: str) -> SeriesError | None:
    try:
        parse_series(text)
    except SeriesError as error:
        return error
    return None


@given(st.lists(st.integers(-1000, 1000) | st.booleans() | st.text(min_size=1), min_size=1))
def test_what_is_written_out_is_read_back(samples: list[int | bool | str]) -> None:
    def written(sample: int | bool | str) -> str:
        if isinstance(sample, str):
            return '"' + sample.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return str(sample).lower()

    assert parse_series(" ".join(map(written, samples))) == tuple(samples)
