"""Which group an alert is in, and how its key reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.route.group import group_key, quote
from tests.route.parts import route

LABELS = {"team": "db", "alertname": "Disk", "host": "a", "empty": ""}


@pytest.mark.parametrize(
    ("group_by", "printed"),
    [
        (("alertname",), '{alertname="Disk"}'),
        (("team", "alertname"), '{alertname="Disk", team="db"}'),
        (("alertname", "absent", "empty"), '{alertname="Disk"}'),
        ((), "{}"),
        (None, '{alertname="Disk", host="a", team="db"}'),
    ],
)
def test_a_key_is_the_route_and_the_labels_as_alertmanager_prints_them(
    group_by: tuple[str, ...] | None, printed: str
) -> None:
    key, labels = group_key(route(id='{}/{team="db"}', group_by=group_by), LABELS)
    assert key == '{}/{team="db"}:' + printed
    assert {n: v for n, v in labels.items() if v} == {
        n: v for n, v in LABELS.items() if v and (group_by is None or n in group_by)
    }


def test_odd_names_and_values_are_quoted_on_one_line() -> None:
    key, _ = group_key(route(id="{}", group_by=None), {"a b": 'x"\\\n\t\x00\u200b\U000e0001é'})
    assert key == '{}:{"a b"="x\\"\\\\\\n\\t\\x00\\u200b\\U000e0001é"}'


@given(st.text(), st.text())
def test_no_two_values_are_printed_alike(one: str, other: str) -> None:
    assert (quote(one) == quote(other)) == (one == other)
    assert "\n" not in quote(one)
