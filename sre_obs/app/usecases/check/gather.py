"""Paths -> files to check, each once, and what each of them is by its name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sre_obs.content.telemetry.load import FOLDER as TELEMETRY
from sre_obs.model.errors import UsageError
from sre_obs.model.problem import Location, Problem, Severity

SUFFIXES = (".yml", ".yaml")
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
    """One file: where it lies, what it is called in findings, and the path it came from."""

    path: Path
    name: str
    kind: Kind
    root: str


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
        found = _walk(path, str(path), seen, problems, 0) if folder else iter((path,))
        for file in found:
            name = str(file)
            key = os.path.abspath(file)
            if key not in files:
                files[key] = File(file, name, kind_of(file), str(path))
    return list(files.values()), problems


def kind_of(path: Path) -> Kind:
    """What a file is by its name; a rule where that says nothing."""
    if path.name.endswith((".test.yml", ".test.yaml")):
        return Kind.TEST
    if path.name in _BY_NAME:
        return _BY_NAME[path.name]
    if path.absolute().parent.name == TELEMETRY and path.suffix in SUFFIXES:
        return Kind.TELEMETRY
    return Kind.RULE


def _walk(
    folder: Path, root: str, seen: set[str], problems: list[Problem], depth: int
) -> Iterator[Path]:
    real = os.path.realpath(folder)
    if real in seen or depth > _MAX_DEPTH:
        return
    seen.add(real)
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        problems.append(_unreadable(folder, error))
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = folder / entry.name
        try:
            below = entry.is_dir()
        except OSError as error:  # a link that leads to itself
            problems.append(_unreadable(path, error))
            continue
        if below:
            if entry.name not in _SKIPPED:
                yield from _walk(path, root, seen, problems, depth + 1)
        elif path.suffix in SUFFIXES and entry.name not in _OTHERS:
            yield path


def _unreadable(path: Path, error: OSError) -> Problem:
    why = error.strerror or type(error).__name__
    return Problem(
        "rules/unreadable",
        Severity.ERROR,
        Location(str(path)),
        f"can't read the folder: {why}",
        "check its mode",
    )
