"""One server a test run, shared by all its workers, gone when the run is.

Whoever needs the server first starts a *keeper*, a process in a session of its own, and
leaves the address in the run's folder. The keeper ends the server when it is told to or
when the run's process ends, however that ends; and the kernel ends the server when the
keeper is killed. So a run that is killed leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import secrets
import select
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tests.parts import PartError, elasticsearch
from tests.parts.cache import cache_root, file_lock, make_folder
from tests.parts.lockfile import find_part

# Set by tests/run, so that its phases, one pytest each, share one server.
ENVIRONMENT = "SRE_OBS_TEST_RUN"
REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Run:
    """A test run: the process whose end ends it, and the folder of its servers."""

    pid: int
    folder: Path

    @classmethod
    def new(cls) -> Run:
        """A run that ends with this very process. Its folder is made by the first need."""
        pid = os.getpid()
        return cls(pid, cache_root() / "run" / f"{pid}-{secrets.token_hex(4)}")

    def __str__(self) -> str:
        return f"{self.pid}:{self.folder}"

    @classmethod
    def parse(cls, text: str) -> Run:
        pid, _, folder = text.partition(":")
        return cls(int(pid), Path(folder))


@dataclass(frozen=True, slots=True)
class Address:
    """Where a run's server answers, and who keeps it."""

    url: str
    uuid: str
    keeper: int


def elasticsearch_of(run: Run) -> Address:
    """The run's Elasticsearch, started if nobody has yet.

    Raises PartError when it cannot be; once it could not, every worker is told the same
    and none tries again.
    """
    state, failure = run.folder / "elasticsearch.json", run.folder / "elasticsearch.failed"
    with file_lock(run.folder / "elasticsearch.lock"):
        if state.is_file():
            return Address(**json.loads(state.read_text(encoding="utf-8")))
        if failure.is_file():
            raise PartError(failure.read_text(encoding="utf-8"))
        _sweep(run.folder.parent)
        try:
            _start_keeper(run, state)
        except PartError as error:
            failure.write_text(str(error), encoding="utf-8")
            raise
        return Address(**json.loads(state.read_text(encoding="utf-8")))


def _start_keeper(run: Run, state: Path) -> None:
    find_part("elasticsearch")
    log = run.folder / "elasticsearch.log"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    keeper = os.posix_spawn(
        sys.executable,
        [
            *(sys.executable, "-m", "tests.parts", "start", "elasticsearch"),
            *("--run", str(run), "--state", str(state)),
        ],
        os.environ | {"PYTHONPATH": str(REPOSITORY), "PYTHONSAFEPATH": "1"},
        setsid=True,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
    )
    while not state.is_file():
        ended, _ = os.waitpid(keeper, os.WNOHANG)
        if ended:
            raise PartError(log.read_text(encoding="utf-8", errors="replace").strip())
        time.sleep(0.05)  # an install takes a minute, a start seconds


def keep(run: Run | None, state: Path | None) -> NoReturn:
    """Starts Elasticsearch, says where, and keeps it until SIGTERM, Ctrl-C or the run's end.

    Raises PartError when it cannot be started, or when it ends by itself.
    """
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    part = find_part("elasticsearch")
    elasticsearch.install(part)
    own = run if run is not None else Run.new()
    watched = None if run is None else _open_pid(own.pid)
    if run is not None and watched is None:
        raise PartError(f"the test run of process {run.pid} is over")
    server: elasticsearch.Server | None = None
    try:
        server = elasticsearch.start(
            part, own.folder / "elasticsearch", wanted=lambda: not _has_ended(watched)
        )
        if state is None:
            print(f"{part.name} {part.version} at {server.url}, cluster {server.uuid}", flush=True)
        else:
            _write_whole(state, Address(server.url, server.uuid, os.getpid()))
        ended = _first_to_end(server.process.pid, watched)
        if ended == server.process.pid:
            log = (server.folder / "server.log").read_text(encoding="utf-8", errors="replace")
            raise PartError(f"{part.name} ended by itself:\n{log[-3000:]}")
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(own.folder / "elasticsearch", ignore_errors=True)
        if state is not None:
            state.unlink(missing_ok=True)
        if state is None or _has_ended(watched):
            shutil.rmtree(own.folder, ignore_errors=True)
    sys.exit(0)


def stop(run: Run) -> None:
    """Ends the run's server, waits for its keeper, and removes the run's folder."""
    state = run.folder / "elasticsearch.json"
    if state.is_file():
        keeper = Address(**json.loads(state.read_text(encoding="utf-8"))).keeper
        handle = _open_pid(keeper)
        if handle is not None:
            signal.pidfd_send_signal(handle, signal.SIGTERM)
            select.select([handle], [], [], 30)
            os.close(handle)
    shutil.rmtree(run.folder, ignore_errors=True)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def _open_pid(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def _has_ended(handle: int | None) -> bool:
    return handle is not None and bool(select.select([handle], [], [], 0)[0])


def _first_to_end(server: int, watched: int | None) -> int | None:
    """The server's pid when it ended first, None when the watched process did."""
    handle = os.pidfd_open(server)
    handles = [handle] if watched is None else [handle, watched]
    ended, _, _ = select.select(handles, [], [])
    return server if handle in ended else None


def _write_whole(path: Path, address: Address) -> None:
    aside = make_folder(path.parent) / f".{path.name}.tmp"
    values = {"url": address.url, "uuid": address.uuid, "keeper": address.keeper}
    aside.write_text(json.dumps(values), encoding="utf-8")
    aside.rename(path)


def _sweep(runs: Path) -> None:
    """Removes the folders of runs whose process is no more."""
    for folder in runs.iterdir():
        pid = folder.name.partition("-")[0]
        if pid.isdigit() and not Path("/proc", pid).exists():
            shutil.rmtree(folder, ignore_errors=True)
