"""The repository as the house tests see it."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "sre_obs"


def tracked_files() -> list[Path]:
    """Every file that git has, and that still lies there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True
    )
    paths = [REPOSITORY / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def copy_of_the_package(folder: Path) -> Path:
    """A copy of sre_obs and pyproject.toml in which a rule can be broken."""
    unwanted = shutil.ignore_patterns("__pycache__", "*.ndjson")
    shutil.copytree(PACKAGE, folder / "sre_obs", ignore=unwanted)
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    return folder


def run_python(
    arguments: Sequence[object], cwd: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """This interpreter on those arguments, with what it said as one text in ``stdout``."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"NO_COLOR": "1", "COLUMNS": "200"} | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(pid: int) -> bool:
    """Whether that process, a child's child perhaps, ends within half a minute."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 30)[0])
    finally:
        os.close(handle)
