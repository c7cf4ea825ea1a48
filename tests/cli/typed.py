"""A command as somebody types it: in this process with pipes, or in another one."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from sre_obs.app.cli import main

# What a test's own surroundings must not change.
_CLEAN = re.compile(
    r"SRE_OBS_|.*_proxy$|(NO_COLOR|FORCE_COLOR|CLICOLOR_FORCE|COLUMNS)$", re.IGNORECASE
)


@dataclass(frozen=True)
class Typed:
    """What came of it."""

    command: str
    code: int
    out: str
    err: str

    def transcript(self, **replaced: str) -> str:
        """All of it as one text; each value of `replaced` is shown as its name."""
        parts = [f"$ {self.command}\n"]
        for name, text in (("stdout", self.out), ("stderr", self.err)):
            if text:
                parts.append(f"--- {name}\n{text}")
        parts.append(f"--- exit {self.code}\n")
        text = "".join(parts)
        for name, value in replaced.items():
            text = text.replace(value, name)
        return text


def environment(**more: str) -> dict[str, str]:
    """This process's, without what would change an answer."""
    kept = {k: v for k, v in os.environ.items() if not _CLEAN.match(k)}
    return {**kept, "COLUMNS": "80", **more}


def type_here(
    line: str, folder: Path | None = None, environ: Mapping[str, str] | None = None
) -> Typed:
    """Run ``sre-obs ...`` in this process, its output into pipes."""
    arguments = shlex.split(line)
    assert arguments.pop(0) == "sre-obs"
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        contextlib.chdir(folder or Path.cwd()),
        mock.patch.dict(os.environ, environment(**(environ or {})), clear=True),
    ):
        try:
            main(arguments)
        except SystemExit as stop:
            code = stop.code
    assert isinstance(code, int)
    return Typed(line, code, out.getvalue(), err.getvalue())


def type_there(
    line: str,
    folder: Path,
    environ: Mapping[str, str] | None = None,
    timeout: float = 120.0,
) -> Typed:
    """Run it in a process of its own."""
    arguments = shlex.split(line)
    assert arguments.pop(0) == "sre-obs"
    done = subprocess.run(
        [sys.executable, "-m", "sre_obs.app.cli", *arguments],
        cwd=folder,
        env=environment(**(environ or {})),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    return Typed(line, done.returncode, done.stdout, done.stderr)
