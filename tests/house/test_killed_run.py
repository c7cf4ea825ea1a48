"""A test run that is killed leaves no server and no folder behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import REPOSITORY, ended
from tests.parts.cache import cache_root

# Starts the run's server as a test worker would, says where, and waits to be killed.
RUN = """
import sys
from tests.parts.run import Run, elasticsearch_of
run = Run.new()
address = elasticsearch_of(run)
print(run.folder, address.keeper, flush=True)
sys.stdin.read()
"""


def children(pid: int) -> list[int]:
    listed = Path("/proc", str(pid), "task", str(pid), "children").read_text(encoding="ascii")
    return [int(child) for child in listed.split()]


@pytest.mark.crash
@pytest.mark.parametrize("victim", ["run", "keeper"])
def test_a_killed_run_takes_its_server_along(victim: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", RUN],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        folder, keeper = process.stdout.readline().split()
        (server,) = children(int(keeper))
        try:
            os.kill(process.pid if victim == "run" else int(keeper), signal.SIGKILL)
            assert ended(int(keeper))
            assert ended(server)
        finally:
            process.kill()
    assert Path(folder).is_relative_to(cache_root())
    if victim == "run":
        assert not Path(folder).exists()
    # Nobody is left who could have removed a killed keeper's; the next run would.
    shutil.rmtree(folder, ignore_errors=True)
