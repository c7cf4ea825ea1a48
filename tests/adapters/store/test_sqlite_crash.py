"""SQLite's store through kill -9, a full disk and a second process."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from sre_obs.adapters.store.sqlite import SqliteStore
from sre_obs.model.changes import Changes
from sre_obs.model.errors import StoreBusy

pytestmark = pytest.mark.crash

ROOT = Path(__file__).parents[3]


@contextmanager
def child(mode: str, path: Path, *, under: Sequence[str] = ()) -> Iterator[subprocess.Popen[bytes]]:
    command = [*under, sys.executable, "-m", "tests.adapters.store.child", mode, str(path)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def output(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdout is not None
    return process.stdout


def open_store(path: Path) -> SqliteStore:
    return SqliteStore(path, timer=time.monotonic)


def found(store: SqliteStore) -> tuple[set[int], set[int], set[int]]:
    """The numbers of the alerts, groups and deliveries on disk."""
    snapshot = store.load()
    return (
        {int(alert.fingerprint[1:]) for alert in snapshot.alerts},
        {int(group.key[1:]) for group in snapshot.groups},
        {delivery.number for delivery in snapshot.deliveries},
    )


@pytest.mark.parametrize("seed", range(8))
def test_after_kill_9_what_was_done_is_there_and_nothing_is_there_by_half(
    seed: int, tmp_path: Path
) -> None:
    path = tmp_path / "state.db"
    enough = random.Random(seed).randrange(1, 1_500)
    done: set[int] = set()
    with child("without-end", path) as process:
        for line in output(process):
            if line.strip().isdigit():
                done.add(int(line))
            if len(done) == enough:
                process.kill()

    store = open_store(path)
    alerts, groups, deliveries = found(store)
    assert len(done) >= enough
    assert done <= alerts
    assert alerts == groups == deliveries
    assert store.load().next_number == max(deliveries) + 1
    store.close()


def test_a_second_process_is_refused_with_the_first_ones_pid_until_that_is_killed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state.db"
    with child("stay", path) as process:
        assert output(process).readline() == b"open\n"
        with pytest.raises(StoreBusy) as refusal:
            open_store(path)
        assert refusal.value.pid == process.pid
        assert str(process.pid) in refusal.value.message
        assert refusal.value.where == str(path)
        assert str(process.pid) in refusal.value.remedy
        process.kill()
        process.wait()

        open_store(path).close()


def test_a_commit_is_answered_after_the_log_was_synced(tmp_path: Path) -> None:
    path, trace = tmp_path / "state.db", tmp_path / "trace"
    strace = ("strace", "-f", "-y", "-e", "trace=write,fdatasync,fsync", "-o", str(trace))
    with child("one", path, under=strace) as process:
        assert output(process).read().split() == [b"open", b"asked", b"answered"]
        assert process.wait() == 0

    lines = trace.read_text().splitlines()
    asked = next(i for i, line in enumerate(lines) if '"asked' in line)
    answered = next(i for i, line in enumerate(lines) if '"answered' in line)
    synced = [
        line
        for line in lines[asked:answered]
        if re.search(r"f(data)?sync\(\d+<.*state\.db-wal>", line)
    ]
    assert len(synced) == 1


def test_a_full_disk_loses_nothing_once_there_is_room_again(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    # The kernel answers ENOSPC to some writes of the log in a row, then has room again.
    starve = "inject=pwrite64:error=ENOSPC:when=200..212"
    strace = ("strace", "-f", "-qq", "-e", "trace=pwrite64", "-e", starve, "-o", os.devnull)
    with child("through-errors", path, under=strace) as process:
        said = output(process).read().decode().split()

    assert "store/full" in said
    assert said[-1] == "flushed"
    assert set(said) == {"open", "store/full", "flushed"}
    store = open_store(path)
    alerts, groups, deliveries = found(store)
    assert alerts == groups == deliveries == set(range(1, 201))
    store.commit(Changes(forgotten_alerts=("a1",))).result(timeout=30)
    store.close()
