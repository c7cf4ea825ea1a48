"""`sre-obs init`: the template into a folder; what is there already stays as it is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sre_obs.app.init import FILES, TEMPLATE
from sre_obs.model.errors import UsageError


@dataclass(frozen=True, slots=True)
class Begun:
    """Paths in the new folder: those that were written, and those that were there."""

    written: tuple[str, ...]
    kept: tuple[str, ...]


def begin(folder: Path) -> Begun:
    """Write each file that is not there. Raises UsageError where that can't be done."""
    written: list[str] = []
    kept: list[str] = []
    for source, target in FILES.items():
        path = folder / target
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Made by this very call or not at all: nothing is overwritten, not even by two
            # who begin at the same time, and no link is followed.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            if not path.parent.is_dir():
                raise UsageError(
                    "a file is in the way of a folder",
                    where=str(path.parent),
                    remedy="name another folder",
                ) from None
            kept.append(target)
            continue
        except OSError as error:
            raise UsageError(
                f"can't write here: {error.strerror or type(error).__name__}",
                where=str(path),
                remedy="name a folder that you may write to",
            ) from None
        with open(descriptor, "wb") as stream:
            stream.write((TEMPLATE / source).read_bytes())
        written.append(target)
    return Begun(tuple(written), tuple(kept))
