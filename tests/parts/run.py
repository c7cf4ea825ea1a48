"""One server of each kind a test run, shared by all its workers, gone when the run is.

Whoever needs a server first starts a *keeper*, a process in a session of its own, and
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
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tests.parts import PartError, elasticsearch
from tests.parts.cache import cache_root, file_lock, make_folder
from tests.parts.kubernetes import server as kubernetes
from tests.parts.kubernetes.cluster import Cluster
from tests.parts.lockfile import find_part
from tests.parts.process import Server, end_of_log
from tests.parts.secured import Login

# Set by tests/run, so that its phases, one pytest each, share one server.
ENVIRONMENT = "SRE_OBS_TEST_RUN"
REPOSITORY = Path(__file__).parents[2]

PLAIN, SECURED, KUBERNETES = "elasticsearch", "secured-elasticsearch", "kubernetes"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of server: the part that it is of, and how one is started in a new folder.

    ``start`` is also told how to ask whether the server is still wanted.
    """

    part: str
    start: Callable[[Path, Callable[[], bool]], Server]


def _start_elasticsearch(folder: Path, wanted: Callable[[], bool]) -> Server:
    part = find_part("elasticsearch")
    return elasticsearch.start(part, folder, secured=folder.name == SECURED, wanted=wanted)


# What is not needed is not started.
SERVERS = {
    PLAIN: Kind("elasticsearch", _start_elasticsearch),
    SECURED: Kind("elasticsearch", _start_elasticsearch),
    KUBERNETES: Kind("kubernetes", lambda folder, wanted: kubernetes.start(folder, wanted=wanted)),
}


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
    login: Login | None = None

    @classmethod
    def read(cls, path: Path) -> Address:
        """What `write` wrote."""
        values = json.loads(path.read_text(encoding="utf-8"))
        login = values.pop("login")
        return cls(**values, login=None if login is None else Login(**login))

    def write(self, path: Path) -> None:
        """The file is there whole or not at all, and its owner's alone."""
        aside = make_folder(path.parent) / f".{path.name}.tmp"
        aside.touch(0o600)
        aside.write_text(json.dumps(asdict(self)), encoding="utf-8")
        aside.rename(path)


def elasticsearch_of(run: Run, server: str = PLAIN) -> Address:
    """The run's Elasticsearch, plain or secured, started if nobody has yet.

    Raises PartError when it cannot be.
    """
    return _server_of(run, server)


def kubernetes_of(run: Run) -> Cluster:
    """The run's Kubernetes, started if nobody has yet. Raises PartError when it cannot be."""
    return kubernetes.cluster_in(run.folder / KUBERNETES, _server_of(run, KUBERNETES).url)


def _server_of(run: Run, server: str) -> Address:
    """The run's server of that kind, started if nobody has yet.

    Raises PartError when it cannot be; once it could not, every worker is told the same
    and none tries again.
    """
    state, failure = run.folder / f"{server}.json", run.folder / f"{server}.failed"
    with file_lock(run.folder / f"{server}.lock"):
        if state.is_file():
            return Address.read(state)
        if failure.is_file():
            raise PartError(failure.read_text(encoding="utf-8"))
        _sweep(run.folder.parent)
        try:
            _start_keeper(run, server, state)
        except PartError as error:
            failure.write_text(str(error), encoding="utf-8")
            raise
        return Address.read(state)


def _start_keeper(run: Run, server: str, state: Path) -> None:
    find_part(SERVERS[server].part)
    log = run.folder / f"{server}.log"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    keeper = os.posix_spawn(
        sys.executable,
        [
            *(sys.executable, "-m", "tests.parts", "start", server),
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


def keep(run: Run | None, name: str, state: Path | None) -> NoReturn:
    """Starts that server, says where, and keeps it until SIGTERM, Ctrl-C or the run's end.

    Raises PartError when it cannot be started, or when it ends by itself.
    """
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    part = find_part(SERVERS[name].part)
    own = run if run is not None else Run.new()
    watched = None if run is None else _open_pid(own.pid)
    if run is not None and watched is None:
        raise PartError(f"the test run of process {run.pid} is over")
    server: Server | None = None
    try:
        server = SERVERS[name].start(own.folder / name, lambda: not _has_ended(watched))
        if state is None:
            print(f"{part.name} {part.version} at {server.greeting}", flush=True)
        else:
            Address(server.url, server.uuid, os.getpid(), server.login).write(state)
        pids = {process.pid: which for which, process in server.processes.items()}
        if (ended := _first_to_end(pids, watched)) is not None:
            which = pids[ended]
            log = end_of_log(server.folder, which)
            raise PartError(f"{name}: its process {which} ended by itself:\n{log}")
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(own.folder / name, ignore_errors=True)
        if state is not None:
            state.unlink(missing_ok=True)
        if state is None or _has_ended(watched):
            shutil.rmtree(own.folder, ignore_errors=True)
    sys.exit(0)


def stop(run: Run) -> None:
    """Ends the run's servers, waits for their keepers, and removes the run's folder."""
    for state in [run.folder / f"{server}.json" for server in SERVERS]:
        if not state.is_file():
            continue
        handle = _open_pid(Address.read(state).keeper)
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


def _first_to_end(servers: Iterable[int], watched: int | None) -> int | None:
    """The pid of the server's process that ended first, None when the watched one did."""
    handles = {os.pidfd_open(pid): pid for pid in servers}
    ended, _, _ = select.select([*handles, *([] if watched is None else [watched])], [], [])
    return next((handles[handle] for handle in ended if handle in handles), None)


def _sweep(runs: Path) -> None:
    """Removes the folders of runs whose process is no more."""
    for folder in runs.iterdir():
        pid = folder.name.partition("-")[0]
        if pid.isdigit() and not Path("/proc", pid).exists():
            shutil.rmtree(folder, ignore_errors=True)
