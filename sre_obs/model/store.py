"""The port to the disk: the one port that spans stages, since what they decide together
must be written together."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from sre_obs.model.alert import Alert
from sre_obs.model.changes import AuditEntry, Changes
from sre_obs.model.evaluation import EntityState, RuleRun
from sre_obs.model.notification import Delivery, Group
from sre_obs.model.silence import Silence


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is not finished: what the daemon starts from."""

    alerts: tuple[Alert, ...] = ()
    groups: tuple[Group, ...] = ()
    deliveries: tuple[Delivery, ...] = ()  # those in a state that is not final
    silences: tuple[Silence, ...] = ()
    entities: tuple[EntityState, ...] = ()
    runs: tuple[RuleRun, ...] = ()
    next_number: int = 1  # above the number of every delivery ever written


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """For probes and metrics."""

    waiting: int  # commits asked for and not yet on disk
    oldest_wait: float  # seconds that the oldest of them has waited
    error: str = ""  # why the last write failed, empty once one went through


class Store(Protocol):
    """Where alerts, groups and the outbox outlive the process.

    `commit` returns at once; its future is done when the changes are on disk (fdatasync),
    or carries StoreError. Commits take effect in the order asked for. What failed is kept
    and goes first in the next try, so that disk and memory never part for good.
    """

    def load(self) -> Snapshot:
        """All that is not finished. Raises StoreError."""
        ...

    def commit(self, changes: Changes) -> Future[None]:
        """Write all of `changes` or none."""
        ...

    def flushed(self) -> Future[None]:
        """Done when all that was asked for so far is on disk."""
        ...

    def health(self) -> StoreHealth:
        """How the writer fares; never blocks."""
        ...

    def deliveries(
        self, *, group: str = "", alert: str = "", limit: int = 100
    ) -> Sequence[Delivery]:
        """Deliveries in any state, newest first; of one group, or that tell of one alert."""
        ...

    def history(self, *, alert: str = "", limit: int = 100) -> Sequence[Alert]:
        """Alerts, firing or ended, newest episode first; of one fingerprint."""
        ...

    def audit(self, *, limit: int = 100) -> Sequence[AuditEntry]:
        """The audit log, newest first."""
        ...

    def backup(self, path: str) -> None:
        """A consistent copy while writing goes on. Raises StoreError."""
        ...

    def prune(self, before: float) -> int:
        """Forget what was finished before that time; how many rows. Blocks."""
        ...

    def close(self) -> None:
        """Write what waits, then let go."""
        ...
