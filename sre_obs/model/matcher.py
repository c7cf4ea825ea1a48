"""A label matcher, as in Alertmanager: name, operator, value. An absent label equals ""."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MatchOp(StrEnum):
    """The four operators; regular expressions are anchored at both ends."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label; `query.matchers` parses, prints and compiles it."""

    name: str
    op: MatchOp
    value: str
