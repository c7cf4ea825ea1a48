"""Whether two responses say the same, told in words where they don't."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sre_obs.model.errors import SourceError, UnsupportedError
from sre_obs.query.search import Corpus, search

# Sums are added up in another order; Elasticsearch's own correction is not exact either.
_TOLERANCE = 1e-12

REFUSED = "refused"
ERROR = "error"


def ours(corpus: Corpus, index: str, body: Mapping[str, Any], now: float) -> Any:
    """Our response; ERROR where we say that the server answers 400, REFUSED and the reason
    where the construct is not ours."""
    try:
        return search(corpus, index, body, now)
    except SourceError as error:
        return ERROR if error.status == 400 else f"{ERROR} {error.status}"
    except UnsupportedError as error:
        return f"{REFUSED}: {error.construct} at {error.where}"


def theirs(response: Mapping[str, Any]) -> Any:
    """The server's response, or ERROR for a request that it refuses."""
    if "error" in response:
        assert response["status"] == 400, response
        return ERROR
    return response


def differences(mine: Any, real: Any, *, terminated: bool = False) -> list[str]:
    """Where the responses differ, as `path: ours | theirs`; empty when they agree.

    `terminated`: the request has terminate_after. How many documents the server then
    counts depends on whether it can count without searching; whether there is any does not.
    """
    if isinstance(mine, str) or isinstance(real, str):
        return [] if mine == real else [f"{_short(mine)} | {_short(real)}"]
    found: list[str] = []
    sides = _plain(mine), _plain(real)
    if terminated:
        for side in sides:
            side.pop("terminated_early")
            if "total" in side["hits"]:
                side["hits"]["total"] = side["hits"]["total"]["value"] > 0
    _compare(*sides, "", found)
    return found


def _short(value: Any) -> str:
    return value if isinstance(value, str) else str(_plain(value))[:400]


def _plain(response: Mapping[str, Any]) -> dict[str, Any]:
    """Without what differs by nature: times, shards, scores."""
    kept = {k: v for k, v in response.items() if k not in ("took", "_shards", "status")}
    kept["hits"] = _hits(kept["hits"])
    return {k: _aggregation(v) if k == "aggregations" else v for k, v in kept.items()}


def _hits(hits: Mapping[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in hits.items() if k != "max_score"}
    kept["hits"] = [{k: v for k, v in hit.items() if k != "_score"} for hit in hits["hits"]]
    return kept


def _aggregation(value: Any) -> Any:
    if isinstance(value, list):
        return [_aggregation(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"hits"} and isinstance(value["hits"], dict) and "hits" in value["hits"]:
        return {"hits": _hits(value["hits"])}
    return {k: _aggregation(v) for k, v in value.items()}


def _compare(mine: Any, real: Any, path: str, found: list[str]) -> None:
    if isinstance(mine, dict) and isinstance(real, dict):
        if path.endswith(".buckets") and set(mine) == set(real) and list(mine) != list(real):
            found.append(f"{path}: order {list(mine)} | {list(real)}"[:600])
        for key in {**mine, **real}:
            if key not in mine or key not in real:
                side = "only ours" if key in mine else "only theirs"
                found.append(f"{path}.{key}: {side}: {mine.get(key, real.get(key))}")
            else:
                _compare(mine[key], real[key], f"{path}.{key}", found)
    elif isinstance(mine, list) and isinstance(real, list):
        if len(mine) != len(real):
            found.append(f"{path}: {len(mine)} | {len(real)}: {mine} | {real}"[:600])
            return
        for i, (a, b) in enumerate(zip(mine, real, strict=True)):
            _compare(a, b, f"{path}[{i}]", found)
    elif _number(mine) and _number(real):
        if not math.isclose(mine, real, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE):
            found.append(f"{path}: {mine} | {real}")
    elif mine != real or type(mine) is not type(real):
        found.append(f"{path}: {mine!r} | {real!r}")


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
