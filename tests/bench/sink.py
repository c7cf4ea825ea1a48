"""A webhook receiver in a process of its own, which knows when each notification came.

As a program it listens on 127.0.0.1, prints its port, and prints for each request, once its
last byte is here and before it is answered, the monotonic time in nanoseconds (one clock for
all processes) and the names of the pods that it tells of.
"""

from __future__ import annotations

import json
import queue
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple

_printing = threading.Lock()
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Arrival(NamedTuple):
    """One notification."""

    at: float  # time.monotonic()
    pods: list[str]


class Sink:
    """The receiver, seen from the bench."""

    def __enter__(self) -> Sink:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.sink"], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}/hook"
        self._arrivals: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()

    def next(self, timeout: float = 60.0) -> Arrival:
        """The next notification that came. Raises queue.Empty."""
        return self._arrivals.get(timeout=timeout)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                at, *pods = line.split()
                self._arrivals.put(Arrival(int(at) / 1e9, pods))


def serve() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = b""
    # A bench that is over kills its server in the middle of whatever it says.
    with connection, suppress(ConnectionError, BrokenPipeError):
        while received := connection.recv(65_536):
            data += received
            while (whole := _whole(data)) is not None:
                at = time.monotonic_ns()
                connection.sendall(OK)
                body, data = whole
                pods = [alert["labels"]["pod"] for alert in json.loads(body)["alerts"]]
                with _printing:
                    print(at, *pods, flush=True)


def _whole(data: bytes) -> tuple[bytes, bytes] | None:
    """The body of the first request and what follows it, once all of it is here."""
    head, found, rest = data.partition(b"\r\n\r\n")
    if not found:
        return None
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
            return (rest[:length], rest[length:]) if len(rest) >= length else None
    return b"", rest


if __name__ == "__main__":
    serve()
