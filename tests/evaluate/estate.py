"""An estate to measure: pods of every temper, and what their documents come to by hand.

The reference functions here work on lists of (time, value); they know nothing of searches.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from sre_obs.model.expression import Expression
from sre_obs.model.rule import (
    EVERYTHING,
    Comparison,
    Function,
    Level,
    Measure,
    Query,
    Rule,
    Threshold,
)
from sre_obs.query.expression import parse
from tests.evaluate.world import LOGS, T0, rule

WINDOW = 300.0
MARGIN = 60.0
TYPES = {
    "@timestamp": "date",
    "cluster": "keyword",
    "pod": "keyword",
    "uid": "keyword",
    "level": "keyword",
    "ready": "boolean",
    "cpu": "double",
    "limit": "double",
    "restarts": "long",
    "began": "date",
}
Samples = Sequence[tuple[float, Any]]


def query(dsl: Mapping[str, Any]) -> Query:
    """A query by its clause."""
    return Query("dsl", "", dsl)


def measure(name: str = "m", function: Function = Function.COUNT, **more: Any) -> Measure:
    """A measure; `dsl` is its query's clause."""
    dsl = more.pop("dsl", None)
    return Measure(name, function, query=query(dsl) if dsl else EVERYTHING, **more)


def expression(text: str) -> Expression:
    """The tree of a text."""
    return parse(text)


def composed(*measures: Measure, **changes: Any) -> Rule:
    """A rule made of measures on pods; `value`, `when` and `valid` are texts."""
    for name in ("value", "when", "valid"):
        if isinstance(changes.get(name), str):
            changes[name] = parse(changes[name])
    limit = changes.pop("limit", 1.0)
    comparison = changes.pop("comparison", Comparison.GTE)
    clear = changes.pop("clear", None)
    levels = tuple(Level(**one) for one in changes.pop("levels", ()))
    values = {
        "index": (LOGS,),
        "window": WINDOW,
        "threshold": Threshold(comparison=comparison, limit=limit, clear=clear),
        "measures": measures,
        "levels": levels,
    }
    return rule(**{**values, **changes})


def documents(pods: int = 40, *, seed: int = 7) -> list[dict[str, Any]]:
    """Ten minutes of pods, a document each 10 s: counters that stand still, grow and are
    reset, states that blink, gaps, pods that come late and pods that lack fields."""
    dice = random.Random(seed)
    found: list[dict[str, Any]] = []
    for number in range(pods):
        restarts, state = dice.randrange(50), "running"
        moves = dice.choice((0.0, 0.0, 0.1, 0.5))
        resets = dice.choice((0.0, 0.0, 0.1))
        blinks = dice.choice((0.0, 0.0, 0.1, 0.4))
        start = dice.choice((T0 - 600, T0 - 600, T0 - 120, T0 - 10))
        slope = dice.choice((0.0, 0.1, -0.05))
        lacks = dice.choice(("", "", "", "restarts", "cpu", "level"))
        at = start
        while at < T0:
            if dice.random() < moves:
                restarts += dice.randrange(1, 4)
            if dice.random() < resets:
                restarts = dice.randrange(3)
            if dice.random() < blinks:
                state = dice.choice(("running", "waiting", "failed"))
            document = {
                "@timestamp": at,
                "pod": f"p{number:02}",
                "cluster": f"c{number % 3}",
                "uid": f"u{number:02}-{int((at - T0) // 400)}",
                "level": state,
                "ready": state == "running",
                "restarts": restarts,
                "cpu": 50 + slope * (at - start) + dice.choice((0, 0.5)),
                "limit": 100.0 if number % 4 else 60.0,
                "began": round((T0 - 100 * number) * 1000),
            }
            document.pop(lacks, None)
            if dice.random() > 0.1:
                found.append(document)
            at += 10
    return found


def of_pods(
    found: Sequence[Mapping[str, Any]], name: str, start: float, end: float, key: str = "pod"
) -> dict[str, list[tuple[float, Any]]]:
    """Pod -> (time, value) of the documents in the window that have the field."""
    samples: dict[str, list[tuple[float, Any]]] = {}
    for document in found:
        if start <= document["@timestamp"] < end and name in document:
            samples.setdefault(document[key], []).append((document["@timestamp"], document[name]))
    return samples


def latest(samples: Samples, start: float) -> Any:
    inside = [value for time, value in samples if time >= start]
    return inside[-1] if inside else None


def increase(samples: Samples, start: float, *, from_zero: bool = False) -> float | None:
    before = [value for time, value in samples if start - MARGIN <= time < start]
    inside = [value for time, value in samples if time >= start]
    if not inside:
        return None
    chain = [*before[-1:], *inside]
    if from_zero and not before:
        chain = [0, *inside]
    if len(chain) < 2:
        return None
    steps = pairwise(chain)
    return float(sum(b - a if b >= a else b for a, b in steps))


def changes(samples: Samples, start: float) -> float | None:
    before = [value for time, value in samples if start - MARGIN <= time < start]
    inside = [value for time, value in samples if time >= start]
    chain = [*before[-1:], *inside]
    if not inside or len(chain) < 2:
        return None
    return float(sum(a != b for a, b in pairwise(chain)))


def slope(samples: Samples, start: float) -> float | None:
    """Of the means of 24 parts of the window (a part has one sample here, or two)."""
    width = WINDOW / 24
    parts: dict[int, list[tuple[float, float]]] = {}
    for time, value in samples:
        if time >= start:
            parts.setdefault(int((time - start) // width), []).append((time, value))
    points = [
        (sum(t for t, _ in part) / len(part), sum(v for _, v in part) / len(part))
        for _, part in sorted(parts.items())
    ]
    if len(points) < 6 or points[-1][0] - points[0][0] < WINDOW / 2:
        return None
    n = len(points)
    st, sv = sum(t - T0 for t, _ in points), sum(v for _, v in points)
    stt = sum((t - T0) ** 2 for t, _ in points)
    stv = sum((t - T0) * v for t, v in points)
    return (n * stv - st * sv) / (n * stt - st * st)


def plain(fold: Callable[[list[Any]], float]) -> Callable[[Samples, float], float | None]:
    """A reference of one number over the values in the window."""

    def work(samples: Samples, start: float) -> float | None:
        inside = [value for time, value in samples if time >= start]
        return float(fold(inside)) if inside else None

    return work
