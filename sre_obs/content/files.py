"""The one way to read a file that somebody names: a regular one, and not more than asked."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

SECRET_MOST = 64 * 1024


def read_regular(path: Path, most: int) -> bytes:
    """At most `most` bytes of a file. Raises OSError, also for what is no regular file.

    A FIFO would be waited for without end, and a device may never end.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return stream.read(most)


def read_secret(path: Path) -> str:
    """A file that holds one secret, without the line end. Raises OSError, ValueError."""
    data = read_regular(path, SECRET_MOST + 1)
    if len(data) > SECRET_MOST:
        raise ValueError("it is too large for a secret")
    return data.decode("utf-8").strip()
