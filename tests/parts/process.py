"""What all servers' processes have in common: their user, their end, their ports."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from tests.parts import PartError
from tests.parts.secured import Login

SERVER_ID = 65534  # nobody: no server of tests needs root, and Elasticsearch refuses it


class Server(Protocol):
    """A started server of any kind, as its keeper sees it."""

    @property
    def url(self) -> str:
        """Where it answers."""

    @property
    def uuid(self) -> str:
        """Which cluster answers there."""

    @property
    def login(self) -> Login | None:
        """Who may do everything there; None when nobody is asked, or not for a password."""

    @property
    def folder(self) -> Path:
        """Its home, with the log of each process: ``<name>.log``."""

    @property
    def processes(self) -> Mapping[str, subprocess.Popen[bytes]]:
        """By name; when one ends, the server has ended."""

    @property
    def greeting(self) -> str:
        """What a person who started it by hand wants to know."""

    def stop(self) -> None:
        """Ends it and removes its folder."""


def as_server_user(part: str) -> list[str]:
    """The beginning of a server's command line: another user than root, and a sure end."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise PartError(f"{part} is started through setpriv (Debian: util-linux): missing")
    # The kernel ends the server with its parent: a killed run leaves no orphan.
    death = ["--pdeathsig", "KILL"]
    if os.geteuid() != 0:
        return [setpriv, *death]
    return [setpriv, f"--reuid={SERVER_ID}", f"--regid={SERVER_ID}", "--clear-groups", *death]


def give_to_server_user(folder: Path) -> None:
    """Makes that user the owner of the folder and of all in it."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, SERVER_ID, SERVER_ID, follow_symlinks=False)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody had a moment ago; somebody may take one meanwhile."""
    with ExitStack() as held:
        ports = []
        for _ in range(count):
            listener = held.enter_context(socket.socket())
            listener.bind(("127.0.0.1", 0))
            ports.append(int(listener.getsockname()[1]))
    return ports


def end_of_log(folder: Path, name: str) -> str:
    """The last lines that the process of that name wrote."""
    log = (folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
    return log[-3000:] or "(its log is empty)"
