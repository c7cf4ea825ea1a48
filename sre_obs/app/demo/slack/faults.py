"""What a test scripts: answers that go wrong, and gates that hold a call midway."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class FaultKind(StrEnum):
    """What goes wrong with one call."""

    STATUS = "status"  # an HTTP status instead of an answer; nothing is stored
    ERROR = "error"  # HTTP 200 with ok: false and this error; nothing is stored
    GARBLED = "garbled"  # HTTP 200 with a body that is no JSON; nothing is stored
    HANG = "hang"  # no answer for so many seconds, then closed; nothing is stored
    SLOW = "slow"  # stored at once, answered after so many seconds
    DROP_BEFORE = "drop before"  # closed without an answer; nothing is stored
    DROP_AFTER = "drop after"  # stored, then closed without an answer
    STATUS_AFTER = "status after"  # stored, then an HTTP status instead of the answer
    ERROR_AFTER = "error after"  # stored, then ok: false (internal_error may mean that)


@dataclass(frozen=True, slots=True)
class Fault:
    """One way for one call to fail; the class methods read better than the fields."""

    kind: FaultKind
    status: int = 0
    error: str = ""
    seconds: float = 0.0
    retry_after: int | None = None

    @classmethod
    def rate_limited(cls, retry_after: int = 1) -> Fault:
        """HTTP 429 with `Retry-After` in seconds, as Slack limits."""
        return cls(FaultKind.STATUS, status=429, error="ratelimited", retry_after=retry_after)

    @classmethod
    def http(cls, status: int, *, after: bool = False) -> Fault:
        """An HTTP status such as 500 or 503; `after`: the message was stored all the same."""
        return cls(FaultKind.STATUS_AFTER if after else FaultKind.STATUS, status=status)

    @classmethod
    def refused(cls, error: str, *, after: bool = False) -> Fault:
        """HTTP 200 with ok: false; `after`: the message was stored all the same."""
        return cls(FaultKind.ERROR_AFTER if after else FaultKind.ERROR, error=error)

    @classmethod
    def garbled(cls) -> Fault:
        """HTTP 200 with a page instead of JSON, as a proxy in between answers."""
        return cls(FaultKind.GARBLED)

    @classmethod
    def hang(cls, seconds: float = 60.0) -> Fault:
        """Nothing for so long, then the connection closes; the call was not taken."""
        return cls(FaultKind.HANG, seconds=seconds)

    @classmethod
    def slow(cls, seconds: float) -> Fault:
        """Taken at once, answered late: beyond the client's timeout, a lost answer."""
        return cls(FaultKind.SLOW, seconds=seconds)

    @classmethod
    def drop(cls, *, after: bool) -> Fault:
        """The connection closes without an answer, before or after the call was taken."""
        return cls(FaultKind.DROP_AFTER if after else FaultKind.DROP_BEFORE)

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Fault:
        """From the JSON of the control endpoint. Raises ValueError, TypeError, KeyError."""
        known = {**value, "kind": FaultKind(value["kind"])}
        return cls(**known)

    @property
    def stores(self) -> bool:
        """Whether the call takes effect in spite of it."""
        return self.kind in (
            FaultKind.SLOW,
            FaultKind.DROP_AFTER,
            FaultKind.STATUS_AFTER,
            FaultKind.ERROR_AFTER,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: JSON, or text."""

    status: int
    body: dict[str, Any] | str
    headers: Mapping[str, str]


def wrong(fault: Fault) -> Answer:
    """What is answered instead of the truth."""
    if fault.kind is FaultKind.GARBLED:
        return Answer(200, "<html><body>Bad gateway</body></html>", {})
    if fault.kind in (FaultKind.ERROR, FaultKind.ERROR_AFTER):
        return Answer(200, {"ok": False, "error": fault.error}, {})
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if fault.status == 429:
        return Answer(429, {"ok": False, "error": fault.error or "ratelimited"}, headers)
    return Answer(fault.status, fault.error or "upstream error", headers)


@dataclass(slots=True)
class Gate:
    """Holds the next call of `method`: before it takes effect or, with `after`, between
    taking effect and its answer. A test waits until it is reached, kills, and releases.
    """

    method: str
    after: bool
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def wait_reached(self, seconds: float = 10.0) -> bool:
        """Whether a call came to the gate within so many seconds."""
        return self.reached.wait(seconds)

    def release(self) -> None:
        """Let the call go on."""
        self.released.set()


class Script:
    """What is to go wrong, in order, per method; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[str, deque[Fault]] = {}
        self._gates: list[Gate] = []

    def fail_next(self, method: str, fault: Fault, times: int = 1) -> None:
        """The next `times` calls of `method` fail so, after those scripted already."""
        with self._lock:
            self._faults.setdefault(method, deque()).extend([fault] * times)

    def take(self, method: str) -> Fault | None:
        """The fault of this call, if one is scripted."""
        with self._lock:
            queue = self._faults.get(method)
            return queue.popleft() if queue else None

    def block(self, method: str, *, after: bool) -> Gate:
        """A gate for the next call of `method`."""
        gate = Gate(method, after)
        with self._lock:
            self._gates.append(gate)
        return gate

    def gate(self, method: str, *, after: bool) -> Gate | None:
        """The gate that this call has to pass; marked as reached, and out of the way of
        later calls."""
        with self._lock:
            found = next((g for g in self._gates if (g.method, g.after) == (method, after)), None)
            if found is not None:
                self._gates.remove(found)
        if found is not None:
            found.reached.set()
        return found

    def clear(self) -> None:
        """Nothing goes wrong any more, and gates that nobody reached are gone."""
        with self._lock:
            self._faults.clear()
            self._gates.clear()
