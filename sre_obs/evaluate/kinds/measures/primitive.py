"""What every measure can tell: a cheap look, what that leaves open, and its exact value."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, TypeAlias

from sre_obs.evaluate.kinds.reach import ANYWHERE, Reach
from sre_obs.evaluate.needs import Figure, Found, Span
from sre_obs.model.expression import Expression
from sre_obs.model.rule import Measure


class Lack(Enum):
    """Why there is no value."""

    ABSENT = "absent"  # there are no documents of the entity here
    UNKNOWN = "unknown"  # there are, and they don't tell
    UNTOLD = "untold"  # the look does not tell, the exact figures would


Value: TypeAlias = float | Lack


@dataclass(frozen=True, slots=True)
class Placed:
    """A measure of a rule at one evaluation: its window, and what narrows its documents.

    `condition` is what MATCHES holds the newest document to; for the others it is one of
    the filters.
    """

    measure: Measure
    span: Span
    filters: tuple[Mapping[str, Any], ...]
    condition: Mapping[str, Any]
    by: tuple[str, ...]


class Primitive(ABC):
    """One function of measures. The base is for those whose look is exact."""

    # What no value of it goes beyond, whatever the documents are; None: anything.
    least: ClassVar[float | None] = None
    most: ClassVar[float | None] = None

    @abstractmethod
    def look(self, placed: Placed) -> tuple[Figure, ...]:
        """The figures that are cheap over all entities."""

    def reach(self, placed: Placed, figures: Sequence[Expression]) -> Reach:
        """Between what the value is, over the figures of the look."""
        return ANYWHERE

    @abstractmethod
    def told(self, placed: Placed, found: Sequence[Found]) -> Value:
        """The value, if the look tells."""

    def bounds(self, found: Sequence[Found]) -> tuple[float, float] | None:
        """Between what the value is that the look leaves open, if it tells that much."""
        return None

    def exact(self, placed: Placed) -> tuple[Figure, ...]:
        """The figures that tell the value, for the few that matter."""
        return self.look(placed)

    def value(self, placed: Placed, found: Sequence[Found]) -> Value:
        """What the exact figures came to."""
        return self.told(placed, found)


def number_of(found: Found) -> float | None:
    """A figure that is a number."""
    return found if isinstance(found, float) else None


# A counter's sample before the window is looked for so far back: as long as the longest
# usual period, so that one is there.
MARGIN = 60.0
# The finest part: the shortest usual period, so that a part holds one sample.
FINEST = 10.0
MOST_PARTS = 360


def part(span: Span) -> float:
    """Seconds: how finely a span is looked at."""
    return max(FINEST, -((span.start - span.end) // (MOST_PARTS * FINEST)) * FINEST)


def before(span: Span) -> Span:
    """The span and its margin to the left: whole parts, so that one begins at its start."""
    width = part(span)
    margin = -(-MARGIN // width) * width
    return Span(span.index, span.start - margin, span.end)
