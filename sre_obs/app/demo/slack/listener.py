"""HTTP on 127.0.0.1 in front of a `StandIn`: what slack_sdk talks to."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from sre_obs.app.demo.slack import control
from sre_obs.app.demo.slack.faults import Answer
from sre_obs.app.demo.slack.limits import Refused

if TYPE_CHECKING:
    from sre_obs.app.demo.slack.server import StandIn

_MAX_BODY = 1 << 20
_IDLE = 30.0  # seconds until a connection that says nothing is closed


class Server(ThreadingHTTPServer):
    """One thread a connection; all of them are joined on close."""

    daemon_threads = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, standin: StandIn, port: int, controlled: bool) -> None:
        self.standin = standin
        self.controlled = controlled
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def opened(self, connection: socket.socket) -> None:
        with self._open_lock:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._open_lock:
            self._open.discard(connection)

    def hang_up(self) -> None:
        """End the reads of connections that were opened and say nothing."""
        with self._open_lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the client was first

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away midway is what crash tests do: no traceback for it."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = _IDLE
    server_version = "slack-stand-in"
    sys_version = ""

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        super().finish()

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """The calls are in `StandIn.calls`; nothing is printed."""

    def _serve(self) -> None:
        url = urlsplit(self.path)
        body = self._body()
        if body is None:
            return self._send(Answer(413, "too large", {}))
        if url.path == "/control" and self.server.controlled:
            status, answer = control.handle(
                self.server.standin, self.command, self.headers.get("Host", ""), body
            )
            return self._send(Answer(status, answer, {}))
        if not url.path.startswith("/api/"):
            return self._send(Answer(404, "not found", {}))
        standin = self.server.standin
        args = dict(parse_qsl(url.query, keep_blank_values=True))
        try:
            args |= _arguments(self.headers.get("Content-Type", ""), body)
        except Refused as refused:
            return self._send(Answer(200, {"ok": False, "error": refused.error}, {}))
        bearer = self.headers.get("Authorization", "")
        token = bearer.removeprefix("Bearer ").strip() or str(args.get("token", ""))
        args.pop("token", None)
        answered = standin.answer(url.path.removeprefix("/api/"), token, args)
        if answered is None:
            self.close_connection = True
            return None
        return self._send(answered)

    def _body(self) -> bytes | None:
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            return None
        return self.rfile.read(length) if 0 <= length <= _MAX_BODY else None

    def _send(self, answer: Answer) -> None:
        is_json = not isinstance(answer.body, str)
        data = (json.dumps(answer.body) if is_json else str(answer.body)).encode()
        kind = "application/json" if is_json else "text/html"
        self.send_response(answer.status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Connection", "close")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def _arguments(content_type: str, body: bytes) -> dict[str, Any]:
    """A form's or a JSON object's arguments. Raises Refused."""
    if not body:
        return {}
    if content_type.split(";")[0].strip() == "application/json":
        try:
            parsed = json.loads(body)
        except ValueError:
            raise Refused("invalid_json") from None
        if not isinstance(parsed, dict):
            raise Refused("json_not_object")
        return parsed
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except UnicodeDecodeError:
        raise Refused("invalid_form_data") from None
