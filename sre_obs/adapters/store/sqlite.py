"""`Store` in one SQLite file, for one process.

WAL with ``synchronous=FULL``: a commit's future is done after the log's fdatasync, so
what was answered survives kill -9 and a power cut. One thread writes; readers have their
own read-only connections, which WAL never makes wait for it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, Select, create_engine, delete, event, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.pool import QueuePool, StaticPool

from sre_obs.adapters.store import codec, failures, migrate, tables
from sre_obs.adapters.store.files import Lock, close_to_others, make_folder, prepare
from sre_obs.adapters.store.rows import Rows
from sre_obs.adapters.store.writer import Writer
from sre_obs.model.alert import Alert
from sre_obs.model.changes import AuditEntry, Changes
from sre_obs.model.errors import StoreError, StoreFull
from sre_obs.model.notification import Delivery
from sre_obs.model.store import Snapshot, StoreHealth

T = TypeVar("T")

# Rows of one step of `prune`: some milliseconds that a commit may have to wait.
_CHUNK = 500

# Pages that the log holds before they are moved into the file: 16 MiB.
_LOG_PAGES = 4000
_CACHE = "PRAGMA cache_size = -16384"  # KiB
# The log is grown beforehand only where this many times its size is free.
_AMPLE = 16

_WRITER_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA busy_timeout = 2000",  # only another program's lock; ours is the one writer
    f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}",
    "PRAGMA journal_size_limit = 67108864",
    _CACHE,
)
_READER_PRAGMAS = ("PRAGMA query_only = 1", "PRAGMA busy_timeout = 2000")


class SqliteStore:
    """`model.store.Store` on the file at `path`, made if it is not there.

    `timer` gives monotonic seconds (`Clock.timer`). Raises StoreBusy if another process
    has it, StoreNewer, StoreCorrupt, StoreFull, or StoreError if it can't be used.
    """

    def __init__(self, path: str | os.PathLike[str], *, timer: Callable[[], float]) -> None:
        # Resolved, so that a second name of the file meets the same lock.
        self._path = os.path.realpath(path)
        make_folder(self._path)
        self._lock = Lock(self._path)
        try:
            prepare(self._path)
            self._writing = _engine(self._connect_writer, StaticPool, "BEGIN IMMEDIATE")
            self._reading = _engine(self._connect_reader, QueuePool, "BEGIN")
            with failures.translated(self._path):
                self._connection = self._writing.connect()
        except BaseException:
            self._lock.release()
            raise
        self._writer = Writer(self._write, timer=timer)
        self._closed = False

    def load(self) -> Snapshot:
        """All that is not finished and on disk. Raises StoreError."""
        t = tables
        return self._read(
            lambda connection: Snapshot(
                alerts=_all(
                    connection,
                    codec.load_alert,
                    select(t.alerts.c.body).where(t.alerts.c.past_since.is_(None)),
                ),
                groups=_all(connection, codec.load_group, select(t.groups.c.body)),
                deliveries=_all(
                    connection,
                    codec.load_delivery,
                    select(t.deliveries.c.body)
                    .where(t.deliveries.c.finished_at.is_(None))
                    .order_by(t.deliveries.c.number),
                ),
                silences=_all(connection, codec.load_silence, select(t.silences.c.body)),
                entities=_all(connection, codec.load_entity, select(t.entities.c.body)),
                runs=_all(connection, codec.load_run, select(t.runs.c.body)),
                next_number=1 + (connection.scalar(select(func.max(t.deliveries.c.number))) or 0),
            )
        )

    def commit(self, changes: Changes) -> Future[None]:
        """Write all of `changes` or none; done when they are on disk."""
        return self._writer.commit(changes)

    def flushed(self) -> Future[None]:
        """Done when all that was asked for so far is on disk."""
        return self._writer.flushed()

    def health(self) -> StoreHealth:
        """How the writer fares."""
        return self._writer.health()

    def make_room(self) -> Future[None]:
        """Grow the log now to the size that it will have: for a process that stays.

        A commit that overwrites syncs several times faster than one that makes the log
        longer, since the file system then has nothing of its own to write. Returns at
        once; nobody need wait, and where it fails, commits are only slower.
        """
        return self._writer.run(self._grow_log)

    def deliveries(
        self, *, group: str = "", alert: str = "", limit: int = 100
    ) -> Sequence[Delivery]:
        """Deliveries in any state, newest first; of one group, or that tell of one alert."""
        t = tables.deliveries
        query = select(t.c.body).order_by(t.c.number.desc())
        if group:
            query = query.where(t.c.group_key == codec.column(group))
        if not alert:
            return self._list(codec.load_delivery, query.limit(limit))
        told = tables.told
        groups = select(told.c.group_key).where(told.c.fingerprint == codec.column(alert))
        query = query.where(t.c.group_key.in_(groups))

        def find(connection: Connection) -> Sequence[Delivery]:
            found: list[Delivery] = []
            for (body,) in connection.execute(query):
                delivery = codec.load_delivery(body)
                if alert in delivery.firing or alert in delivery.resolved:
                    found.append(delivery)
                if len(found) >= limit:
                    break
            return found

        return self._read(find)

    def history(self, *, alert: str = "", limit: int = 100) -> Sequence[Alert]:
        """Alerts, firing or ended, newest episode first; of one fingerprint."""
        t = tables.alerts
        query = select(t.c.body).order_by(t.c.fired_at.desc()).limit(limit)
        if alert:
            query = query.where(t.c.fingerprint == codec.column(alert))
        return self._list(codec.load_alert, query)

    def audit(self, *, limit: int = 100) -> Sequence[AuditEntry]:
        """The audit log, newest first."""
        t = tables.audit
        query = select(t.c.body).order_by(t.c.number.desc()).limit(limit)
        return self._list(codec.load_audit, query)

    def backup(self, path: str) -> None:
        """A consistent copy at `path`, there complete or not at all. Raises StoreError."""
        if os.path.realpath(path) == self._path:
            raise StoreError(
                "a backup can't be the store itself",
                where=path,
                remedy="name another file",
            )

        def copy(connection: Connection) -> None:
            try:
                with failures.translated(path):
                    migrate.copy(_driver(connection), path)
            except StoreFull:
                raise StoreFull(
                    "no room for the backup", where=path, remedy="name another folder"
                ) from None

        self._read(copy)

    def prune(self, before: float) -> int:
        """Forget what was finished before that time; how many rows. Blocks.

        The delivery with the highest number stays: its number must not be given again.
        """
        pruned = 0
        for step in (_prune_deliveries, _prune_alerts, _prune_silences, _prune_audit):
            while True:
                gone = self._writer.run(lambda step=step: self._step(step, before)).result()  # type: ignore[misc]
                pruned += gone
                if gone < _CHUNK:
                    break
        return pruned

    def close(self) -> None:
        """Write what waits, then let go. Raises StoreError if that can't be written."""
        if self._closed:
            return
        self._closed = True
        try:
            self._writer.close()
        finally:
            # Readers first: the last one to close moves the log into the file.
            self._reading.dispose()
            self._connection.close()
            self._writing.dispose()
            self._lock.release()

    def _connect_writer(self) -> sqlite3.Connection:
        # Opened by whoever opens the store, who is to see the errors; used by the writer.
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        steps = migrate.scripts()
        try:
            with failures.translated(self._path):
                version = migrate.check(connection, self._path, steps[-1][0])
                close_to_others(self._path)
                for pragma in _WRITER_PRAGMAS:
                    connection.execute(pragma)
                migrate.migrate(connection, self._path, version, steps)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect_reader(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{Path(self._path).as_uri()}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
        for pragma in _READER_PRAGMAS:
            connection.execute(pragma)
        return connection

    def _write(self, rows: Rows) -> None:
        # Straight to the driver: Core's own work would be a fifth of a small commit.
        driver = _driver(self._connection)
        with failures.translated(self._path):
            driver.execute("BEGIN IMMEDIATE")
            try:
                for sql, parameters in rows.statements():
                    driver.executemany(sql, parameters)
                driver.execute("COMMIT")
            except BaseException:
                if driver.in_transaction:  # SQLite has rolled back already on most errors
                    driver.execute("ROLLBACK")
                raise

    def _grow_log(self) -> None:
        driver, log = _driver(self._connection), f"{self._path}-wal"
        size = _LOG_PAGES * driver.execute("PRAGMA page_size").fetchone()[0]
        disk = os.statvfs(self._path)
        ample = disk.f_bavail * disk.f_frsize >= _AMPLE * size
        if not ample or (os.path.exists(log) and os.path.getsize(log) >= size):
            return
        # What does not fit the cache is written to the log before it is known whether the
        # transaction will stand; rolled back, it leaves its room there and nothing else.
        driver.execute("PRAGMA cache_size = -64")
        try:
            driver.execute("BEGIN IMMEDIATE")
            driver.execute("CREATE TABLE room (body BLOB)")
            driver.execute("INSERT INTO room VALUES (zeroblob(?))", (size,))
        finally:
            if driver.in_transaction:
                driver.execute("ROLLBACK")
            driver.execute(_CACHE)
        descriptor = os.open(log, os.O_RDONLY)
        try:
            os.fsync(descriptor)  # or the first commit would have all of it to sync
        finally:
            os.close(descriptor)

    def _step(self, step: Callable[[Connection, float], int], before: float) -> int:
        with failures.translated(self._path), self._connection.begin():
            return step(self._connection, before)

    def _read(self, work: Callable[[Connection], T]) -> T:
        if self._closed:
            raise StoreError("the store is closed", where=self._path)
        with failures.translated(self._path), self._reading.begin() as connection:
            try:
                return work(connection)
            except (KeyError, ValueError, TypeError, AttributeError) as error:
                raise failures.corrupt(
                    self._path, f"a row can't be read ({type(error).__name__})"
                ) from None

    def _list(self, load: Callable[[str], T], query: Select[Any]) -> Sequence[T]:
        return self._read(lambda connection: _all(connection, load, query))


def _engine(
    connect: Callable[[], sqlite3.Connection], pool: type[QueuePool | StaticPool], begin: str
) -> Engine:
    sizes = {"pool_size": 4, "max_overflow": 0} if pool is QueuePool else {}
    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=pool,
        hide_parameters=True,
        **sizes,
    )
    # The driver's own idea of when a transaction begins is off (isolation_level=None).
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise StoreError("not an SQLite connection")
    return driver


