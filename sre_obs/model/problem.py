"""A `Problem` is about the user's file: collected, not raised."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Wrong(str):
    """What is wrong, in a few words, where a description of what is there was asked for."""

    __slots__ = ()


class Severity(StrEnum):
    """How much a problem matters; only an error keeps a file from being used."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file. Lines and columns count from 1; `length` in characters."""

    file: str
    line: int = 1
    column: int = 1
    length: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong (`message`), where, and what to do (`remedy`).

    `slug` (``rules/unknown-field``) names the check in code, output, JSON, docs and in
    the comment that suppresses it. `source` is the offending line, for the caret.
    """

    slug: str
    severity: Severity
    location: Location
    message: str
    remedy: str = ""
    source: str = ""
