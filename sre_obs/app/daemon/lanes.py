"""Who is on the way to which integration, and who stands in line for it."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterator

# So many deliveries of one integration are under way at once: a receiver that hangs holds
# up itself, not the threads that the others need.
IN_FLIGHT = 4


class Lanes:
    """By integration id: ids of deliveries under way, and of those that wait for a place."""

    def __init__(self) -> None:
        self._under_way: defaultdict[str, set[str]] = defaultdict(set)
        # Ordered, since a plain dict gets slow when it is emptied from the front.
        self._lines: defaultdict[str, OrderedDict[str, None]] = defaultdict(OrderedDict)

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return any(self._under_way.values())

    def under_way(self, lane: str, id_: str) -> bool:
        """Whether this one has left and is not back."""
        return id_ in self._under_way[lane]

    def full(self, lane: str) -> bool:
        """Whether there is no place."""
        return len(self._under_way[lane]) >= IN_FLIGHT

    def leave(self, lane: str, id_: str) -> None:
        """It goes, out of the line if it stood there."""
        self._lines[lane].pop(id_, None)
        self._under_way[lane].add(id_)

    def back(self, lane: str, id_: str) -> None:
        """It was answered, or its answer was lost."""
        self._under_way[lane].discard(id_)

    def line_up(self, lane: str, id_: str) -> None:
        """There was no place for it."""
        self._lines[lane][id_] = None

    def called(self, lane: str) -> Iterator[str]:
        """Those in front of the line, without end: take as many as there are places."""
        line = self._lines[lane]
        while line:
            yield line.popitem(last=False)[0]

    def places(self, lane: str) -> int:
        """How many could go now."""
        return max(IN_FLIGHT - len(self._under_way[lane]), 0)

    def dissolve(self) -> tuple[str, ...]:
        """All who stand in any line, which is no more."""
        waiting = tuple(id_ for line in self._lines.values() for id_ in line)
        self._lines.clear()
        return waiting
