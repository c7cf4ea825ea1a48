"""POST /api/v2/alerts: what is taken, and what is said of the rest."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.app.daemon.intake import read_alerts
from sre_obs.model.alert import EndReason

NOW = 1_700_000_000.0  # 2023-11-14T22:13:20Z


def taken(*items: object) -> tuple[list[object], list[str]]:
    result = read_alerts(orjson.dumps(list(items)), NOW, 300.0)
    return list(result.alerts), list(result.problems)


def test_an_alert_without_times_began_now_and_ends_unless_it_is_sent_again() -> None:
    (alert,) = read_alerts(b'[{"labels": {"alertname": "A"}}]', NOW, 300.0).alerts
    assert (alert.starts_at, alert.ends_at, alert.ended) == (NOW, NOW + 300.0, None)


def test_an_end_in_the_past_is_a_resolve_by_its_sender() -> None:
    (alert,), _ = taken({"labels": {"a": "b"}, "endsAt": "2023-11-14T22:13:19Z"})
    assert alert.ended is EndReason.SENDER  # type: ignore[attr-defined]
    assert alert.starts_at == NOW - 1  # type: ignore[attr-defined]


def test_the_zero_time_of_go_means_not_set() -> None:
    zero = "0001-01-01T00:00:00Z"
    (alert,), _ = taken({"labels": {"a": "b"}, "startsAt": zero, "endsAt": zero})
    assert alert.starts_at == NOW  # type: ignore[attr-defined]
    assert alert.ends_at == NOW + 300.0  # type: ignore[attr-defined]


def test_nanoseconds_and_other_zones_are_read() -> None:
    (alert,), _ = taken({"labels": {"a": "b"}, "startsAt": "2023-11-15T00:13:20.123456789+02:00"})
    assert alert.starts_at == pytest.approx(NOW + 0.123456)  # type: ignore[attr-defined]


def test_empty_label_values_are_as_if_absent() -> None:
    (one,), _ = taken({"labels": {"a": "b", "c": ""}})
    (other,), _ = taken({"labels": {"a": "b"}})
    assert one.fingerprint == other.fingerprint  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ([], "an object is expected"),
        ({}, "at least one label"),
        ({"labels": {"a": ""}}, "at least one label"),
        ({"labels": {"a": 1}}, "must be text"),
        ({"labels": {"": "x"}}, "a name is empty"),
        ({"labels": []}, "labels must be an object"),
        ({"labels": {"a": "b"}, "startsAt": "yesterday"}, "startsAt is not an RFC 3339 time"),
        ({"labels": {"a": "b"}, "startsAt": "2023-11-14T22:13:20"}, "no time zone"),
        ({"labels": {"a": "b"}, "startsAt": 5}, "startsAt must be an RFC 3339 time"),
        (
            {
                "labels": {"a": "b"},
                "startsAt": "2023-11-14T22:13:20Z",
                "endsAt": "2023-11-14T22:13:10Z",
            },
            "endsAt is before startsAt",
        ),
    ],
)
def test_what_is_wrong_is_named_and_the_valid_rest_is_taken(item: object, words: str) -> None:
    alerts, problems = taken({"labels": {"fine": "1"}}, item)
    assert len(alerts) == 1
    assert problems[0].startswith("alert 1: ")
    assert words in problems[0]


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"null", b"\xff", b"[" * 2000])
def test_a_body_that_is_no_list_of_alerts_is_a_problem_and_no_more(body: bytes) -> None:
    result = read_alerts(body, NOW, 300.0)
    assert result.alerts == ()
    assert len(result.problems) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda v: st.lists(v) | st.dictionaries(st.text(), v),
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "labels": json_values,
                "annotations": json_values,
                "startsAt": json_values,
                "endsAt": json_values,
                "generatorURL": json_values,
            },
        )
    )
)
def test_any_json_gives_alerts_or_problems_one_for_each_item(items: list[object]) -> None:
    result = read_alerts(orjson.dumps(items, option=orjson.OPT_NON_STR_KEYS), NOW, 300.0)
    assert len(result.alerts) + len(result.problems) == len(items)
