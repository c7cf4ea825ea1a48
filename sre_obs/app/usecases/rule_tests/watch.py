"""Which files change, found by looking: no service of the operating system is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

from sre_obs.model.errors import UsageError

Thing = TypeVar("Thing")
_Stamp: TypeAlias = tuple[int, int]

# Seconds from one look to the next: nobody notices, and 1,000 files cost some milliseconds.
PAUSE = 0.5


def changes(
    look: Callable[[], Sequence[tuple[Thing, Sequence[Path]]]],
    *,
    pause: Callable[[], None] = lambda: asyncio.run(asyncio.sleep(PAUSE)),
) -> Iterator[list[Thing]]:
    """What of `look` has changed since the last time: things, each with its files.

    A thing whose files are being written (an editor replaces them) is looked at again.
    """
    known = {files: _stamps(files) for _, files in _tried(look)}
    while True:
        pause()
        changed: list[Thing] = []
        now: dict[Sequence[Path], tuple[_Stamp, ...]] = {}
        for thing, files in _tried(look):
            now[files] = _stamps(files)
            if known.get(files) != now[files]:
                changed.append(thing)
        known = now
        if changed:
            yield changed


def _tried(
    look: Callable[[], Sequence[tuple[Thing, Sequence[Path]]]],
) -> Sequence[tuple[Thing, Sequence[Path]]]:
    try:
        return look()
    except (UsageError, OSError):  # gone while it is replaced
        return []


def _stamps(files: Sequence[Path]) -> tuple[_Stamp, ...]:
    stamps: list[_Stamp] = []
    for path in files:
        try:
            found = path.stat()
        except OSError:
            stamps.append((0, 0))
        else:
            stamps.append((found.st_mtime_ns, found.st_size))
    return tuple(stamps)
