"""Work spread over the processors: a test of rules computes and waits for nothing."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from typing import TypeVar

Answer = TypeVar("Answer")


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def shared(work: Callable[[int], Answer], parts: int) -> list[Answer]:
    """``[work(0), work(1), ...]``, each but the first in a process of its own.

    The processes are forked: they begin with all that is in memory, and only the answers
    travel. What one of them can't do is done here, so that its error is raised here.
    """
    context = multiprocessing.get_context("fork")
    children: list[tuple[int, Connection, ForkProcess]] = []
    for part in range(1, parts):
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=_work, args=(work, part, theirs), daemon=True)
        try:
            child.start()
        except OSError:  # no room for another
            ours.close()
            theirs.close()
            continue
        theirs.close()
        children.append((part, ours, child))
    answers: dict[int, Answer] = {0: work(0)}
    for part, pipe, child in children:
        try:
            answers[part] = pipe.recv()
        except (EOFError, OSError):
            pass
        finally:
            pipe.close()
        child.join()
    return [answers[part] if part in answers else work(part) for part in range(parts)]


def _work(work: Callable[[int], Answer], part: int, pipe: Connection) -> None:
    # What goes wrong goes wrong again where it can be told: no traceback from here.
    with contextlib.suppress(Exception):
        pipe.send(work(part))
    pipe.close()
