"""A Store in memory, with the failures of a real one on demand.

It passes the same contract suite as the real ones (tests/adapters/store).
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from sre_obs.model.alert import Alert
from sre_obs.model.changes import AuditEntry, Changes
from sre_obs.model.errors import StoreError
from sre_obs.model.evaluation import EntityState, RuleRun
from sre_obs.model.notification import Delivery, Group
from sre_obs.model.silence import Silence
from sre_obs.model.store import Snapshot, StoreHealth


@dataclass
class Disk:
    """What outlives a FakeStore: give it to the next one."""

    alerts: dict[tuple[str, float], Alert] = field(default_factory=dict)
    current: dict[str, float] = field(default_factory=dict)  # fingerprint -> fired_at
    groups: dict[str, Group] = field(default_factory=dict)
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    silences: dict[str, Silence] = field(default_factory=dict)
    entities: dict[tuple[str, str], EntityState] = field(default_factory=dict)
    runs: dict[str, RuleRun] = field(default_factory=dict)
    audit: list[AuditEntry] = field(default_factory=list)

    def apply(self, changes: Changes) -> None:
        """Write them."""
        for alert in changes.alerts:
            self.alerts[alert.fingerprint, alert.fired_at] = alert
            self.current[alert.fingerprint] = alert.fired_at
        for fingerprint in changes.forgotten_alerts:
            self.current.pop(fingerprint, None)
        self.groups.update({g.key: g for g in changes.groups})
        for key in changes.forgotten_groups:
            self.groups.pop(key, None)
        self.deliveries.update({d.id: d for d in changes.deliveries})
        self.silences.update({s.id: s for s in changes.silences})
        self.entities.update({(e.rule, e.key): e for e in changes.entities})
        for rule, key in changes.forgotten_entities:
            self.entities.pop((rule, key), None)
        self.runs.update({r.rule: r for r in changes.runs})
        self.audit.extend(changes.audit)

    @property
    def last_number(self) -> int:
        """The highest number of a delivery."""
        return max((d.number for d in self.deliveries.values()), default=0)


class FakeStore:
    """`model.store.Store` over a Disk.

    Set `failing` to an error and writes fail with it; set it to None, and the next commit
    or `retry` writes what was kept. After `hold`, commits wait until `release`. What was
    kept or held is lost with the store, as with a kill: only the Disk stays.
    """

    def __init__(self, disk: Disk | None = None, *, timer: Callable[[], float] = lambda: 0.0):
        self.disk = disk if disk is not None else Disk()
        self.failing: StoreError | None = None
        self.commits: list[Changes] = []  # all that were asked for, in order
        self._timer = timer
        self._kept: list[tuple[float, Changes]] = []
        self._held: deque[tuple[float, Changes | None, Future[None]]] = deque()
        self._holding = False
        self._closed = False

    def hold(self) -> None:
        """Let commits wait from now on."""
        self._holding = True

    def release(self) -> None:
        """Do what waits, in order, and wait no more."""
        self._holding = False
        while self._held:
            at, changes, future = self._held.popleft()
            self._do(at, changes, future)

    def retry(self) -> None:
        """Try again what was kept."""
        if self.failing is None:
            for _, changes in self._kept:
                self.disk.apply(changes)
            self._kept.clear()

    def load(self) -> Snapshot:
        """What is on the disk and not finished."""
        self._check()
        disk = self.disk
        unfinished = (d for d in disk.deliveries.values() if not d.state.final)
        return Snapshot(
            alerts=tuple(disk.alerts[key] for key in disk.current.items()),
            groups=tuple(disk.groups.values()),
            deliveries=tuple(sorted(unfinished, key=lambda d: d.number)),
            silences=tuple(disk.silences.values()),
            entities=tuple(disk.entities.values()),
            runs=tuple(disk.runs.values()),
            next_number=disk.last_number + 1,
        )

    def commit(self, changes: Changes) -> Future[None]:
        """Done at once, unless it fails or is held."""
        if changes.stored:
            self.commits.append(changes)
        return self._ask(changes if changes.stored else None)

    def flushed(self) -> Future[None]:
        """Done at once, unless something was kept or is held."""
        return self._ask(None)

    def health(self) -> StoreHealth:
        """How many wait, and why."""
        waiting = [at for at, _ in self._kept]
        waiting += [at for at, changes, _ in self._held if changes is not None]
        return StoreHealth(
            waiting=len(waiting),
            oldest_wait=self._timer() - min(waiting) if waiting else 0.0,
            error=self.failing.message if self.failing and self._kept else "",
        )

    def deliveries(
        self, *, group: str = "", alert: str = "", limit: int = 100
    ) -> Sequence[Delivery]:
        """Deliveries in any state, newest first."""
        self._check()
        found = (
            d
            for d in self.disk.deliveries.values()
            if group in ("", d.group) and (not alert or alert in (*d.firing, *d.resolved))
        )
        return sorted(found, key=lambda d: -d.number)[:limit]

    def history(self, *, alert: str = "", limit: int = 100) -> Sequence[Alert]:
        """Episodes, newest first."""
        self._check()
        found = (a for a in self.disk.alerts.values() if alert in ("", a.fingerprint))
        return sorted(found, key=lambda a: -a.fired_at)[:limit]

    def audit(self, *, limit: int = 100) -> Sequence[AuditEntry]:
        """The audit log, newest first."""
        self._check()
        return self.disk.audit[::-1][:limit]

    def backup(self, path: str) -> None:
        """The Disk, pickled."""
        self._check()
        try:
            Path(path).write_bytes(pickle.dumps(self.disk))
        except OSError as error:
            raise StoreError(str(error.strerror), where=path) from None

    def prune(self, before: float) -> int:
        """Forget what was finished before that time, but never the highest number."""
        self._check()
        disk, last = self.disk, self.disk.last_number
        old: list[tuple[dict[object, object], object]] = []
        for id_, d in disk.deliveries.items():
            at = d.created_at if d.finished_at is None else d.finished_at
            if d.state.final and at < before and d.number != last:
                old.append((disk.deliveries, id_))  # type: ignore[arg-type]
        for key, a in disk.alerts.items():
            at = a.updated_at if a.ends_at is None else a.ends_at
            if disk.current.get(a.fingerprint) != a.fired_at and at < before:
                old.append((disk.alerts, key))  # type: ignore[arg-type]
        for id_, s in disk.silences.items():
            if s.ends_at < before:
                old.append((disk.silences, id_))  # type: ignore[arg-type]
        for table, identity in old:
            del table[identity]
        entries = len(disk.audit)
        disk.audit[:] = [entry for entry in disk.audit if entry.at >= before]
        return len(old) + entries - len(disk.audit)

    def close(self) -> None:
        """Write what waits."""
        if self._closed:
            return
        self.release()
        self._closed = True
        self.retry()
        if self._kept:
            raise StoreError(f"{len(self._kept)} changes could not be written")

    def _ask(self, changes: Changes | None) -> Future[None]:
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()
        if self._closed:
            future.set_exception(StoreError("the store is closed"))
        elif changes is None and not self._held and not self._kept:
            future.set_result(None)
        elif self._holding:
            self._held.append((self._timer(), changes, future))
        else:
            self._do(self._timer(), changes, future)
        return future

    def _do(self, at: float, changes: Changes | None, future: Future[None]) -> None:
        if changes is not None:
            self._kept.append((at, changes))
        if self.failing is not None:
            future.set_exception(self.failing)
            return
        self.retry()
        future.set_result(None)

    def _check(self) -> None:
        if self._closed:
            raise StoreError("the store is closed")
