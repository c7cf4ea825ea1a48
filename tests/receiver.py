"""A webhook receiver of our own: what came, and when, and what to answer."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that was killed is no error of ours."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@dataclass(frozen=True)
class Call:
    """One notification that was answered."""

    at: float  # time.time()
    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def names(self) -> list[str]:
        """The alerts it tells of."""
        return [alert["labels"]["alertname"] for alert in self.body["alerts"]]


@dataclass
class Receiver:
    """An HTTP server on 127.0.0.1; `answers` are (status, headers) for the next calls."""

    calls: list[Call] = field(default_factory=list)
    answers: deque[tuple[int, dict[str, str]]] = field(default_factory=deque)

    def __enter__(self) -> Receiver:
        receiver = self
        self._came = threading.Condition()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                text = self.rfile.read(length)
                if len(text) < length:
                    self.close_connection = True  # killed in the middle of what it said
                    return
                body = json.loads(text)
                status, headers = receiver.answers.popleft() if receiver.answers else (200, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()
                self.wfile.flush()
                with receiver._came:
                    receiver.calls.append(Call(time.time(), body, dict(self.headers)))
                    receiver._came.notify_all()

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self, count: int, seconds: float = 20.0) -> list[Call]:
        """The calls, once there are so many. Fails by saying what came."""
        with self._came:
            if not self._came.wait_for(lambda: len(self.calls) >= count, seconds):
                raise AssertionError(f"{len(self.calls)} of {count} calls came: {self.calls}")
            return list(self.calls)
