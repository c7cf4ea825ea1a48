"""Arithmetic over a rule's measures: what its `value`, `when` and `valid` say.

The tree alone; reading its text is `query.expression`, working it out likewise. Unknown is
a value: a measure without documents is None, what is worked out from it is None, and a
division by zero is None. ``and``, ``or`` and ``not`` are Kleene's: false and unknown is
false.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

# Names that no measure or variable may take: seconds since the epoch at the end of the
# rule's window, and the length of the window in seconds.
NOW = "now"
WINDOW = "window"


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written; ``4d`` and ``15m`` are seconds."""

    value: float
    start: int = field(default=0, compare=False)  # place in the text
    length: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A measure, a variable, `NOW` or `WINDOW`."""

    name: str
    start: int = field(default=0, compare=False)
    length: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """``-`` or ``not``."""

    operator: str
    operand: Expression
    start: int = field(default=0, compare=False)
    length: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """``+ - * /``, ``< <= > >= == !=``, ``and``, ``or``."""

    operator: str
    left: Expression
    right: Expression
    start: int = field(default=0, compare=False)
    length: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """``min(a, b)``, ``max(a, b)``, ``abs(a)``."""

    function: str
    arguments: tuple[Expression, ...]
    start: int = field(default=0, compare=False)
    length: int = field(default=1, compare=False)


Expression: TypeAlias = Number | Name | Unary | Binary | Call


def names(expression: Expression) -> Iterator[Name]:
    """The names that it uses, in the order of the text."""
    match expression:
        case Name():
            yield expression
        case Unary():
            yield from names(expression.operand)
        case Binary():
            yield from names(expression.left)
            yield from names(expression.right)
        case Call():
            for argument in expression.arguments:
                yield from names(argument)
        case Number():
            pass
