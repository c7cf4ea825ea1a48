"""What is SQLite's own: files and their modes, migrations, damage, readers beside a writer."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from sre_obs.adapters.store import migrate, tables
from sre_obs.adapters.store.sqlite import SqliteStore
from sre_obs.model.changes import Changes
from sre_obs.model.errors import (
    StoreBusy,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreNewer,
)
from sre_obs.model.notification import DeliveryState
from sre_obs.model.store import Snapshot
from tests.adapters.store.child import numbered
from tests.adapters.store.conftest import no_room
from tests.model.nouns import make_alert, make_delivery, make_group

ADD_A_COLUMN = (2, "ALTER TABLE groups ADD COLUMN note TEXT;")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def open_store(path: Path) -> SqliteStore:
    return SqliteStore(path, timer=time.monotonic)


def fill(path: Path, count: int = 1) -> None:
    store = open_store(path)
    for number in range(1, count + 1):
        store.commit(numbered(number))
    store.close()


def open_and_load(path: Path) -> Snapshot:
    store = open_store(path)
    try:
        return store.load()
    finally:
        store.close()


def mode(path: Path | str) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def value(path: Path | str, sql: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchone()[0]


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may write anywhere; a test of permissions must be somebody else."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65_534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_only_the_owner_can_read_its_files(path: Path) -> None:
    before = os.umask(0)
    try:
        store = open_store(path)
        store.commit(numbered(1)).result(timeout=30)
        store.backup(f"{path}.copy")
        names = {file.name for file in path.parent.iterdir()}
        modes = {mode(file) for file in path.parent.iterdir()}
        store.close()
    finally:
        os.umask(before)

    assert names == {
        "state.db",
        "state.db-wal",
        "state.db-shm",
        "state.db.lock",
        "state.db.copy",
    }
    assert modes == {0o600}


def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    fill(path)
    path.chmod(0o644)

    open_store(path).close()
    assert mode(path) == 0o600


def test_a_missing_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "data" / "state.db"
    open_store(path).close()

    assert mode(path.parent) == 0o700


@pytest.mark.parametrize("name", ["a b.db", "q?mode=rw#x.db", "100%41.db", "größe.db", "-x.db"])
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    store = open_store(tmp_path / name)
    store.commit(numbered(1)).result(timeout=30)

    assert len(store.load().alerts) == 1
    store.close()
    assert sorted(os.listdir(tmp_path)) == sorted([name, f"{name}.lock"])


def test_a_folder_that_may_not_be_written_is_named_with_the_user(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with as_nobody(), pytest.raises(StoreError, match="Permission denied") as refusal:
            open_store(tmp_path / "state.db")
    finally:
        tmp_path.chmod(0o700)
    assert refusal.value.where == str(tmp_path / "state.db")
    assert "let user" in refusal.value.remedy


def test_a_folder_in_the_place_of_the_file_or_the_reverse_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="Is a directory"):
        open_store(tmp_path)
    with pytest.raises(StoreError, match="its folder is not a folder"):
        open_store(tmp_path / "file" / "state.db")


def test_the_same_process_is_refused_a_second_store_on_one_file(path: Path) -> None:
    store = open_store(path)
    link = path.parent / "link.db"
    link.symlink_to(path)

    for name in (path, link):
        with pytest.raises(StoreBusy) as refusal:
            open_store(name)
        assert refusal.value.pid == os.getpid()
    assert not os.path.exists(f"{link}.lock")
    # The attempt has not let go of the first one's lock.
    store.commit(numbered(1)).result(timeout=30)
    store.close()
    open_store(path).close()


def test_a_refused_opening_holds_nothing(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 100)
    for _ in range(2):
        with pytest.raises(StoreCorrupt):
            open_store(path)
    path.unlink()

    open_store(path).close()


@pytest.mark.parametrize("damage", ["other", "short", "header", "page", "cut"])
def test_a_damaged_file_is_refused_and_left_as_it_is(path: Path, damage: str) -> None:
    fill(path, 200)
    content = bytearray(path.read_bytes())
    page = 4_096
    if damage == "other":
        content[:] = b"\x7fELF" + bytes(5_000)
    elif damage == "short":
        del content[50:]
    elif damage == "header":
        content[:16] = b"SQLite format 2\0"
    elif damage == "page":
        content[5 * page : 30 * page] = os.urandom(25 * page)
    elif damage == "cut":
        del content[10 * page + 17 :]
    path.write_bytes(content)

    with pytest.raises(StoreCorrupt) as refusal:
        open_store(path)
    assert path.read_bytes() == content
    assert refusal.value.where == str(path)
    assert "backup" in refusal.value.remedy
    assert f"move {path}* away" in refusal.value.remedy


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    fill(path)

    assert value(path, "SELECT count(*) FROM alerts") == 1


def test_another_programs_database_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    content = path.read_bytes()

    with pytest.raises(StoreError, match="another program's database"):
        open_store(path)
    assert path.read_bytes() == content


def test_a_row_that_no_version_wrote_is_damage(path: Path) -> None:
    fill(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alerts SET body = '{}'")

    store = open_store(path)
    with pytest.raises(StoreCorrupt, match="a row can't be read"):
        store.load()
    store.close()


def test_a_newer_schema_is_refused_with_both_versions(path: Path) -> None:
    fill(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    content = path.read_bytes()

    with pytest.raises(StoreNewer, match=r"schema 99.*up to 1") as refusal:
        open_store(path)
    assert "schema-1.backup" in refusal.value.remedy
    assert path.read_bytes() == content


def test_an_older_schema_is_copied_and_then_brought_up(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(path)
    steps = [*migrate.scripts(), ADD_A_COLUMN]
    monkeypatch.setattr(migrate, "scripts", lambda: steps)

    store = open_store(path)
    assert len(store.load().groups) == 1
    store.close()
    copy = f"{path}.schema-1.backup"
    assert value(path, "PRAGMA user_version") == 2
    assert value(copy, "PRAGMA user_version") == 1
    assert value(copy, "SELECT count(*) FROM alerts") == 1
    assert mode(copy) == 0o600


def test_a_migration_that_fails_leaves_the_schema_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(path)
    number, sql = ADD_A_COLUMN
    steps = [*migrate.scripts(), (number, f"{sql} INSERT INTO nowhere VALUES (1);")]
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "scripts", lambda: steps)
        with pytest.raises(StoreError, match="nowhere"):
            open_store(path)

    assert value(path, "PRAGMA user_version") == 1
    store = open_store(path)
    assert len(store.load().alerts) == 1
    store.close()


def test_the_scripts_are_numbered_without_a_gap() -> None:
    numbers = [number for number, _ in migrate.scripts()]

    assert numbers == list(range(1, len(numbers) + 1))


def test_the_scripts_make_the_tables_that_the_statements_are_made_for(path: Path) -> None:
    open_store(path).close()
    engine = create_engine(f"sqlite:///{path}")
    made = inspect(engine)

    assert {t for t in made.get_table_names() if not t.startswith("sqlite_")} == set(
        tables.metadata.tables
    )
    for table in tables.metadata.tables.values():
        assert [c["name"] for c in made.get_columns(table.name)] == [c.name for c in table.columns]
        key = [c.name for c in table.primary_key.columns]
        assert made.get_pk_constraint(table.name)["constrained_columns"] == key
    engine.dispose()


def test_it_is_as_durable_as_it_says(path: Path) -> None:
    store = open_store(path)
    driver = store._connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)

    assert driver.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert driver.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    store.close()


def test_a_log_that_was_given_room_grows_no_more_and_holds_nothing_new(path: Path) -> None:
    log = Path(f"{path}-wal")
    store = open_store(path)
    before, file_size = log.stat().st_size, path.stat().st_size
    store.make_room().result()
    store.commit(numbered(1)).result()
    room = log.stat().st_size
    assert room >= 4_000 * 4_096 > before
    for number in range(2, 200):
        store.commit(numbered(number)).result()
    store.make_room().result()
    assert log.stat().st_size == room
    assert path.stat().st_size == file_size
    assert value(path, "SELECT count(*) FROM sqlite_master WHERE name = 'room'") == 0
    assert value(path, "PRAGMA integrity_check") == "ok"
    store.close()
    assert len(open_and_load(path).deliveries) == 199


def test_a_log_that_gets_no_room_does_without(path: Path) -> None:
    store = open_store(path)
    with no_room(), pytest.raises(sqlite3.Error):
        store.make_room().result()
    store.commit(numbered(1)).result()
    store.close()
    assert len(open_and_load(path).deliveries) == 1


def test_readers_see_whole_commits_and_never_wait_for_the_writer(path: Path) -> None:
    store = open_store(path)
    halves: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            snapshot = store.load()
            sizes = {len(snapshot.alerts), len(snapshot.groups), len(snapshot.deliveries)}
            if len(sizes) > 1 or len(store.deliveries(limit=1_000)) < max(sizes):
                halves.append(str(sizes))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1, 61):
        store.commit(numbered(number)).result(timeout=30)
    done.set()
    for reader in readers:
        reader.join()

    assert halves == []
    store.close()


def test_a_backup_while_writing_is_the_state_between_two_commits(path: Path) -> None:
    store = open_store(path)
    for number in range(1, 51):
        store.commit(numbered(number)).result(timeout=30)
    later = [store.commit(numbered(number)) for number in range(51, 400)]
    store.backup(f"{path}.copy")
    assert [future.result(timeout=30) for future in later] == [None] * len(later)
    store.close()

    copy = open_store(Path(f"{path}.copy"))
    snapshot = copy.load()
    count = len(snapshot.deliveries)
    assert count >= 50
    assert [d.number for d in snapshot.deliveries] == list(range(1, count + 1))
    assert len(snapshot.alerts) == len(snapshot.groups) == count
    copy.close()


def test_a_backup_that_fails_leaves_nothing_and_keeps_the_last_one(path: Path) -> None:
    store = open_store(path)
    store.commit(numbered(1)).result(timeout=30)
    store.backup(f"{path}.copy")
    content = Path(f"{path}.copy").read_bytes()
    with no_room(), pytest.raises(StoreFull, match="for the backup") as failure:
        store.backup(f"{path}.copy")
    assert failure.value.where == f"{path}.copy"
    with pytest.raises(StoreError, match="the store itself"):
        store.backup(str(path))
    store.close()

    assert Path(f"{path}.copy").read_bytes() == content
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "state.db",
        "state.db.copy",
        "state.db.lock",
    ]


def test_no_room_at_the_first_start_is_said(path: Path) -> None:
    with no_room(), pytest.raises(StoreFull, match="no room"):
        open_store(path)

    open_store(path).close()


def test_pruning_much_history_goes_in_steps_between_commits(path: Path) -> None:
    store = open_store(path)
    count = 2_300
    sent = tuple(
        make_delivery(
            n, group=f"g{n % 7}", firing=(f"a{n}",), state=DeliveryState.SENT, finished_at=1.0
        )
        for n in range(1, count + 1)
    )
    alerts = tuple(make_alert(f"a{n}", updated_at=1.0) for n in range(1, count + 1))
    names = tuple(alert.fingerprint for alert in alerts)
    store.commit(Changes(alerts=alerts, forgotten_alerts=names, deliveries=sent)).result(30)

    pruned: list[int] = []
    pruning = threading.Thread(target=lambda: pruned.append(store.prune(100.0)))
    pruning.start()
    for number in range(20):
        store.commit(Changes(groups=(make_group(flush_at=float(number)),))).result(30)
    pruning.join()

    assert pruned == [2 * count - 1]
    assert [d.number for d in store.deliveries()] == [count]
    store.close()
    assert value(path, "SELECT count(*) FROM alerts") == 0
    assert value(path, "SELECT count(*) FROM told") == 0


def test_pruning_that_fails_says_so_and_harms_nothing(path: Path) -> None:
    store = open_store(path)
    changes = Changes(alerts=(make_alert(updated_at=1.0),), forgotten_alerts=("a1",))
    store.commit(changes).result(timeout=30)
    with no_room(), pytest.raises(StoreFull):
        store.prune(100.0)

    store.commit(numbered(2)).result(timeout=30)
    assert store.prune(100.0) == 1
    store.close()


def test_an_alert_that_another_program_locks_out_is_written_later(path: Path) -> None:
    store = open_store(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as browser:
        browser.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match="another program keeps the store locked"):
            store.commit(numbered(1)).result(timeout=30)
        browser.execute("ROLLBACK")
    store.flushed().result(timeout=30)

    assert len(store.load().alerts) == 1
    store.close()


def test_errors_hold_nothing_of_what_was_stored(path: Path) -> None:
    secret = "hunter2-in-a-label"
    store = open_store(path)
    alert = make_alert(labels={"password": secret}, annotations={"text": "x" * 9_000})
    with no_room(), pytest.raises(StoreFull) as failure:
        store.commit(Changes(alerts=(alert,))).result(timeout=30)
    store.close()

    error = failure.value
    assert secret not in f"{error!r} {error.where} {error.remedy}"
    assert secret not in f"{error.__cause__!r} {error.__context__!r}"
