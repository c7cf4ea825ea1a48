"""Webhooks over real HTTP on loopback: what is sent, and what each end of it means."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sre_obs.adapters.webhook import WebhookSender
from sre_obs.model.outcome import Answer, Failure, Verdict
from sre_obs.model.routing import WebhookIntegration
from sre_obs.model.secret import Secret
from sre_obs.notify.ports import Search
from tests.notify.notices import idle_session, notice

NOTICE = notice((idle_session(),))


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


def hook(url: str) -> WebhookIntegration:
    return WebhookIntegration("payments/webhook[0]", Secret(url), timeout=1.0)


@contextmanager
def sending(integration: WebhookIntegration) -> Iterator[WebhookSender]:
    sender = WebhookSender(integration)
    try:
        yield sender
    finally:
        sender.close()


def send(integration: WebhookIntegration) -> Answer:
    with sending(integration) as sender:
        return sender.send(NOTICE)


def test_it_posts_json_with_its_key_and_credentials(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook", method="POST").respond_with_data("ok")
    base = hook(httpserver.url_for("/hook"))
    assert send(replace(base, bearer=Secret("tok"))).verdict is Verdict.DELIVERED
    assert send(replace(base, user="u", password=Secret("p"))).verdict is Verdict.DELIVERED
    first, second = (request for request, _ in httpserver.log)
    assert first.headers["Authorization"] == "Bearer tok"
    assert second.headers["Authorization"] == "Basic dTpw"
    assert first.headers["Idempotency-Key"] == "7c1f0d9e-1"
    assert first.headers["Content-Type"] == "application/json"
    body = json.loads(first.get_data())
    assert (body["version"], body["status"]) == ("4", "firing")


def test_a_connection_is_used_again() -> None:
    twice = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", times=2)
    with listening(twice) as port, sending(hook(f"http://127.0.0.1:{port}/")) as sender:
        assert sender.send(NOTICE).verdict is Verdict.DELIVERED
        assert sender.send(NOTICE).verdict is Verdict.DELIVERED


@pytest.mark.parametrize("header", ["7", "Wed, 25 Nov 2026 05:00:07 GMT"])
@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_retry_after_is_seconds_or_a_date_on_the_receivers_clock(status: str, header: str) -> None:
    lines = (
        f"HTTP/1.1 {status}",
        "Date: Wed, 25 Nov 2026 05:00:00 GMT",
        f"Retry-After: {header}",
        "Content-Length: 0",
        "\r\n",
    )
    with listening(answering("\r\n".join(lines).encode())) as port:
        answer = send(hook(f"http://127.0.0.1:{port}/"))
    assert (answer.verdict, answer.retry_after) == (Verdict.RETRY, 7.0)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(500, Verdict.RETRY), (404, Verdict.REFUSED), (401, Verdict.REFUSED)],
)
def test_the_answers_words_are_kept_cut_and_without_our_secrets(
    httpserver: HTTPServer, status: int, verdict: Verdict
) -> None:
    path = "/services/T0/secret-path"
    text = f"no {httpserver.url_for(path)} Bearer tok {path} \x1b[31m" + "x" * 100_000
    httpserver.expect_request(path).respond_with_data(text, status)
    answer = send(replace(hook(httpserver.url_for(path)), bearer=Secret("tok")))
    assert answer.verdict is verdict
    assert len(answer.detail) < 250
    assert answer.detail.startswith(f"HTTP {status}: no *** Bearer *** ***")
    assert "secret-path" not in answer.detail
    assert "\x1b" not in answer.detail


def test_a_redirect_is_not_followed(httpserver: HTTPServer) -> None:
    elsewhere = httpserver.url_for("/elsewhere")
    httpserver.expect_request("/").respond_with_data("", 307, {"Location": elsewhere})
    answer = send(hook(httpserver.url_for("/")))
    assert answer.verdict is Verdict.REFUSED
    assert "redirects" in answer.remedy
    assert len(httpserver.log) == 1


def test_its_address_is_in_no_log(httpserver: HTTPServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    httpserver.expect_request("/secret-path").respond_with_data("ok")
    send(hook(httpserver.url_for("/secret-path")))
    ours = [r.getMessage() for r in caplog.records if r.name.startswith("httpx2")]
    assert ours == []


# What a socket can do.

Serve = Callable[[socket.socket], None]


@contextmanager
def listening(serve: Serve) -> Iterator[int]:
    """A server for one connection, served by `serve`; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def run() -> None:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(10)
                serve(connection)

        thread = threading.Thread(target=run)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def read_request(connection: socket.socket) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    )
    while len(body) < length:
        body += connection.recv(65_536)


