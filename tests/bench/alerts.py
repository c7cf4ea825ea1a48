"""The alerts that are posted, and a client that costs little beside the servers."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

Alerts = Sequence[dict[str, Any]]


def make_alerts(count: int, groups: int, *, first: int = 0, promise: float = 3_600.0) -> Alerts:
    """`count` alerts as Prometheus sends them, about 550 bytes each, in `groups` groups.

    Each fires since now and promises to end in `promise` seconds unless re-sent.
    """
    now = time.time()
    starts, ends = _rfc3339(now), _rfc3339(now + promise)
    return [
        {
            "labels": {
                "alertname": f"HighErrorRate{number % groups}",
                "cluster": "eu-1",
                "namespace": "shop",
                "service": "checkout",
                "pod": f"checkout-7c9f6d-{number}",
                "severity": "critical",
            },
            "annotations": {
                "summary": "Error rate of checkout is above 5 % for ten minutes",
                "runbook_url": "https://runbooks.example.org/checkout/high-error-rate",
            },
            "startsAt": starts,
            "endsAt": ends,
            "generatorURL": "https://prometheus.example.org/graph?g0.expr=rate&g0.tab=1",
        }
        for number in range(first, first + count)
    ]


def sent_again(alerts: Alerts) -> Alerts:
    """The same alerts a minute later: only their promised end has moved."""
    ends = _rfc3339(time.time() + 3_660.0)
    return [{**alert, "endsAt": ends} for alert in alerts]


def batches(alerts: Alerts, size: int) -> Iterator[Alerts]:
    """`alerts` in lists of `size`."""
    for at in range(0, len(alerts), size):
        yield alerts[at : at + size]


class Client:
    """One kept connection; requests are made beforehand, answers read no further than needed."""

    def __init__(self, url: str) -> None:
        host, _, port = url.rpartition("//")[2].partition(":")
        self._host = f"{host}:{port}"
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def request(self, alerts: Alerts) -> bytes:
        """The bytes of a POST of these alerts."""
        body = json.dumps(alerts).encode()
        head = (
            f"POST /api/v2/alerts HTTP/1.1\r\nHost: {self._host}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def send(self, request: bytes) -> None:
        """Send, and wait for the answer; it must be 200."""
        self._socket.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._receive()
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), answer
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == _LENGTH), 0
        )
        while len(body) < length:
            body += self._receive()

    def _receive(self) -> bytes:
        data = self._socket.recv(65_536)
        assert data, "the server closed the connection"
        return data


_LENGTH = b"content-length:"


def _rfc3339(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
