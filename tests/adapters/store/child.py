"""A process with a store, to be killed, traced or starved: ``child.py MODE PATH``.

Prints a line for each thing that a test waits for, straight to the descriptor, so that
nothing is left in a buffer at kill -9.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import Future
from threading import BoundedSemaphore

from sre_obs.adapters.store.sqlite import SqliteStore
from sre_obs.model.changes import Changes
from sre_obs.model.errors import StoreError
from tests.model.nouns import make_alert, make_delivery, make_group


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def numbered(number: int) -> Changes:
    """An alert, a group and a delivery: all of them or none must be found."""
    return Changes(
        alerts=(make_alert(f"a{number}", annotations={"text": "x" * (number * 37 % 3_000)}),),
        groups=(make_group(f"g{number}"),),
        deliveries=(make_delivery(number, group=f"g{number}"),),
    )


def commit_without_end(store: SqliteStore) -> None:
    """Up to 40 commits under way at any time; prints the number of each that is done."""
    room = BoundedSemaphore(40)

    def done(number: int, future: Future[None]) -> None:
        future.result()
        say(str(number))
        room.release()

    number = 0
    while True:
        number += 1
        room.acquire()
        future = store.commit(numbered(number))
        future.add_done_callback(lambda f, n=number: done(n, f))  # type: ignore[misc]


def commit_one(store: SqliteStore) -> None:
    """Prints "asked" before a commit and "answered" once it is done."""
    store.commit(numbered(1)).result()
    say("asked")
    store.commit(numbered(2)).result()
    say("answered")


def commit_through_errors(store: SqliteStore) -> None:
    """200 commits; prints each error's kind, then waits until all is on disk."""
    for number in range(1, 201):
        try:
            store.commit(numbered(number)).result()
        except StoreError as error:
            say(error.slug)
    while True:
        try:
            store.flushed().result()
        except StoreError:
            continue
        break
    say("flushed")
    store.close()


def stay(_: SqliteStore) -> None:
    """Have it until standard input ends."""
    sys.stdin.read()


MODES = {
    "without-end": commit_without_end,
    "one": commit_one,
    "through-errors": commit_through_errors,
    "stay": stay,
}

if __name__ == "__main__":
    mode, path = sys.argv[1:]
    opened = SqliteStore(path, timer=time.monotonic)
    say("open")
    MODES[mode](opened)
