"""The messages on disk, an NDJSON line for each change: what a test counts after a kill."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


class Journal:
    """Appends whole lines and hands each to the operating system at once, so that a kill
    of this process or of another loses none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)

    def replay(self) -> Iterator[Mapping[str, Any]]:
        """What an earlier process wrote; a last line cut short is left out."""
        with self._path.open(encoding="utf-8") as lines:
            for line in lines:
                if line.endswith("\n"):
                    yield json.loads(line)

    def append(self, change: Mapping[str, Any]) -> None:
        """Write one change."""
        os.write(self._fd, json.dumps(change, separators=(",", ":")).encode() + b"\n")

    def close(self) -> None:
        """Let the file go."""
        os.close(self._fd)
