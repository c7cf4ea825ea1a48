"""The writer thread: at once when idle, in batches when busy, again when it failed."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from sre_obs.adapters.store import writer as writer_module
from sre_obs.adapters.store.rows import Rows
from sre_obs.adapters.store.writer import Writer
from sre_obs.model.changes import Changes
from sre_obs.model.errors import StoreError, StoreFull
from tests.model.nouns import make_alert, make_group


class Database:
    """Takes rows; can be made to wait or to fail."""

    def __init__(self) -> None:
        self.transactions: list[Rows] = []
        self.errors: list[Exception] = []
        self.entered = threading.Semaphore(0)
        self.gate = threading.Event()
        self.gate.set()

    def write(self, rows: Rows) -> None:
        self.entered.release()
        assert self.gate.wait(timeout=30)
        if self.errors:
            raise self.errors.pop(0)
        self.transactions.append(rows)


class Timer:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def timer() -> Timer:
    return Timer()


@pytest.fixture
def writer(database: Database, timer: Timer) -> Iterator[Writer]:
    writer = Writer(database.write, timer=timer)
    yield writer
    database.errors.clear()
    database.gate.set()
    writer.close()


def group(key: str, flush_at: float = 1.0) -> Changes:
    return Changes(groups=(make_group(key, flush_at=flush_at),))


def test_what_comes_while_a_commit_runs_is_one_transaction(
    writer: Writer, database: Database
) -> None:
    database.gate.clear()
    first = writer.commit(group("g0"))
    assert database.entered.acquire(timeout=30)
    later = [writer.commit(group(f"g{n}")) for n in range(1, 50)]
    assert not first.done()
    database.gate.set()
    for future in (first, *later):
        future.result(timeout=30)

    assert [len(rows.groups) for rows in database.transactions] == [1, 49]


def test_a_transaction_is_bounded(
    writer: Writer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "MOST", 10)
    database.gate.clear()
    first = writer.commit(group("g"))
    assert database.entered.acquire(timeout=30)
    later = [
        writer.commit(Changes(alerts=tuple(make_alert(f"a{n}-{m}") for m in range(4))))
        for n in range(6)
    ]
    database.gate.set()
    for future in (first, *later):
        future.result(timeout=30)

    assert [len(rows.alerts) for rows in database.transactions] == [0, 8, 8, 8]


def test_what_failed_goes_first_merged_with_what_came_after(
    writer: Writer, database: Database
) -> None:
    database.errors = [StoreFull("no room"), StoreFull("no room")]
    for n in range(2):
        with pytest.raises(StoreFull):
            writer.commit(group("g", float(n))).result(timeout=30)
    writer.commit(group("h")).result(timeout=30)

    (rows,) = database.transactions
    assert sorted(rows.groups) == ["g", "h"]
    assert '"flush_at":1.0' in str(rows.groups["g"])


def test_a_backlog_does_not_grow_with_the_number_of_failed_tries(
    writer: Writer, database: Database
) -> None:
    database.errors = [StoreFull("no room")] * 1_000
    for n in range(5):
        with pytest.raises(StoreFull):
            writer.commit(group("g", float(n))).result(timeout=30)
    assert writer.health().waiting == 5
    database.errors.clear()
    writer.flushed().result(timeout=30)

    (rows,) = database.transactions
    assert len(rows.groups) == 1
    assert writer.health().waiting == 0


def test_it_tries_again_by_itself(writer: Writer, database: Database) -> None:
    database.errors = [StoreFull("no room"), StoreFull("no room")]
    with pytest.raises(StoreFull):
        writer.commit(group("g")).result(timeout=30)

    for _ in range(3):
        assert database.entered.acquire(timeout=30)


def test_each_waiter_gets_an_error_of_its_own(writer: Writer, database: Database) -> None:
    database.gate.clear()
    writer.commit(group("g"))
    assert database.entered.acquire(timeout=30)
    futures = [writer.commit(group("g")) for _ in range(2)]
    database.errors = [StoreFull("no room", where="state.db", remedy="make room")] * 2
    database.gate.set()
    one, two = (future.exception(timeout=30) for future in futures)

    assert isinstance(one, StoreFull)
    assert isinstance(two, StoreFull)
    assert one is not two
    assert (one.message, one.where, one.remedy) == ("no room", "state.db", "make room")


def test_changes_that_can_never_be_stored_do_not_hold_up_others(
    writer: Writer, database: Database
) -> None:
    broken = Changes(alerts=(object(),))  # type: ignore[arg-type]
    refused, fine = writer.commit(broken), writer.commit(group("g"))

    with pytest.raises(StoreError, match="can't be stored"):
        refused.result(timeout=30)
    fine.result(timeout=30)
    assert writer.health().waiting == 0


def test_a_fault_of_ours_does_not_end_the_thread(writer: Writer, database: Database) -> None:
    database.errors = [ZeroDivisionError()]
    with pytest.raises(StoreError, match="ZeroDivisionError"):
        writer.commit(group("g")).result(timeout=30)

    writer.commit(group("h")).result(timeout=30)
    assert sorted(database.transactions[0].groups) == ["g", "h"]


def test_health_tells_how_long_the_oldest_waits(
    writer: Writer, database: Database, timer: Timer
) -> None:
    assert writer.health().oldest_wait == 0.0
    database.gate.clear()
    timer.seconds = 10.0
    first = writer.commit(group("g"))
    assert database.entered.acquire(timeout=30)
    timer.seconds = 12.0
    writer.commit(group("g"))
    timer.seconds = 15.0

    assert writer.health().waiting == 2
    assert writer.health().oldest_wait == 5.0
    database.errors = [StoreFull("no room")]
    database.gate.set()
    assert isinstance(first.exception(timeout=30), StoreFull)
    writer.flushed().result(timeout=30)
    assert writer.health().oldest_wait == 0.0


def test_the_age_of_what_failed_counts_from_when_it_was_asked_for(
    writer: Writer, database: Database, timer: Timer
) -> None:
    timer.seconds = 10.0
    database.errors = [StoreFull("no room")] * 1_000
    with pytest.raises(StoreFull):
        writer.commit(group("g")).result(timeout=30)
    timer.seconds = 40.0

    assert writer.health().oldest_wait == 30.0


def test_jobs_run_between_transactions(writer: Writer, database: Database) -> None:
    database.gate.clear()
    commits = [writer.commit(group("g"))]
    assert database.entered.acquire(timeout=30)
    job = writer.run(lambda: len(database.transactions))
    commits.append(writer.commit(group("h")))
    database.gate.set()

    assert job.result(timeout=30) >= 1
    for future in commits:
        future.result(timeout=30)


def test_a_job_that_fails_tells_its_caller_alone(writer: Writer) -> None:
    with pytest.raises(ZeroDivisionError):
        writer.run(lambda: 1 / 0).result(timeout=30)

    assert writer.health().error == ""
