"""kill -9 does not test fsync: the system calls do."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.daemon import Daemon, fire

pytestmark = pytest.mark.crash

ROUTES = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


def test_the_log_is_synced_between_reading_a_post_and_answering_200(tmp_path: Path) -> None:
    strace = shutil.which("strace")
    assert strace, "strace is missing: apt-get install strace"
    trace = tmp_path / "trace"
    calls = "trace=read,recvfrom,recvmsg,write,sendto,sendmsg,writev,fsync,fdatasync,pwrite64"
    wrap = (strace, "-f", "-y", "-s", "64", "-e", calls, "-o", str(trace))
    with Daemon(tmp_path / "d", ROUTES, wrap=wrap) as daemon:
        assert daemon.alert(fire("durable")) == 200
        lines = trace.read_text(errors="replace").splitlines()
    read = next(i for i, line in enumerate(lines) if "POST /api/v2/alerts" in line)
    answered = next(i for i, line in enumerate(lines) if i > read and "HTTP/1.1 200" in line)
    synced = [
        line for line in lines[read:answered] if re.search(r"f(data)?sync\(\d+<[^>]*-wal>", line)
    ]
    assert synced, "\n".join(lines[read : answered + 1])
