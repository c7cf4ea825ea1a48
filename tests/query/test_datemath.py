"""Date math by hand-worked examples; parity has the server's word on the same grammar."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.model.errors import QueryError, UnsupportedError
from sre_obs.query import datemath

NOW = datetime.fromisoformat("2026-02-15T13:45:30.500+00:00").timestamp()


@pytest.mark.parametrize(
    ("text", "down", "up"),
    [
        ("now", "2026-02-15T13:45:30.500Z", "2026-02-15T13:45:30.500Z"),
        ("now-5m", "2026-02-15T13:40:30.500Z", "2026-02-15T13:40:30.500Z"),
        ("now-1h/h", "2026-02-15T12:00:00.000Z", "2026-02-15T12:59:59.999Z"),
        ("now/d", "2026-02-15T00:00:00.000Z", "2026-02-15T23:59:59.999Z"),
        ("now/w", "2026-02-09T00:00:00.000Z", "2026-02-15T23:59:59.999Z"),
        ("now/M", "2026-02-01T00:00:00.000Z", "2026-02-28T23:59:59.999Z"),
        ("now/y", "2026-01-01T00:00:00.000Z", "2026-12-31T23:59:59.999Z"),
        ("now+1d-2h", "2026-02-16T11:45:30.500Z", "2026-02-16T11:45:30.500Z"),
        ("now+y", "2027-02-15T13:45:30.500Z", "2027-02-15T13:45:30.500Z"),
        ("2026-01-31||+1M", "2026-02-28T00:00:00.000Z", "2026-02-28T00:00:00.000Z"),
        ("2024-02-29||+1y/d", "2025-02-28T00:00:00.000Z", "2025-02-28T23:59:59.999Z"),
        ("2026-01-31", "2026-01-31T00:00:00.000Z", "2026-01-31T23:59:59.999Z"),
        ("2026-01", "2026-01-01T00:00:00.000Z", "2026-01-01T23:59:59.999Z"),
        ("2026-01-31T10:20", "2026-01-31T10:20:00.000Z", "2026-01-31T10:20:59.999Z"),
        ("2026-01-31T10:20:30.1Z", "2026-01-31T10:20:30.100Z", "2026-01-31T10:20:30.100Z"),
        ("2026-01-31T10:20:30+02:00", "2026-01-31T08:20:30.000Z", "2026-01-31T08:20:30.999Z"),
        ("1769860800000", "2026-01-31T12:00:00.000Z", "2026-01-31T12:00:00.000Z"),
    ],
)
def test_resolves_down_and_up(text: str, down: str, up: str) -> None:
    assert datemath.render(datemath.resolve(text, NOW)) == down
    assert datemath.render(datemath.resolve(text, NOW, round_up=True)) == up


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-01-31", "Europe/Berlin", "2026-01-30T23:00:00.000Z"),
        ("2026-07-31", "Europe/Berlin", "2026-07-30T22:00:00.000Z"),
        ("now/d", "America/New_York", "2026-02-15T05:00:00.000Z"),
        # The clock is put forward at 02:00: that day has 23 hours, and no 02:30.
        ("2026-03-29T12:00:00||/d", "Europe/Berlin", "2026-03-28T23:00:00.000Z"),
        ("2026-03-28T12:00:00||+1d", "Europe/Berlin", "2026-03-29T10:00:00.000Z"),
        ("2026-03-28T12:00:00||+24h", "Europe/Berlin", "2026-03-29T11:00:00.000Z"),
        ("2026-03-29T02:30:00", "Europe/Berlin", "2026-03-29T01:30:00.000Z"),
        ("2026-01-31", "-05:30", "2026-01-31T05:30:00.000Z"),
    ],
)
def test_a_zone_decides_where_days_begin(text: str, zone: str, expected: str) -> None:
    found = datemath.resolve(text, NOW, zone=datemath.zone_of(zone))
    assert datemath.render(found) == expected


@pytest.mark.parametrize(
    "text",
    ["", "now-", "now+1", "now/2d", "now-1x", "now 1d", "yesterday", "2026-13-01", "2026-02-30",
     "2026-1-1", "2026-01-31||", "now-1D", "now+999999999999y", "9" * 300, "2026-01-31 10:00"],
)  # fmt: skip
def test_refuses_what_is_no_date(text: str) -> None:
    if text == "2026-01-31||":  # no math is no mistake
        assert datemath.resolve(text, NOW)
        return
    with pytest.raises(QueryError) as caught:
        datemath.resolve(text, NOW)
    assert 0 <= caught.value.offset <= len(text)


@pytest.mark.parametrize(
    ("formats", "text", "expected"),
    [
        ("epoch_second", "1769860800", "2026-01-31T12:00:00.000Z"),
        ("epoch_second", "1769860800.25", "2026-01-31T12:00:00.250Z"),
        ("dd/MM/yyyy", "31/01/2026", "2026-01-31T00:00:00.000Z"),
        ("yyyy-MM-dd HH:mm:ss.SSS", "2026-01-31 10:20:30.456", "2026-01-31T10:20:30.456Z"),
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "2026-01-31T10:20:30+01:00", "2026-01-31T09:20:30.000Z"),
        ("strict_date||epoch_millis", "0", "1970-01-01T00:00:00.000Z"),
        ("date_optional_time", "2026-1-5", "2026-01-05T00:00:00.000Z"),
    ],
)
def test_reads_formats(formats: str, text: str, expected: str) -> None:
    ms = datemath.parse(text, formats=formats)
    assert datemath.render(ms) == expected


def test_writes_the_first_format() -> None:
    ms = datemath.parse("2026-01-31T12:00:00.250Z")
    berlin = datemath.zone_of("Europe/Berlin")
    assert datemath.render(ms, formats="yyyy-MM-dd HH:mm||epoch_millis") == "2026-01-31 12:00"
    assert datemath.render(ms, zone=berlin) == "2026-01-31T13:00:00.250+01:00"
    assert datemath.render(ms, formats="epoch_second") == "1769860800.25"


def test_a_format_that_is_not_here_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedError, match="EEE MMM"):
        datemath.parse("x", formats="EEE MMM dd")


def placed(error: QueryError, text: str) -> None:
    """The error points into the text."""
    assert 0 <= error.offset <= max(len(text), 1)
    assert error.length >= 1


@given(st.text(st.sampled_from("now+-/|0123456789yMwdhHmsTZ:. ")) | st.text())
def test_any_text_is_a_date_or_refused(text: str) -> None:
    for round_up in (False, True):
        try:
            datemath.resolve(text, NOW, round_up=round_up)
        except QueryError as error:
            placed(error, text)


@given(st.integers(-(10**13), 10**14))
def test_what_is_written_reads_back(ms: int) -> None:
    assert datemath.parse(datemath.render(ms)) == ms
