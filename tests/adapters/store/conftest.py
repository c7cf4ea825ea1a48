"""Where a Store lives, for the contract suite: one `Place` for each kind of store."""

from __future__ import annotations

import pickle
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sre_obs.adapters.store.sqlite import SqliteStore
from sre_obs.model.errors import StoreError, StoreFull
from sre_obs.model.store import Store
from tests.fakes.store import Disk, FakeStore


@dataclass(frozen=True)
class Place:
    """`open` opens the one store there anew, `open_copy` a backup of it; within `broken`
    the disk refuses writes; `copy` names a file for a backup."""

    open: Callable[[], Store]
    open_copy: Callable[[str], Store]
    broken: Callable[[Store], AbstractContextManager[None]]
    copy: str


@contextmanager
def no_room() -> Iterator[None]:
    """No file of this process may be written: the kernel answers EFBIG, as for a quota."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def memory_place(folder: Path) -> Place:
    disk = Disk()

    @contextmanager
    def broken(store: Store) -> Iterator[None]:
        assert isinstance(store, FakeStore)
        store.failing = StoreFull("no room")
        try:
            yield
        finally:
            store.failing = None

    def open_copy(path: str) -> Store:
        try:
            return FakeStore(pickle.loads(Path(path).read_bytes()))
        except OSError as error:
            raise StoreError(str(error)) from None

    return Place(lambda: FakeStore(disk), open_copy, broken, str(folder / "copy"))


def sqlite_place(folder: Path) -> Place:
    def open_(path: str) -> Store:
        return SqliteStore(path, timer=time.monotonic)

    @contextmanager
    def broken(_: Store) -> Iterator[None]:
        with no_room():
            yield

    path = str(folder / "state.db")
    return Place(lambda: open_(path), open_, broken, str(folder / "copy.db"))


PLACES = {"memory": memory_place, "sqlite": sqlite_place}


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return PLACES[request.param](tmp_path)


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    store = place.open()
    yield store
    store.close()
