"""Posts notices to a webhook, through httpx2.

The address is the operator's choice, loopback and private ranges included; a redirect to
another one is not. Certificates are verified against the machine's own authorities; the
proxy variables of the environment are honoured.
"""

from __future__ import annotations

import logging
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sre_obs.adapters.clock import SystemClock
from sre_obs.model.outcome import Answer
from sre_obs.model.routing import WebhookIntegration
from sre_obs.notify import transport
from sre_obs.notify.notice import Notice
from sre_obs.notify.ports import Found
from sre_obs.notify.transport import Fault, classify_fault
from sre_obs.notify.webhook import classify_status, render

if TYPE_CHECKING:
    import httpx2

# Of what an answer says so much is read, in so many pieces: neither a huge body nor one
# that trickles in holds a thread for long.
_BODY_MOST = 4_096
_PIECES_MOST = 16


class WebhookSender:
    """A `Sender` for one webhook; keeps its connections open between deliveries."""

    def __init__(self, integration: WebhookIntegration) -> None:
        import httpx2

        from sre_obs.adapters.deadline import Deadline

        # At INFO it logs whole addresses, which may hold a token.
        logging.getLogger("httpx2").setLevel(logging.WARNING)
        self._integration = integration
        self._host = _host(integration.url.reveal())
        # Parsed with the first delivery, where a wrong one is told; then never again, which
        # is a fifth of what a delivery costs.
        self._url: httpx2.URL | None = None
        self._client = httpx2.Client(
            auth=(integration.user, integration.password.reveal()) if integration.user else None,
            timeout=integration.timeout,
            follow_redirects=False,
            verify=ssl.create_default_context(),
        )
        self._deadline = Deadline(SystemClock().timer)
        self._deadline.under(self._client)

    def send(self, notice: Notice) -> Answer:
        """Post once."""
        import httpx2

        call = render(notice)
        headers = dict(call.headers)
        if self._integration.bearer:
            headers["Authorization"] = f"Bearer {self._integration.bearer.reveal()}"
        try:
            url = self._url = self._url or httpx2.URL(self._integration.url.reveal())
            with (
                self._deadline.within(self._integration.timeout),
                self._client.stream("POST", url, content=call.body, headers=headers) as response,
            ):
                return self._answer(response, notice.now)
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError, ValueError) as error:
            return classify_fault(_fault(error), self._host)

    def describe(self, now: float) -> str:
        """Which host it calls; that it answers is known only once something is sent."""
        return self._host

    def find(self, notice: Notice) -> Found:
        """A webhook can't be read back; its receiver has the `Idempotency-Key`."""
        return Found.cant_ask("a webhook can't be asked")

    def close(self) -> None:
        """Close the connections that are kept."""
        self._client.close()

    def _answer(self, response: httpx2.Response, now: float) -> Answer:
        headers = response.headers
        wait = transport.retry_after(headers.get("Retry-After"), now, headers.get("Date"))
        return classify_status(response.status_code, self._redacted(_body(response)), wait)

    def _redacted(self, text: str) -> str:
        """`text` without our secrets: an answer may quote the request."""
        integration = self._integration
        path = urlsplit(integration.url.reveal()).path
        secrets = (
            integration.url.reveal(),
            integration.bearer.reveal(),
            integration.password.reveal(),
            path if len(path) > 1 else "",
        )
        for secret in filter(None, secrets):
            text = text.replace(secret, "***")
        return text


def _body(response: httpx2.Response) -> str:
    """The start of the answer's body; what breaks in here changes no verdict."""
    import httpx2

    read = b""
    try:
        for count, piece in enumerate(response.iter_raw(), start=1):
            read += piece
            if len(read) >= _BODY_MOST or count >= _PIECES_MOST:
                break
    except httpx2.HTTPError:
        return ""
    return read[:_BODY_MOST].decode("utf-8", "replace")


def _host(url: str) -> str:
    """Host and port: what of the address may be told."""
    try:
        parts = urlsplit(url)
        return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or "webhook"
    except ValueError:
        return "webhook"


def _fault(error: Exception) -> Fault:
    import httpx2

    if isinstance(error, httpx2.ConnectTimeout | httpx2.PoolTimeout):
        return Fault.CONNECT_TIMEOUT
    if isinstance(error, httpx2.TimeoutException):
        return Fault.TIMEOUT
    if isinstance(error, httpx2.ConnectError):
        return connect_fault(error)
    if isinstance(error, httpx2.ReadError | httpx2.WriteError | httpx2.CloseError):
        return Fault.RESET
    if isinstance(error, httpx2.RemoteProtocolError):
        return Fault.RESET
    return Fault.UNREACHABLE


def connect_fault(error: BaseException) -> Fault:
    """Why a connection was not made, from the chain of causes."""
    import socket

    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return Fault.TLS
        if isinstance(seen, socket.gaierror):
            return Fault.UNKNOWN_HOST
        seen = seen.__cause__ or seen.__context__
    return Fault.UNREACHABLE
