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
from tests.parts.run import Address, Run, elasticsearch_of, kubernetes_of
run, kind = Run.new(), sys.argv[1]
kubernetes_of(run) if kind == "kubernetes" else elasticsearch_of(run)
print(run.folder, Address.read(run.folder / f"{kind}.json").keeper, flush=True)
sys.stdin.read()
"""


def children(pid: int) -> list[int]:
    listed = Path("/proc", str(pid), "task", str(pid), "children").read_text(encoding="ascii")
    return [int(child) for child in listed.split()]


@pytest.mark.crash
@pytest.mark.parametrize("victim", ["run", "keeper"])
@pytest.mark.parametrize(("kind", "processes"), [("elasticsearch", 1), ("kubernetes", 5)])
def test_a_killed_run_takes_its_server_along(kind: str, processes: int, victim: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", RUN, kind],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        folder, keeper = process.stdout.readline().split()
        servers = children(int(keeper))
        assert len(servers) == processes
        try:
            os.kill(process.pid if victim == "run" else int(keeper), signal.SIGKILL)
            assert ended(int(keeper))
            assert all(ended(server) for server in servers)
        finally:
            process.kill()
    assert Path(folder).is_relative_to(cache_root())
    if victim == "run":
        assert not Path(folder).exists()
    # Nobody is left who could have removed a killed keeper's; the next run would.
    shutil.rmtree(folder, ignore_errors=True)
