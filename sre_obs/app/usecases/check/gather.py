"""Paths -> files to check, each once, and what each of them is by its name."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sre_obs.model.errors import UsageError
from sre_obs.model.problem import Location, Problem, Severity

SUFFIXES = (".yml", ".yaml")
TESTS = (".test.yml", ".test.yaml")
# The folder of telemetry packs, beside the rules or above their folders.
TELEMETRY = "telemetry"
_MAX_DEPTH = 8
# What lies in a repository of rules and is nobody's to check here.
_OTHERS = frozenset(f"sre-obs{suffix}" for suffix in SUFFIXES)
_SKIPPED = frozenset(("schema", "node_modules", "__pycache__"))


class Kind(StrEnum):
    """What a file is."""

    RULE = "rule"
    TEST = "test"
    ROUTES = "routes"
    SILENCES = "silences"
    OVERRIDES = "overrides"
    TELEMETRY = "telemetry"


_BY_NAME = {
    f"{kind.value}{suffix}": kind
    for kind in (Kind.ROUTES, Kind.SILENCES, Kind.OVERRIDES)
    for suffix in SUFFIXES
}


@dataclass(frozen=True, slots=True)
class File:
    """One file: what it is called in findings (which is where it lies), the name of its
    folder, and the path that it came from. `tested`: a test lies beside it."""

    name: str
    folder: str
    kind: Kind
    root: str
    tested: bool

    @property
    def path(self) -> Path:
        """Where it lies."""
        return Path(self.name)

    @property
    def base(self) -> str:
        """Its name without the folders."""
        return os.path.basename(self.name)


def gather(paths: Sequence[Path]) -> tuple[list[File], list[Problem]]:
    """The files of folders (all YAML below) and files of any name, in order.

    Names that begin with a dot are skipped, as in the folders of mounted ConfigMaps, and
    folders that are links are followed, but none twice. Raises UsageError for a path that is
    not there.
    """
    files: dict[str, File] = {}
    problems: list[Problem] = []
    seen: set[str] = set()
    for path in paths:
        try:
            there, folder = os.path.lexists(path), path.is_dir()
        except (OSError, ValueError):
            there, folder = False, False
        if not there:
            raise UsageError("no such file or folder", where=str(path), remedy="check the path")
        root = str(path)
        walk = _Walk(root, seen, problems)
        for file in walk.below(root, 0) if folder else (_one(root),):
            files.setdefault(os.path.abspath(file.name), file)
    return list(files.values()), problems


def kind_of(name: str, folder: str) -> Kind:
    """What a file is by its name and that of its folder; a rule where these say nothing."""
    if name.endswith(TESTS):
        return Kind.TEST
    if name in _BY_NAME:
        return _BY_NAME[name]
    if folder == TELEMETRY and name.endswith(SUFFIXES):
        return Kind.TELEMETRY
    return Kind.RULE


def _one(name: str) -> File:
    """A file that was named itself."""
    above, base = os.path.split(os.path.abspath(name))
    folder = os.path.basename(above)
    try:
        beside: Collection[str] = os.listdir(above)
    except OSError:
        beside = ()
    return File(name, folder, kind_of(base, folder), name, _tested(base, beside))


def _tested(name: str, beside: Collection[str]) -> bool:
    """Whether there is a test of a rule's file among the names beside it."""
    stem = name
    for suffix in SUFFIXES:
        stem = stem.removesuffix(suffix)
    return any(stem + end in beside for end in TESTS)


class _Walk:
    """The files below one path of the command line."""

    def __init__(self, root: str, seen: set[str], problems: list[Problem]) -> None:
        self._root = root
        self._seen = seen
        self._problems = problems

    def below(self, folder: str, depth: int) -> Iterator[File]:
        """The files of a folder, and of those in it."""
        real = os.path.realpath(folder)
        if real in self._seen or depth > _MAX_DEPTH:
            return
        self._seen.add(real)
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            self._unreadable(folder, error)
            return
        called = os.path.basename(os.path.abspath(folder))
        names = {entry.name for entry in entries}
        for entry in entries:
            if entry.name.startswith("."):
                continue
            # As the rule's tests and the daemon call it: "shop/x.yml" and not "./shop/x.yml".
            path = entry.name if folder == os.curdir else os.path.join(folder, entry.name)
            try:
                below = entry.is_dir()
            except OSError as error:  # a link that leads to itself
                self._unreadable(path, error)
                continue
            if below:
                if entry.name not in _SKIPPED:
                    yield from self.below(path, depth + 1)
            elif entry.name.endswith(SUFFIXES) and entry.name not in _OTHERS:
                kind = kind_of(entry.name, called)
                yield File(path, called, kind, self._root, _tested(entry.name, names))

    def _unreadable(self, path: str, error: OSError) -> None:
        why = error.strerror or type(error).__name__
        message = f"can't read the folder: {why}"
        place = Location(path)
        self._problems.append(
            Problem("rules/unreadable", Severity.ERROR, place, message, "check its mode")
        )
