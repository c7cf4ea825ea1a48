"""``now`` in a rule's query is the end of the window, whoever's clock says what."""

from __future__ import annotations

from typing import Any

import pytest

from sre_obs.evaluate.anchor import anchored
from tests.evaluate import estate
from tests.evaluate.estate import composed, measure
from tests.evaluate.world import LOGS, T0, World

ISO = "2023-11-14T22:14:00.000Z"


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ({"range": {"t": {"lt": "now-35s"}}}, {"range": {"t": {"lt": f"{ISO}||-35s"}}}),
        (
            {"range": {"t": {"gte": "now-1d/d", "lte": "now"}}},
            {"range": {"t": {"gte": f"{ISO}||-1d/d", "lte": ISO}}},
        ),
        (
            {"bool": {"must_not": [{"range": {"t": {"gt": "now+1h/h", "time_zone": "+02:00"}}}]}},
            {
                "bool": {
                    "must_not": [{"range": {"t": {"gt": f"{ISO}||+1h/h", "time_zone": "+02:00"}}}]
                }
            },
        ),
        (
            {"range": {"t": {"gte": "now-5m", "lt": "31/01/2026", "format": "dd/MM/yyyy"}}},
            {
                "range": {
                    "t": {
                        "gte": f"{ISO}||-5m",
                        "lt": "31/01/2026",
                        "format": "strict_date_optional_time||dd/MM/yyyy",
                    }
                }
            },
        ),
        ({"term": {"t": {"value": "now-1d/d"}}}, {"term": {"t": {"value": f"{ISO}||-1d/d"}}}),
        ({"match": {"t": "now/d"}}, {"match": {"t": f"{ISO}||/d"}}),
    ],
    ids=str,
)
def test_date_math_is_tied_to_the_end_of_the_window(clause: Any, expected: Any) -> None:
    assert anchored(clause, T0) == expected


@pytest.mark.parametrize(
    "clause",
    [
        {"term": {"word": {"value": "now"}}},
        {"match": {"message": {"query": "now or never"}}},
        {"terms": {"word": ["now-1d"]}},
        {"range": {"word": {"gte": "nowhere", "lt": "now-ish"}}},
        {"exists": {"field": "now"}},
    ],
    ids=str,
)
def test_the_word_is_left_alone(clause: Any) -> None:
    assert anchored(clause, T0) == clause


def test_catching_up_finds_what_would_have_been_found() -> None:
    old = {"range": {"began": {"lt": "now-5m"}}}
    world = World(composed(measure(dsl=old), query_delay=30.0))
    world.source = type(world.source)(types=estate.TYPES)
    # The in-process search of these tests lives at the epoch: its own now would find none.
    world.sample([T0 - 60], LOGS, pod="young", began=round((T0 - 329) * 1000))
    world.sample([T0 - 60], LOGS, pod="old", began=round((T0 - 331) * 1000))
    world.round(T0)
    assert world.pods() == ["old"]
