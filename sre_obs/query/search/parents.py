"""The objects in which the fields of documents lie, looked up once for all fields there.

A document where the way down is not plain (a list of objects, a name that holds dots
itself) is told apart: a field of it may have values at several places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Level: TypeAlias = tuple[list[Mapping[str, Any]], frozenset[int]]

_NOTHING: Mapping[str, Any] = {}


class Parents:
    """Of the documents of one segment."""

    __slots__ = ("_levels",)

    def __init__(self, sources: Sequence[Mapping[str, Any]]) -> None:
        strange = frozenset(n for n, source in enumerate(sources) if _dotted(source))
        self._levels: dict[tuple[str, ...], Level] = {(): (list(sources), strange)}

    def at(self, path: tuple[str, ...]) -> Level:
        """The object at `path` of each document, an empty one where there is none, and the
        numbers of those documents where it is not all that is there."""
        found = self._levels.get(path)
        if found is None:
            found = self._levels[path] = self._below(*self.at(path[:-1]), path[-1])
        return found

    def _below(self, above: list[Mapping[str, Any]], strange: frozenset[int], name: str) -> Level:
        objects = [parent.get(name, _NOTHING) for parent in above]
        more: set[int] = set()
        last: Any = None
        for number, one in enumerate(objects):
            if type(one) is dict:
                # Most documents of a stream have the same names here as the one before.
                if one and one.keys() != last:
                    if _dotted(one):
                        more.add(number)
                    else:
                        last = one.keys()
            elif one is not _NOTHING:
                if isinstance(one, (list, dict)):
                    more.add(number)
                objects[number] = _NOTHING
        return objects, strange | more if more else strange


def _dotted(source: Mapping[str, Any]) -> bool:
    return any("." in name for name in source)
