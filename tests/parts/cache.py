"""Where built parts lie, and how one gets there whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.parts import PartError


def cache_root() -> Path:
    """The cache folder: the user's own, as root a system one.

    Servers started by root run as another uid, and that one cannot look into /root.
    """
    if os.geteuid() == 0:
        return Path("/var/cache/sre-obs")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sre-obs"


def make_folder(path: Path) -> Path:
    """The folder, made with its parents and readable by everyone whatever the umask."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            folder.chmod(0o755)
    return path


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Holds an exclusive lock on that file; the kernel drops it when the holder dies."""
    make_folder(path.parent)
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def content_key(*contents: str) -> str:
    """Twelve hex digits that change whenever one of the contents does."""
    digest = hashlib.sha256()
    for content in contents:
        digest.update(content.encode())
        digest.update(b"\0")
    return digest.hexdigest()[:12]


def cached(
    name: str, build: Callable[[Path], None], *, kind: str = "parts", root: Path | None = None
) -> Path:
    """``<cache>/<kind>/<name>``, built by ``build(empty folder)`` if it is not there yet.

    Built in a folder aside and renamed into place under a lock: of two processes one
    builds and the other waits, and what a killed one left half-built is never seen and
    is swept by the next.
    """
    shelf = make_folder((root or cache_root()) / kind)
    target = shelf / name
    if target.is_dir():
        return target
    with file_lock(shelf / f".{name}.lock"):
        if target.is_dir():
            return target
        for leftover in shelf.glob(f".{name}.tmp-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{name}.tmp-", dir=shelf))
        try:
            build(aside)
            aside.chmod(0o755)
            aside.rename(target)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
    return target


def check_sha256(path: Path, expected: str, part: str) -> None:
    """Raises PartError unless the file's sha256 is the expected one."""
    with path.open("rb") as handle:
        found = hashlib.file_digest(handle, "sha256").hexdigest()
    if found != expected:
        raise PartError(
            f"{part}: the archive {path.name} has sha256 {found}, parts.lock says {expected}; "
            "either the download is damaged (run again) or the archive was replaced (do not use it)"
        )
