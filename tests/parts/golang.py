"""Programs built from Go modules that lie here: go.mod and go.sum lock every byte of them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.parts import PartError
from tests.parts.cache import cached, content_key
from tests.parts.lockfile import Part

OLDEST = (1, 26)
_VERSION = re.compile(r"go(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Program:
    """A main package and the module that locks what it is built of.

    ``module`` is the folder with go.mod and go.sum, ``package`` what `go build` is given,
    ``linker`` the flags for its linker.
    """

    module: Path
    package: str
    linker: tuple[str, ...] = ()


def build(part: Part, program: Program) -> Path:
    """The executable in the cache, built when it is not there.

    Raises PartError when Go is missing or too old, when go.sum is not the one that
    parts.lock names, or when the build fails.
    """
    sums = program.module / "go.sum"
    _check_sums(part, sums)
    sources = sorted(
        path for path in program.module.iterdir() if path.suffix in (".go", ".mod", ".sum")
    )
    key = content_key(
        program.package, *program.linker, *(path.read_text(encoding="utf-8") for path in sources)
    )
    folder = cached(
        f"{part.name}-{part.version}-{key}", lambda aside: _build(part, program, aside / part.name)
    )
    return folder / part.name


def _check_sums(part: Part, sums: Path) -> None:
    found = hashlib.sha256(sums.read_bytes()).hexdigest()
    if found != part.sha256:
        raise PartError(
            f"{part.name}: its go.sum has sha256 {found}, parts.lock says {part.sha256}; "
            "whoever changes what the part is built of changes both"
        )


def _build(part: Part, program: Program, target: Path) -> None:
    go = find_go(part.name)
    # The user's caches of modules and of compiled packages are used; his settings are not:
    # another toolchain, a workspace or flags of his would build another program.
    environment = {
        name: value for name, value in os.environ.items() if name not in ("GOFLAGS", "GOWORK")
    }
    done = _run(
        [
            *(go, "build", "-trimpath", "-buildvcs=false", "-o", str(target)),
            *("-ldflags", " ".join(("-s", "-w", *program.linker)), program.package),
        ],
        cwd=program.module,
        env=environment | {"GOFLAGS": "-mod=readonly", "GOWORK": "off", "GOTOOLCHAIN": "local"},
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip()[-2000:]
        raise PartError(f"{part.name}: Go could not build it:\n{said}")
    target.chmod(0o755)


def find_go(part: str, oldest: tuple[int, int] = OLDEST) -> str:
    """The path of a `go` that is new enough. Raises PartError naming what to install."""
    wanted = ".".join(map(str, oldest))
    go = shutil.which("go")
    if go is None:
        raise PartError(
            f"{part} is built by Go, and there is no go on PATH: install Go {wanted} or newer"
        )
    # Asked in a folder without go.mod, or it answers for the toolchain that one asks for.
    said = _run([go, "env", "GOVERSION"], cwd=Path("/"), env=os.environ | {"GOTOOLCHAIN": "local"})
    match = _VERSION.search(said.stdout)
    if match is None or (int(match[1]), int(match[2])) < oldest:
        found = said.stdout.strip() or "unknown"
        raise PartError(f"{part} needs Go {wanted} or newer; {go} is {found}: install a newer one")
    return go


def _run(
    command: Sequence[str], *, cwd: Path, env: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
