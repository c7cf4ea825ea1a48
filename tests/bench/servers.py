"""Both daemons under one face, and what the kernel knows of a process."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TypeAlias
from urllib.error import URLError
from urllib.request import urlopen

from tests.daemon import Daemon

PACKAGE = "prometheus-alertmanager"
START = 30.0


def routes(hook: str, *, group_by: str, group_wait: str) -> str:
    """A routes file that both understand: everything to one webhook."""
    return f"""
route: {{receiver: hook, group_by: [{group_by}], group_wait: {group_wait}, group_interval: 1h}}
receivers:
  - name: hook
    webhook_configs: [{{url: "{hook}"}}]
"""


class Ours(Daemon):
    """`sre-obs run` as a router without rules."""

    name = "sre-obs"

    def __enter__(self) -> Ours:
        super().__enter__()
        return self


class Alertmanager:
    """Debian's Alertmanager on loopback, alone, its data in `folder`."""

    name = "Alertmanager"

    def __init__(self, folder: Path, text: str) -> None:
        program = shutil.which(PACKAGE)
        if program is None:
            raise SystemExit(f"no {PACKAGE} here: apt-get install {PACKAGE}")
        folder.mkdir(parents=True)
        config = folder / "alertmanager.yml"
        config.write_text(text)
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._arguments = [
            program,
            f"--config.file={config}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            "--log.level=error",
        ]

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Alertmanager:
        self._process = subprocess.Popen(
            self._arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + START
        while time.monotonic() < end:
            try:
                with urlopen(self.url + "/-/ready", timeout=5):
                    return self
            except (URLError, OSError):
                time.sleep(0.05)
        self._process.kill()
        raise AssertionError("Alertmanager did not start")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)


Server: TypeAlias = Ours | Alertmanager


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and its ended threads, to the nanosecond (Linux)."""
    return time.clock_gettime((~pid << 3) | 2)


def resident(pid: int) -> float:
    """Resident memory of a process and its children in MiB."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    pids = [pid, *(int(child) for file in children for child in file.read_text().split())]
    return sum(_resident(each) for each in pids)


def _resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
