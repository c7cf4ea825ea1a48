"""SQLite's errors -> ours, with the remedy. Nothing of a row's content gets into them."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from sre_obs.model.errors import StoreBusy, StoreCorrupt, StoreError, StoreFull

# The primary result codes, https://www.sqlite.org/rescode.html; the driver gives extended
# ones, whose lowest byte is the primary one.
_PERM, _BUSY, _LOCKED, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = (
    3, 5, 6, 8, 10, 11, 13, 14, 26,
)  # fmt: skip
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Errors of SQLite, SQLAlchemy and the file system leave as StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(error, path) from None
    except exc.DBAPIError as error:
        cause = error.orig
        if not isinstance(cause, sqlite3.Error):
            raise StoreError(f"the store failed: {type(error).__name__}", where=path) from None
        raise explain(cause, path) from None
    except exc.SQLAlchemyError as error:
        raise StoreError(f"the store failed: {type(error).__name__}", where=path) from None
    except OSError as error:
        raise unusable(error, path) from None


def explain(error: sqlite3.Error, path: str) -> StoreError:
    """What an error of SQLite means for the store at `path`."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == _FULL or (code == _IOERR and _no_room(path)):
        return full(path)
    if code in (_CORRUPT, _NOTADB):
        return corrupt(path, str(error))
    if code in (_BUSY, _LOCKED):
        return StoreBusy(
            "another program keeps the store locked",
            where=path,
            remedy="close what has it open (a database browser, a copy under way)",
        )
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    remedy = "see the system's log for the disk" if code == _IOERR else ""
    if code in (_PERM, _READONLY, _CANTOPEN):
        remedy = f"let user {os.geteuid()} write the file and its folder"
    return StoreError(f"the store can't be used: {error} ({name})", where=path, remedy=remedy)


def full(path: str) -> StoreFull:
    """No room."""
    return StoreFull(
        "no room on the disk of the store; what waits is kept in memory and tried again",
        where=path,
        remedy="free room on that disk, or raise the quota",
    )


def corrupt(path: str, why: str) -> StoreCorrupt:
    """The file is not the database that it was."""
    return StoreCorrupt(
        f"the store is damaged: {why}",
        where=path,
        remedy=(
            f"stop sre-obs, move {path}* away, then put a backup in its place "
            "(or nothing: it starts empty)"
        ),
    )


def unusable(error: OSError, path: str) -> StoreError:
    """The file system refuses."""
    if error.errno in _NO_ROOM:
        return full(path)
    why = error.strerror or type(error).__name__
    if isinstance(error, FileExistsError | NotADirectoryError):
        why = "its folder is not a folder"
    of = f" ({error.filename})" if error.filename not in (None, path) else ""
    return StoreError(
        f"the file can't be used: {why}{of}",
        where=path,
        remedy=f"let user {os.geteuid()} write there, or choose another folder for the data",
    )


def _no_room(path: str) -> bool:
    """Whether an I/O error is about room: SQLite says so of ENOSPC, not of a quota.

    Asked of the file system itself, by a byte where the file would have grown to.
    """
    probe = f"{path}.probe"
    try:
        files = [file for file in (path, f"{path}-wal") if os.path.exists(file)]
        end = max((os.stat(file).st_size for file in files), default=0)
        fd = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.pwrite(fd, b"\0", end + 65_536)
            os.fsync(fd)
        finally:
            os.close(fd)
            os.unlink(probe)
    except OSError as error:
        return error.errno in _NO_ROOM
    return False