def answering(answer: bytes, times: int = 1) -> Serve:
    def serve(connection: socket.socket) -> None:
        for _ in range(times):
            read_request(connection)
            connection.sendall(answer)

    return serve


def test_a_connection_that_drops_after_the_request_is_ambiguous() -> None:
    with listening(answering(b"")) as port:
        answer = send(hook(f"http://127.0.0.1:{port}/"))
    assert (answer.verdict, answer.failure) == (Verdict.AMBIGUOUS, Failure.OTHER)


def test_silence_beyond_the_timeout_is_ambiguous() -> None:
    done = threading.Event()

    def hang(connection: socket.socket) -> None:
        read_request(connection)
        done.wait(10)

    with listening(hang) as port:
        answer = send(hook(f"http://127.0.0.1:{port}/"))
        done.set()
    assert (answer.verdict, answer.failure) == (Verdict.AMBIGUOUS, Failure.TIMEOUT)


@pytest.mark.parametrize("status", [b"", b"HTTP/1.1 500 Oops\r\nContent-Length: 9999\r\n\r\n"])
def test_an_answer_that_trickles_in_ends_with_the_timeout(status: bytes) -> None:
    """Each piece comes in time, the whole never does."""
    done = threading.Event()

    def trickle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(status or b"HTTP/1.1 200 OK\r\n")
        while not done.wait(0.5):
            try:
                connection.sendall(b"x" if status else b"X-Slow: yes\r\n")
            except OSError:
                return

    began = time.monotonic()
    with listening(trickle) as port:
        answer = send(hook(f"http://127.0.0.1:{port}/"))
        took = time.monotonic() - began
        done.set()
    assert answer.verdict is (Verdict.RETRY if status else Verdict.AMBIGUOUS)
    assert took < 5.0  # the timeout is one second; without it this never ends


def test_what_is_not_http_is_ambiguous() -> None:
    with listening(answering(b"220 mail.example ESMTP\r\n")) as port:
        answer = send(hook(f"http://127.0.0.1:{port}/"))
    assert answer.verdict is Verdict.AMBIGUOUS


def test_a_200_counts_even_if_its_body_never_comes() -> None:
    with listening(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf")) as port:
        answer = send(hook(f"http://127.0.0.1:{port}/"))
    assert answer.verdict is Verdict.DELIVERED


def test_nobody_listening_is_not_ambiguous() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    answer = send(hook(f"http://127.0.0.1:{port}/token-in-path"))
    assert answer.verdict is Verdict.RETRY
    assert answer.detail == f"127.0.0.1:{port}: can't be reached"


def test_an_unknown_host_and_a_server_without_tls_are_named() -> None:
    unknown = send(hook("http://webhook.invalid/"))
    assert unknown.verdict is Verdict.RETRY
    assert unknown.detail == "webhook.invalid: its host name is unknown"

    def plain(connection: socket.socket) -> None:
        connection.recv(1_024)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with listening(plain) as port:
        answer = send(hook(f"https://127.0.0.1:{port}/"))
    assert answer.verdict is Verdict.RETRY
    assert "certificate" in answer.detail


def test_a_webhook_cannot_be_asked(httpserver: HTTPServer) -> None:
    def fail(_: Request) -> Response:
        raise AssertionError("it must not be called")

    httpserver.expect_request("/").respond_with_handler(fail)
    with sending(hook(httpserver.url_for("/"))) as sender:
        assert sender.find(NOTICE).search is Search.CANT_ASK
    assert httpserver.log == []
