"""An Elasticsearch that answers well until it is told to lie."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sre_obs.query.search import Corpus, search

PRODUCT = {"x-elastic-product": "Elasticsearch", "content-type": "application/json"}
CLUSTER = {
    "name": "liar",
    "cluster_name": "liar",
    "cluster_uuid": "AAAAAAAAAAAAAAAAAAAAAA",
    "version": {
        "number": "9.4.3",
        "build_flavor": "default",
        "minimum_wire_compatibility_version": "8.19.0",
        "minimum_index_compatibility_version": "8.0.0",
    },
    "tagline": "You Know, for Search",
}
TYPES = {"@timestamp": "date", "pod": "keyword", "cpu": "double", "message": "text"}


def refused(kind: str, reason: str, status: int) -> tuple[int, Any]:
    """An error as Elasticsearch words it."""
    error = {"root_cause": [{"type": kind, "reason": reason}], "type": kind, "reason": reason}
    return status, {"error": error, "status": status}


class Liar:
    """`error` (status, body) for every search, or `wrong` for one index; `part` is mixed
    into every answer; `hang` seconds pass before any."""

    def __init__(self) -> None:
        self.error: tuple[int, Any] | None = None
        self.wrong: dict[str, tuple[int, Any]] = {}
        self.part: Mapping[str, Any] = {}
        self.hang = 0.0
        self.searched = 0
        self.gone = False  # connections that were kept are closed without an answer
        self._corpus = Corpus(types=TYPES)
        self._lock = threading.Lock()
        self._freed = threading.Event()

    def add(self, index: str, *documents: Mapping[str, Any]) -> None:
        """Documents, of now unless they say otherwise."""
        with self._lock:
            now = {"@timestamp": round(time.time() * 1000)}
            self._corpus.add(index, *({**now, **each} for each in documents))

    def answer(self, path: str, body: bytes) -> tuple[int, Any]:
        """Status and body (text, or what is JSON)."""
        if self.hang:
            self._freed.wait(self.hang)
        if path.startswith("/_msearch"):
            self.searched += 1
            if self.error:
                return self.error
            lines = [json.loads(line) for line in body.splitlines()]
            pairs = zip(lines[::2], lines[1::2], strict=True)
            return 200, {"took": 1, "responses": [self._search(*pair) for pair in pairs]}
        if "_field_caps" in path:
            fields = {name: {kind: {"type": kind}} for name, kind in TYPES.items()}
            return self.error or (200, {"indices": ["x"], "fields": fields})
        return (200, CLUSTER) if path == "/" else (404, {"error": "no such thing", "status": 404})

    def _search(self, header: Mapping[str, Any], body: Mapping[str, Any]) -> Mapping[str, Any]:
        for index in header["index"]:
            if index in self.wrong:
                return self.wrong[index][1]
        with self._lock:
            found = search(self._corpus, header["index"], body, 0.0, ignore_unavailable=True)
        return {**found, "status": 200, **self.part}

    def free(self) -> None:
        """Let go of all that hangs, now and later."""
        self._freed.set()


@contextmanager
def lying(port: int = 0) -> Iterator[tuple[Liar, str]]:
    """The liar and its address on 127.0.0.1."""
    liar = Liar()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if liar.gone:
                self.close_connection = True
                return
            length = int(self.headers.get("content-length") or 0)
            status, answer = liar.answer(self.path, self.rfile.read(length))
            text = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
            try:
                self.send_response(status)
                for name, value in PRODUCT.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
            except OSError:
                self.close_connection = True  # it did not wait for us

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield liar, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        liar.free()
        liar.gone = True
        server.shutdown()
        server.server_close()
        thread.join()
