"""tests/parts.lock: the one table of the parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.parts import PartError

LOCK_FILE = Path(__file__).parents[1] / "parts.lock"


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the table.

    ``sha256`` is the archive's, ``builder`` a module of this package, ``seconds`` what a
    cold build took on two cores: for people who wonder whether it hangs.
    """

    name: str
    version: str
    sha256: str
    builder: str
    seconds: int


def read_parts(path: Path = LOCK_FILE) -> dict[str, Part]:
    """All parts by name, in the file's order. Raises PartError on a malformed line."""
    parts: dict[str, Part] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        if len(words) != 5:
            raise PartError(f"{path.name}:{number}: five columns wanted, {len(words)} found")
        name, version, sha256, builder, seconds = words
        if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
            raise PartError(f"{path.name}:{number}: {name}: not a sha256: {sha256}")
        if name in parts:
            raise PartError(f"{path.name}:{number}: {name} is there twice")
        parts[name] = Part(name, version, sha256, builder, int(seconds))
    return parts


def find_part(name: str) -> Part:
    """The part of that name. Raises PartError naming those that exist."""
    parts = read_parts()
    if name not in parts:
        raise PartError(f"no part named {name}; there are: {', '.join(parts)}")
    return parts[name]
