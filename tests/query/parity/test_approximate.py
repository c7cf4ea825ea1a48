# ruff: noqa: E501  # tables: one row is one case
"""Where Elasticsearch estimates, its estimate lies in a stated band around our exact answer.

cardinality: exact up to 3,000 values (its precision_threshold), then within 5%.
percentiles: the value at some percent that is within 1 of the one that was asked for.
A rule that decides between two values inside the band may decide otherwise on a server.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from sre_obs.query.search import Corpus, search
from tests.query.parity.server import server_at

NOW = 1_800_000_000.0
COUNT = 20_000
CARDINALITY, PERCENT = 0.05, 1.0
PERCENTS = [1, 5, 25, 50, 75, 95, 99, 99.9]
MAPPINGS = {
    "properties": {
        "k": {"type": "keyword"},
        "few": {"type": "keyword"},
        "even": {"type": "double"},
        "skew": {"type": "double"},
    }
}

pytestmark = pytest.mark.server


def documents() -> list[dict[str, Any]]:
    random = Random(7)
    return [
        {
            "k": f"pod-{number}",
            "few": f"pod-{number % 3_000}",
            "even": random.random() * 1_000,
            "skew": random.paretovariate(1.2),
        }
        for number in range(COUNT)
    ]


def test_estimates_lie_in_their_bands(elasticsearch_url: str) -> None:
    asked = (
        PERCENTS,
        [max(p - PERCENT, 0) for p in PERCENTS],
        [min(p + PERCENT, 100) for p in PERCENTS],
    )
    names = {f"{field} {way}": {"percentiles": {"field": field, "percents": sorted(set(percents)), "keyed": False}}
             for field in ("even", "skew") for way, percents in zip(("at", "low", "high"), asked, strict=True)}  # fmt: skip
    for field in ("k", "few"):
        names[field] = {"cardinality": {"field": field}}
    body = {"size": 0, "aggs": names}
    made = documents()
    with server_at(elasticsearch_url) as server:
        index = server.index("approximate", MAPPINGS, made)
        real = server.searches(index, [body])[0]["aggregations"]
    corpus = Corpus()
    corpus.create(index, MAPPINGS)
    corpus.add(index, *made)
    mine = search(corpus, index, body, NOW)["aggregations"]
    assert mine["few"] == real["few"]
    assert mine["k"] == {"value": COUNT}
    assert abs(real["k"]["value"] / COUNT - 1) <= CARDINALITY
    for field in ("even", "skew"):
        ours = {
            row["key"]: row["value"]
            for way in ("low", "high")
            for row in mine[f"{field} {way}"]["values"]
        }
        for row in real[f"{field} at"]["values"]:
            low, high = max(row["key"] - PERCENT, 0), min(row["key"] + PERCENT, 100)
            assert ours[low] <= row["value"] <= ours[high], (field, row)