def _all(connection: Connection, load: Callable[[str], T], query: Select[Any]) -> tuple[T, ...]:
    return tuple([load(body) for (body,) in connection.execute(query)])


def _prune_deliveries(connection: Connection, before: float) -> int:
    t = tables.deliveries
    old = (
        select(t.c.id)
        .where(
            t.c.finished_at < before, t.c.number < select(func.max(t.c.number)).scalar_subquery()
        )
        .limit(_CHUNK)
    )
    return connection.execute(delete(t).where(t.c.id.in_(old))).rowcount


def _prune_alerts(connection: Connection, before: float) -> int:
    t, told = tables.alerts, tables.told
    old = select(t.c.fingerprint, t.c.fired_at).where(t.c.past_since < before).limit(_CHUNK)
    rows = connection.execute(old).all()
    for fingerprint, fired_at in rows:
        connection.execute(
            delete(t).where(t.c.fingerprint == fingerprint, t.c.fired_at == fired_at)
        )
        left = select(t.c.fired_at).where(t.c.fingerprint == fingerprint)
        connection.execute(delete(told).where(told.c.fingerprint == fingerprint, ~left.exists()))
    return len(rows)


def _prune_silences(connection: Connection, before: float) -> int:
    t = tables.silences
    old = select(t.c.id).where(t.c.ends_at < before).limit(_CHUNK)
    return connection.execute(delete(t).where(t.c.id.in_(old))).rowcount


def _prune_audit(connection: Connection, before: float) -> int:
    t = tables.audit
    old = select(t.c.number).where(t.c.at < before).limit(_CHUNK)
    return connection.execute(delete(t).where(t.c.number.in_(old))).rowcount
