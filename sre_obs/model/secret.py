"""A secret keeps itself out of logs, plans, errors and pages."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """A token or password. Only `reveal()` gives the text; everything else prints stars."""

    _text: str = field(repr=False)

    def reveal(self) -> str:
        """The text itself, for the header or the client that needs it."""
        return self._text

    def __str__(self) -> str:
        return "***" if self._text else ""

    __repr__ = __str__

    def __bool__(self) -> bool:
        return bool(self._text)
