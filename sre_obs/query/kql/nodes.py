"""The nodes of a KQL query. Each has its span: characters [start, end) of the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    """A text as written, escapes resolved. Unquoted true and false are booleans."""

    value: str | bool
    quoted: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Wildcard:
    """An unquoted text with ``*``: the literal parts between the stars, at least two."""

    parts: tuple[str, ...]
    start: int
    end: int

    @property
    def lone(self) -> bool:
        """Whether it is a single star and nothing else: "any value"."""
        return self.parts == ("", "")


Name: TypeAlias = Literal | Wildcard


@dataclass(frozen=True, slots=True)
class Is:
    """``field: value``. Without a field, any field."""

    field: Name | None
    value: Name
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Range:
    """``field >= value``; `op` is gt, gte, lt or lte."""

    field: Name
    op: str
    value: Literal
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Nested:
    """``path: { query }``: one nested object matches all of the query."""

    path: Literal
    query: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class And:
    """All of the nodes, at least two."""

    nodes: tuple[Node, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Or:
    """Any of the nodes, at least two."""

    nodes: tuple[Node, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Not:
    """Not the node."""

    node: Node
    start: int
    end: int


Node: TypeAlias = Is | Range | Nested | And | Or | Not
