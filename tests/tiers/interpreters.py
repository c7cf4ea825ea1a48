"""The Python interpreters that sre-obs promises to run on."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.tiers import NotReady

MAIN = "3.11"
OTHERS = ("3.12", "3.13")


def find_interpreter(version: str) -> Path:
    """The newest interpreter of that minor version, from PATH or pyenv. Raises NotReady."""
    for candidate in _candidates(version):
        # Asked, not believed: pyenv leaves a shim on PATH for versions it would not run.
        asked = subprocess.run(
            [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        found, _, executable = asked.stdout.strip().partition(" ")
        if asked.returncode == 0 and found == version:
            return Path(executable)
    raise NotReady(
        f"no Python {version}, neither as python{version} on PATH nor in pyenv; "
        f"install it, for instance with: pyenv install {version}"
    )


def _candidates(version: str) -> Iterator[str]:
    if on_path := shutil.which(f"python{version}"):
        yield on_path
    for versions in _pyenv_versions():
        found = versions.glob(f"{version}.*/bin/python{version}")
        yield from (str(path) for path in sorted(found, key=_patch, reverse=True))


def _pyenv_versions() -> Iterator[Path]:
    if root := os.environ.get("PYENV_ROOT"):
        yield Path(root) / "versions"
    if command := shutil.which("pyenv"):
        yield Path(command).resolve().parents[1] / "versions"
    yield Path.home() / ".pyenv" / "versions"


def _patch(path: Path) -> tuple[int, str]:
    name = path.parents[1].name
    last = name.rpartition(".")[2]
    return (int(last) if last.isdigit() else -1, name)
