"""The nodes of a Lucene query. Each has its span: characters [start, end) of the text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Name:
    """A field's name, escapes resolved; with ``*`` (written ``\\*``) it is a pattern."""

    text: str
    start: int
    end: int

    @property
    def pattern(self) -> bool:
        return "*" in self.text


@dataclass(frozen=True, slots=True)
class Word:
    """``field:value``: one word, or several that Lucene reads as one text. Without a field,
    any field."""

    field: Name | None
    value: str
    start: int
    end: int
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Phrase:
    """``field:"a text"``, its words at most `slop` moves apart."""

    field: Name | None
    value: str
    start: int
    end: int
    slop: int = 0
    boost: float = 1.0


class Wild(StrEnum):
    """A wildcard in a pattern."""

    ANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A word with ``*`` or ``?``: `parts` are literal texts and wildcards.

    ``al*pha?`` is ``("al", Wild.ANY, "pha", Wild.ONE)``.
    """

    field: Name | None
    parts: tuple[str | Wild, ...]
    start: int
    end: int
    boost: float = 1.0

    @property
    def prefix(self) -> str | None:
        """The text before its only wildcard, a star at the end; None for any other pattern."""
        match self.parts:
            case (str() as text, Wild.ANY) if not isinstance(text, Wild):
                return text
        return None


@dataclass(frozen=True, slots=True)
class Regexp:
    """``field:/pattern/``, in Lucene's own syntax of regular expressions."""

    field: Name
    pattern: str
    start: int
    end: int
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Range:
    """``field:[low TO high}`` and ``field:>=low``; None is no bound."""

    field: Name
    low: str | None
    high: str | None
    with_low: bool
    with_high: bool
    start: int
    end: int
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Exists:
    """``field:*`` and ``_exists_:field``."""

    field: Name
    start: int
    end: int
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Everything:
    """``*:*`` and ``*``."""

    start: int
    end: int
    boost: float = 1.0


class Occur(StrEnum):
    """What a clause means to its group."""

    MUST = "must"
    SHOULD = "should"
    MUST_NOT = "must_not"


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of a group. `join` is the operator before it, AND, OR or none ("")."""

    occur: Occur
    node: Node
    join: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Clauses as Lucene weighs them: all MUST, no MUST_NOT, and one SHOULD where no MUST is."""

    clauses: tuple[Clause, ...]
    start: int
    end: int
    boost: float = 1.0


Leaf: TypeAlias = Word | Phrase | Pattern | Regexp | Range | Exists | Everything
Node: TypeAlias = Leaf | Group
