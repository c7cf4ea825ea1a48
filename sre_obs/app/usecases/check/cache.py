"""What was found before, by the content of a file: a folder that has hardly changed is
checked in a fraction of the time.

One file in the user's cache folder for each version of the program, contract and allow-list.
It is written beside and renamed, so that two runs at once leave one of theirs; what can't be
read, or is not what was written, is as if it were not there. It is a matter of speed alone:
whatever goes wrong here is not told.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sre_obs.app.usecases.check.entry import Entry, Facts
from sre_obs.content.ignored import Ignore
from sre_obs.model.problem import Location, Problem, Severity

# Entries of one file, and such files in the folder.
MOST_ENTRIES = 20_000
MOST_FILES = 8
MOST_BYTES = 64 * 2**20
_PREFIX = "check-"
_FORM = 2


def key_of(data: bytes, apart: str) -> str:
    """What an entry is kept by: the content, and what else decides what is found in it."""
    digest = blake2b(data, digest_size=16)
    digest.update(b"\0" + apart.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


class NoCache:
    """Nothing is known from before, and nothing kept."""

    def open(self, stamp: str, allow: str) -> None:
        """Nothing."""

    def get(self, key: str, name: str) -> Entry | None:
        """None."""
        return None

    def put(self, key: str, entry: Entry) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class Cache:
    """The entries of earlier runs, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder
        self._known: dict[str, Any] = {}
        self._used: dict[str, Any] = {}
        self._new = False

    def open(self, stamp: str, allow: str) -> None:
        """Read what was kept for this program, contract and allow-list."""
        apart = key_of(f"{_FORM} {_program()} {stamp}".encode(), allow)
        self._path = self._folder / f"{_PREFIX}{apart}.json"
        try:
            if self._path.stat().st_size > MOST_BYTES:
                return
            import orjson

            known = orjson.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return
        if isinstance(known, dict):
            self._known = known

    def get(self, key: str, name: str) -> Entry | None:
        """What was found in a file of this content, as a file of this name."""
        kept = self._known.get(key)
        if kept is None:
            return None
        try:
            entry = _entry(kept, name)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError):
            return None
        self._used[key] = kept
        return entry

    def put(self, key: str, entry: Entry) -> None:
        """Keep it."""
        self._used[key] = _plain(entry)
        self._new = True

    def close(self) -> None:
        """Write what was used and, as far as there is room, what was known besides."""
        if not self._new:
            return
        import orjson

        room = MOST_ENTRIES - len(self._used)
        others = [key for key in self._known if key not in self._used]
        kept = {key: self._known[key] for key in others[max(len(others) - room, 0) :]}
        if len(self._used) <= MOST_ENTRIES:
            kept |= self._used
        with contextlib.suppress(OSError, TypeError, ValueError):
            data = orjson.dumps(kept)
            if len(data) > MOST_BYTES:
                data = orjson.dumps(self._used)
            if len(data) <= MOST_BYTES:
                self._write(data)
                self._tidy()

    def _write(self, data: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(prefix=_PREFIX, suffix=".new", dir=self._folder)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
            os.replace(name, self._path)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise

    def _tidy(self) -> None:
        """Remove all but the files used last, and what a killed run left half written."""
        found = sorted(self._folder.glob(f"{_PREFIX}*"), key=lambda p: -p.stat().st_mtime)
        finished = [path for path in found if path.suffix == ".json"]
        halves = [path for path in found if path.suffix == ".new"]
        for path in (*finished[MOST_FILES:], *halves[MOST_FILES:]):
            path.unlink(missing_ok=True)


def cache_folder(environ: Mapping[str, str]) -> Path | None:
    """The user's folder for what can be made anew, or None where there is none."""
    base = environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        home = environ.get("HOME", "")
        if not os.path.isabs(home):
            return None
        base = os.path.join(home, ".cache")
    return Path(base) / "sre-obs"


def _program() -> str:
    """The version, and when the package's checks were last written: a checkout changes
    without a new version."""
    try:
        number = version("sre-obs")
    except PackageNotFoundError:
        number = "0"
    package = Path(__file__).resolve().parents[3]
    newest = 0
    for room in ("content", "query", "model", "adapters", "evaluate", "app/usecases/check"):
        for folder, folders, files in os.walk(package / room):
            folders[:] = [f for f in folders if f != "__pycache__"]
            for name in files:
                with contextlib.suppress(OSError):
                    newest = max(newest, os.stat(os.path.join(folder, name)).st_mtime_ns)
    return f"{number} {newest}"


def _plain(entry: Entry) -> Sequence[Any]:
    facts = entry.facts
    return [
        [
            [p.slug, p.severity.value, *_place(p.location), p.message, p.remedy, p.source]
            for p in entry.problems
        ],
        None
        if facts is None
        else [
            *(facts.id, facts.slug, facts.same, facts.near, dict(facts.labels)),
            *(_place(facts.place), facts.source, facts.known),
        ],
        [[i.slug, i.reason, i.first, i.last, *_place(i.place)] for i in entry.ignores],
        sorted(entry.used),
        entry.loaded,
    ]


def _entry(kept: Any, name: str) -> Entry:
    """The entry again. Raises whatever comes of what is not one."""
    problems, facts, comments, used, loaded = kept
    return Entry(
        tuple(
            Problem(
                _text(slug),
                Severity(severity),
                _location(name, line, column, length),
                _text(message),
                _text(remedy),
                _text(source),
            )
            for slug, severity, line, column, length, message, remedy, source in problems
        ),
        None if facts is None else _facts(facts, name),
        tuple(
            Ignore(_text(slug), _text(reason), int(first), int(last), _location(name, *place))
            for slug, reason, first, last, *place in comments
        ),
        frozenset(int(n) for n in used if 0 <= int(n) < len(comments)),
        bool(loaded),
    )


def _facts(kept: Any, name: str) -> Facts:
    id_, slug, same, near, labels, place, source, known = kept
    return Facts(
        _text(id_),
        _text(slug),
        _text(same),
        _text(near),
        {_text(label): value if value is None else _text(value) for label, value in labels.items()},
        _location(name, *place),
        _text(source),
        bool(known),
    )


def _place(place: Location) -> tuple[int, int, int]:
    return place.line, place.column, place.length


def _location(name: str, line: int, column: int, length: int) -> Location:
    return Location(name, int(line), int(column), int(length))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
