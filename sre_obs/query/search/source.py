"""`_source` filtering: which parts of a document a hit shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sre_obs.query.search import patterns
from sre_obs.query.search.refuse import mapping, only, texts


def source_filter(spec: Any, where: str) -> Callable[[Any], Any] | None:
    """Read `_source`: true, false, a pattern, a list of them, includes and excludes.
    None: hits have no `_source`."""
    if spec is True or spec == "true":
        return lambda source: source
    if spec is False or spec == "false":
        return None
    if isinstance(spec, (str, list)):
        spec = {"includes": spec}
    only(mapping(spec, where), frozenset({"includes", "excludes", "include", "exclude"}), where)
    includes = _names(spec.get("includes", spec.get("include", [])), f"{where}.includes")
    excludes = _names(spec.get("excludes", spec.get("exclude", [])), f"{where}.excludes")
    chosen = _Filter(
        [_test(name) for name in includes],
        [_test(name) for name in excludes],
        # The server has two ways, and takes the one that leaves emptied objects where
        # an exclude has a wildcard.
        any("*" in name for name in excludes),
    )
    return lambda source: chosen.object(source, "", not includes)


def _names(spec: Any, where: str) -> list[str]:
    return texts(spec if isinstance(spec, list) else [spec], where)


def _test(name: str) -> patterns.Test:
    return patterns.wildcard(name) if "*" in name else name.__eq__


class _Filter:
    def __init__(
        self, includes: list[patterns.Test], excludes: list[patterns.Test], keep_emptied: bool
    ) -> None:
        self._includes = includes
        self._excludes = excludes
        self._keep_emptied = keep_emptied

    def object(self, source: Mapping[str, Any], prefix: str, included: bool) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for name, value in source.items():
            steps = _steps(prefix, name)
            if any(test(step) for test in self._excludes for step in steps):
                continue
            inside = included or any(test(step) for test in self._includes for step in steps)
            path = f"{prefix}{name}."
            if isinstance(value, Mapping):
                inner: Any = self.object(value, path, inside)
            elif isinstance(value, list):
                inner = self._list(value, path, inside)
            elif inside:
                out[name] = value
                continue
            else:
                continue
            if inner or (inside and (self._keep_emptied or not value)):
                out[name] = inner
        return out

    def _list(self, values: list[Any], path: str, inside: bool) -> list[Any]:
        out: list[Any] = []
        for value in values:
            if isinstance(value, Mapping):
                inner: Any = self.object(value, path, inside)
            elif isinstance(value, list):
                inner = self._list(value, path, inside)
            else:
                if inside:
                    out.append(value)
                continue
            if inner or (inside and not value):
                out.append(inner)
        return out


def _steps(prefix: str, name: str) -> list[str]:
    """The paths that a name stands for: `o.a` is in `o`, too, when it is written with a dot."""
    if "." not in name:
        return [prefix + name]
    parts = name.split(".")
    return [prefix + ".".join(parts[:end]) for end in range(1, len(parts) + 1)]
