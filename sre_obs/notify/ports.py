"""What this stage needs of a receiver: send once, and say whether something arrived."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from sre_obs.model.outcome import Answer, MessageRef
from sre_obs.notify.notice import Notice


class Search(StrEnum):
    """How the search for an ambiguous delivery ended."""

    FOUND = "found"
    NOT_FOUND = "not found"  # the receiver was read back: it never arrived
    LATER = "ask later"  # the receiver could not be read just now
    CANT_ASK = "can't ask"  # it can't be read at all: no such thing, or no permission


@dataclass(frozen=True, slots=True)
class Found:
    """What a receiver said when asked for a delivery; `reason` is for people."""

    search: Search
    message: MessageRef | None = None
    reason: str = ""
    retry_after: float | None = None  # seconds, as the receiver asked (LATER)

    @staticmethod
    def at(message: MessageRef | None) -> Found:
        """It arrived, and is there."""
        return Found(Search.FOUND, message)

    @staticmethod
    def not_found() -> Found:
        """It did not arrive."""
        return Found(Search.NOT_FOUND)

    @staticmethod
    def later(reason: str, retry_after: float | None = None) -> Found:
        """Nothing is known yet; ask again."""
        return Found(Search.LATER, reason=reason, retry_after=retry_after)

    @staticmethod
    def cant_ask(reason: str) -> Found:
        """Nothing will ever be known."""
        return Found(Search.CANT_ASK, reason=reason)

    def __str__(self) -> str:
        return f"{self.search}: {self.reason}" if self.reason else str(self.search)


class Sender(Protocol):
    """One integration's way out. Both calls block and are made from worker threads, several
    at once; neither raises for what the receiver or the network does."""

    def send(self, notice: Notice) -> Answer:
        """Try once. Nothing is repeated in here: the outbox does that."""
        ...

    def find(self, notice: Notice) -> Found:
        """Whether the try that began at `notice.delivery.started_at` arrived."""
        ...

    def describe(self, now: float) -> str:
        """Who or where the receiver is, in a few words for the start line; a `Wrong` if
        it refuses us. Blocks, never raises."""
        ...
