"""The search for a JDK that is new enough: Debian 12's own (17) is not."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.parts import PartError

OLDEST = 21
_VERSION = re.compile(r'^JAVA_VERSION="(?:1\.)?(\d+)', re.MULTILINE)


def find_jdk(part: str, oldest: int = OLDEST) -> Path:
    """The home of the newest JDK (with javac) of at least that version.

    Looked for in JAVA_HOME, on PATH and under /usr/lib/jvm; JAVA_HOME wins when it is
    new enough. Raises PartError naming what was found instead.
    """
    found: list[tuple[int, Path]] = []
    for home in _homes():
        version = _version(home)
        if version is None or not (home / "bin" / "javac").is_file():
            continue
        if version >= oldest and str(home) == os.environ.get("JAVA_HOME"):
            return home
        found.append((version, home))
    enough = [candidate for candidate in found if candidate[0] >= oldest]
    if enough:
        return max(enough)[1]
    seen = ", ".join(f"{version} in {home}" for version, home in found) or "none"
    raise PartError(
        f"{part} needs a JDK {oldest} or newer; found: {seen}. "
        "Install one under /usr/lib/jvm, or set JAVA_HOME to it."
    )


def _homes() -> Iterator[Path]:
    if named := os.environ.get("JAVA_HOME"):
        yield Path(named)
    if on_path := shutil.which("javac"):
        yield Path(on_path).resolve().parent.parent
    jvms = Path("/usr/lib/jvm")
    if jvms.is_dir():
        yield from sorted({home.resolve() for home in jvms.iterdir() if home.is_dir()})


def _version(home: Path) -> int | None:
    try:
        match = _VERSION.search((home / "release").read_text(encoding="utf-8"))
    except OSError:
        return None
    return int(match.group(1)) if match else None
