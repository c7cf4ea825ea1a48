"""Who may call: Host and Origin, token, body size; and the headers every answer carries.

A page in somebody's browser can reach a loopback address: the Host check keeps a name that
was re-pointed at 127.0.0.1 out, the Origin check another site's form.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import orjson
from starlette.requests import ClientDisconnect

from sre_obs.model.secret import Secret

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

PROBES = frozenset({"/-/healthy", "/-/ready"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    # Not no-referrer: with that a browser sends "Origin: null" with our own forms.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Guard:
    """Wraps the application. `hosts` are names that may stand in Host, besides loopback."""

    def __init__(self, app: App, *, hosts: Iterable[str], token: Secret, max_body: int) -> None:
        self._app = app
        self._hosts = _LOOPBACK | {host.lower() for host in hosts if host}
        self._token = token.reveal()
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        refused = self._refuse(scope, headers)
        if refused is not None:
            status, text = refused
            await _answer(with_headers, status, text)
            return
        # Who has gone in the middle of a body needs no answer, and is no error of ours.
        with suppress(ClientDisconnect):
            await self._app(scope, _bounded(receive, self._max_body), with_headers)

    def _refuse(self, scope: Scope, headers: dict[bytes, str]) -> tuple[int, str] | None:
        host = headers.get(b"host", "")
        if _name(host) not in self._hosts:
            return 421, f"this address is not served as {host[:100]!r}: set allowed_hosts"
        if scope["method"] not in _SAFE:
            origin = headers.get(b"origin")
            if origin is not None and _site(origin) != host.lower():
                return 403, "the request comes from another site's page (Origin)"
        open_to_all = not self._token or scope["path"] in PROBES
        if not open_to_all and not self._authorised(headers.get(b"authorization", "")):
            return 401, "a token is needed: Authorization: Bearer TOKEN, or as a password"
        length = headers.get(b"content-length", "0")
        if not length.isdecimal() or int(length) > self._max_body:
            return 413, f"the body is larger than {self._max_body} bytes: send fewer at once"
        return None

    def _authorised(self, header: str) -> bool:
        scheme, _, given = header.partition(" ")
        if scheme.lower() == "basic":
            try:
                decoded = base64.b64decode(given, validate=True).decode()
            except ValueError:  # no base64, not ASCII, not UTF-8
                return False
            given = decoded.partition(":")[2]
        elif scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(given.strip().encode(), self._token.encode())


class BodyTooLarge(Exception):
    """A body without an honest length grew beyond the limit."""


def _bounded(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise BodyTooLarge
        return message

    return bounded


def _site(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


async def _answer(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"application/json")]
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="sre-obs"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": orjson.dumps({"error": text})})
