"""The thread that commits.

Idle, it commits what it is given at once. Busy, it takes all that came meanwhile as its
next transaction, up to `MOST` nouns, so that one sync of the disk serves many.

A transaction that fails is kept, merged with what comes after, and tried again: with the
next commit (not sooner than `PAUSE` after the last try), and without one after a pause
that doubles from `PAUSE` to `LONGEST`. Its futures carry the error of the first try; who
wants to know when all is well again looks at `health` or asks `flushed`. Memory is bounded
by the number of things that exist (`rows` keeps the last value of each), the audit log,
and what is asked for within one pause.
"""

from __future__ import annotations

import copy
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from sre_obs.adapters.store.rows import Rows
from sre_obs.model.changes import Changes
from sre_obs.model.errors import StoreError
from sre_obs.model.store import StoreHealth

T = TypeVar("T")

MOST = 5_000
PAUSE = 0.1
LONGEST = 5.0


@dataclass(frozen=True, slots=True)
class _Asked:
    """A commit, or with changes of None a call of `flushed`."""

    changes: Changes | None
    future: Future[None]
    at: float


class Writer:
    """Runs `write` on a thread of its own.

    `write` raises StoreError and has written nothing then. `timer` gives monotonic
    seconds and is read for `health` alone.
    """

    def __init__(self, write: Callable[[Rows], None], *, timer: Callable[[], float]) -> None:
        self._write = write
        self._timer = timer
        self._condition = threading.Condition()
        self._asked: deque[_Asked] = deque()
        self._jobs: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._trying: list[_Asked] = []
        self._rows = Rows()  # of those being tried and of those that failed
        self._failed = 0  # commits that failed and whose rows are kept
        self._failed_since = 0.0
        self._error = ""
        self._pause = 0.0  # above zero while tries fail
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def commit(self, changes: Changes) -> Future[None]:
        """As `Store.commit`."""
        return self._ask(changes if changes.stored else None)

    def flushed(self) -> Future[None]:
        """As `Store.flushed`; while writes fail, the error of the next try."""
        return self._ask(None)

    def run(self, job: Callable[[], T]) -> Future[T]:
        """Run `job` on the thread, between two transactions."""
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        with self._condition:
            if self._closing:
                future.set_exception(_closed())
            else:
                self._jobs.append((job, future))
                self._condition.notify()
        return future

    def health(self) -> StoreHealth:
        """As `Store.health`."""
        with self._condition:
            waiting = [a.at for a in (*self._trying, *self._asked) if a.changes is not None]
            count, error = len(waiting) + self._failed, self._error
            oldest = self._failed_since if self._failed else min(waiting, default=None)
        waited = 0.0 if oldest is None else max(self._timer() - oldest, 0.0)
        return StoreHealth(waiting=count, oldest_wait=waited, error=error)

    def close(self) -> None:
        """Try once more what waits, then end the thread. Raises StoreError if in vain."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join()
        if self._failed:
            failed, self._failed = self._failed, 0
            raise StoreError(f"{failed} changes could not be written: {self._error}")

    def _ask(self, changes: Changes | None) -> Future[None]:
        future: Future[None] = Future()
        # Nobody can cancel what is on its way to the disk.
        future.set_running_or_notify_cancel()
        with self._condition:
            if self._closing:
                future.set_exception(_closed())
            elif changes is None and not (self._asked or self._trying or self._failed):
                future.set_result(None)
            else:
                self._asked.append(_Asked(changes, future, self._timer()))
                self._condition.notify()
        return future

    def _run(self) -> None:
        while True:
            self._wait()
            self._take()
            if self._trying or self._failed:
                self._try()
            self._run_job()
            with self._condition:
                if self._closing and not (self._asked or self._jobs):
                    return

    def _wait(self) -> None:
        with self._condition:
            if self._pause:
                self._condition.wait_for(lambda: self._closing, PAUSE)
                left = self._pause - PAUSE
                self._condition.wait_for(self._wanted, left)
            else:
                self._condition.wait_for(self._wanted)

    def _wanted(self) -> bool:
        return bool(self._asked or self._jobs or self._closing)

    def _take(self) -> None:
        taken: list[_Asked] = []
        nouns = 0
        with self._condition:
            while self._asked and nouns < MOST:
                asked = self._asked.popleft()
                taken.append(asked)
                nouns += 1 if asked.changes is None else _size(asked.changes)
            self._trying = taken
        refused: list[_Asked] = []
        for asked in taken:
            if asked.changes is None:
                continue
            try:
                rows = Rows.of(asked.changes)
            except Exception as error:  # noqa: BLE001
                # A value of the wrong type, which can't be written at any time: it must
                # not hold up everybody else's changes for good.
                refused.append(asked)
                reason = f"changes that can't be stored: {type(error).__name__}: {error}"
                asked.future.set_exception(StoreError(reason))
            else:
                self._rows.absorb(rows)
        if refused:
            with self._condition:
                self._trying = [asked for asked in taken if asked not in refused]

    def _try(self) -> None:
        failure: StoreError | None = None
        try:
            if self._rows:
                self._write(self._rows)
        except StoreError as error:
            failure = error
        except Exception as error:  # noqa: BLE001
            # Whatever it is, the thread goes on: nothing else writes to the disk.
            failure = StoreError(f"the store failed: {type(error).__name__}: {error}")
        with self._condition:
            tried, self._trying = self._trying, []
            commits = [asked.at for asked in tried if asked.changes is not None]
            if failure is None:
                self._rows = Rows()
                self._failed = 0
                self._error = ""
                self._pause = 0.0
            else:
                if commits and not self._failed:
                    self._failed_since = commits[0]
                self._failed += len(commits)
                self._error = failure.message
                self._pause = min(max(2 * self._pause, PAUSE), LONGEST)
        for asked in tried:
            if failure is None:
                asked.future.set_result(None)
            else:
                # One each: an exception grows by each place that raises it.
                asked.future.set_exception(copy.copy(failure))

    def _run_job(self) -> None:
        with self._condition:
            if not self._jobs:
                return
            job, future = self._jobs.popleft()
        try:
            result = job()
        except Exception as error:  # noqa: BLE001 (it is the caller's)
            future.set_exception(error)
        else:
            future.set_result(result)


def _size(changes: Changes) -> int:
    return (
        len(changes.alerts)
        + len(changes.groups)
        + len(changes.deliveries)
        + len(changes.entities)
        + len(changes.forgotten_alerts)
        + 1
    )


def _closed() -> StoreError:
    return StoreError("the store is closed")
