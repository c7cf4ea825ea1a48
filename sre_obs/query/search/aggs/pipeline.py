"""Aggregations over buckets: bucket_selector and bucket_script."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from sre_obs.query.search.aggs.script import Script
from sre_obs.query.search.aggs.types import Aggs, Pipeline, Result
from sre_obs.query.search.refuse import mapping, only, unsupported, wrong

_KNOWN = frozenset({"buckets_path", "script", "gap_policy", "format"})
NAMES = frozenset({"bucket_selector", "bucket_script"})


class _Computed:
    """What an earlier bucket_script left in the buckets, as a later path sees it."""

    def run(self, run: Any, documents: Any) -> Result:
        raise NotImplementedError

    def number(self, result: Result, path: list[str], where: str) -> tuple[float, bool]:
        if path not in ([], ["value"]):
            raise wrong("buckets_path: a bucket_script has .value alone", where)
        value = result["value"]
        return (math.nan if value is None else float(value)), False


def add(aggs: Aggs, specs: list[tuple[str, str, Any, str]]) -> None:
    """Put the pipelines (name, kind, body, where) into `aggs`, those that others read first."""
    waiting = list(specs)
    computed = {name for name, kind, _, _ in specs if kind == "bucket_script"}
    lookup = Aggs({**aggs.parts, **{name: _Computed() for name in computed}})
    done: set[str] = set()
    while waiting:
        ready = [s for s in waiting if _reads(s) & computed <= done]
        if not ready:
            raise wrong("bucket scripts that read each other", waiting[0][3])
        # Scripts before selectors: a script's value is there for a selector beside it.
        for spec in ready:
            name, kind, body, where = spec
            build = _selector if kind == "bucket_selector" else _script
            aggs.pipelines.append(build(name, body, where, lookup))
            done.add(name)
            waiting.remove(spec)


def _paths(body: Any, where: str) -> dict[str, list[str]]:
    only(body, _KNOWN, where)
    if "format" in body:
        raise unsupported("format", f"{where}.format")
    spec = body.get("buckets_path")
    if isinstance(spec, str):
        spec = {"_value": spec}
    elif isinstance(spec, list):
        spec = {f"_value{i}": path for i, path in enumerate(spec)}
    found = mapping(spec, f"{where}.buckets_path")
    return {name: str(path).split(">") for name, path in found.items()}


def _reads(spec: tuple[str, str, Any, str]) -> set[str]:
    _, _, body, where = spec
    return {path[0].partition(".")[0] for path in _paths(body, where).values()}


def _parts(body: Any, where: str) -> tuple[Script, dict[str, Any], str]:
    spec = body.get("script")
    constants: dict[str, Any] = {}
    if isinstance(spec, dict):
        only(spec, frozenset({"source", "params", "lang"}), f"{where}.script")
        if spec.get("lang", "painless") != "painless":
            raise unsupported(f"script language '{spec['lang']}'", f"{where}.script.lang")
        constants = dict(mapping(spec.get("params", {}), f"{where}.script.params"))
        for name, value in constants.items():
            if not isinstance(value, (int, float)):
                raise unsupported(f"parameter '{name}' of a script", f"{where}.script.params")
            if isinstance(value, int) and not -(2**31) <= value < 2**31:
                raise unsupported("a parameter beyond an int", f"{where}.script.params.{name}")
        spec = spec.get("source")
    if not isinstance(spec, str):
        raise wrong("a script is missing", where)
    policy = body.get("gap_policy", "skip")
    if policy not in ("skip", "insert_zeros"):
        raise unsupported(f"gap_policy '{policy}'", f"{where}.gap_policy")
    return _read(spec, f"{where}.script"), constants, policy


@lru_cache(512)
def _read(source: str, where: str) -> Script:
    """A script; the same few are asked again and again."""
    return Script(source, where)


def _number(bucket: Result, path: list[str], lookup: Aggs, policy: str, where: str) -> float | None:
    """None where the bucket lacks the value: a script before left none."""
    if path[0].partition(".")[0] not in bucket and path[0].partition(".")[0] in lookup.parts:
        return None
    value, is_count = lookup.number(bucket, path, where)
    if not math.isfinite(value) or (bucket["doc_count"] == 0 and not is_count):
        return 0.0 if policy == "insert_zeros" else math.nan
    return value


def _selector(name: str, body: Any, where: str, lookup: Aggs) -> Pipeline:
    paths = _paths(body, where)
    script, constants, policy = _parts(body, where)
    if script.kind not in ("boolean", ""):
        raise wrong("the script of a bucket_selector gives true or false", f"{where}.script")
    at = f"{where}.buckets_path"

    def run(buckets: list[Result]) -> list[Result]:
        kept = []
        for bucket in buckets:
            params = dict(constants)
            for param, path in paths.items():
                params[param] = _number(bucket, path, lookup, policy, at)
            decision = script(params)
            if not isinstance(decision, bool):
                raise wrong(
                    "the script of a bucket_selector gives true or false", f"{where}.script"
                )
            if decision:
                kept.append(bucket)
        return kept

    return run


def _script(name: str, body: Any, where: str, lookup: Aggs) -> Pipeline:
    paths = _paths(body, where)
    script, constants, policy = _parts(body, where)
    if script.kind not in ("number", ""):
        raise wrong("a bucket_script gives a number", f"{where}.script")
    at = f"{where}.buckets_path"

    def run(buckets: list[Result]) -> list[Result]:
        for bucket in buckets:
            params = dict(constants)
            for param, path in paths.items():
                params[param] = _number(bucket, path, lookup, policy, at)
            found = [params[param] for param in paths]
            if any(value is None or not math.isfinite(value) for value in found):
                continue
            value = script(params)
            if value is None:
                continue
            if isinstance(value, bool):
                raise wrong("a bucket_script gives a number", f"{where}.script")
            bucket[name] = {"value": float(value) if math.isfinite(value) else None}
        return buckets

    return run
