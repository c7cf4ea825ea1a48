"""The store's files: one process has them, nobody else reads them, damage is seen."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from sre_obs.adapters.store import failures
from sre_obs.model.errors import StoreBusy

_MAGIC = b"SQLite format 3\0"

# POSIX locks don't hold off the process that has them, so it remembers its own. (flock
# would, but children forked by a thread pool would keep it beyond a kill.)
_HELD: set[str] = set()


class Lock:
    """`<path>.lock`, held until `release` or the end of the process, kill -9 included.

    `path` is resolved. Raises StoreBusy with the holder's pid, StoreError if the folder
    can't be written.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        if path in _HELD:
            raise _busy(path, os.getpid())
        with failures.translated(path):
            self._fd = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                text = os.pread(self._fd, 20, 0)
                os.close(self._fd)
                if error.errno in (errno.EACCES, errno.EAGAIN):
                    raise _busy(path, _living(text)) from None
                raise
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)
        _HELD.add(path)

    def release(self) -> None:
        """Let others have it. The file stays: to remove it would race with the next one."""
        if self._path in _HELD:
            _HELD.discard(self._path)
            os.close(self._fd)


def make_folder(path: str) -> None:
    """The folder of `path`, for its owner only if it has to be made."""
    with failures.translated(path):
        os.makedirs(Path(path).resolve().parent, mode=0o700, exist_ok=True)


def prepare(path: str) -> None:
    """Make the file if it is not there, and see that it can be a database.

    Raises StoreCorrupt if it can't.
    """
    with failures.translated(path):
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            head = os.pread(fd, 100, 0)
        finally:
            os.close(fd)
        if not head:
            sync_folder(path)
        elif len(head) < 100 or not head.startswith(_MAGIC):
            raise failures.corrupt(path, "it is not an SQLite database")


def close_to_others(path: str) -> None:
    """Mode 0600 for the files; those that SQLite makes later take after the first."""
    os.chmod(path, 0o600)
    for beside in (f"{path}-wal", f"{path}-shm"):
        if os.path.exists(beside):
            os.chmod(beside, 0o600)


def sync_folder(path: str) -> None:
    """Make the file's name in its folder as durable as its content."""
    fd = os.open(Path(path).resolve().parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _busy(path: str, pid: int) -> StoreBusy:
    who = f"process {pid}" if pid else "another process"
    stop = f"stop it (kill {pid}), or give" if pid else "give"
    return StoreBusy(
        f"the store is in use by {who}",
        pid,
        where=path,
        remedy=f"{stop} this one another folder for its data",
    )


def _living(text: bytes) -> int:
    """The pid in a lock file, or 0: the holder may not have written it yet."""
    if not text.strip().isdigit():
        return 0
    pid = int(text)
    try:
        os.kill(pid, 0)
    except PermissionError:
        return pid
    except OSError:
        return 0
    return pid
