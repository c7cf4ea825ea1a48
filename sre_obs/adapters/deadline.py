"""One deadline for a whole HTTP exchange: httpx2's own time-outs are for each read, so that
a server which says a byte now and then would hold a thread for ever."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpcore2

if TYPE_CHECKING:
    import httpx2


class Deadline(httpcore2.NetworkBackend):
    """The sockets under a client. `within` sets the time that a thread's exchange has."""

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self._inner = httpcore2.SyncBackend()
        self._thread = threading.local()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """What this thread reads and writes in here ends by then, as if it had timed out."""
        self._thread.until = self._timer() + seconds
        try:
            yield
        finally:
            self._thread.until = None

    def under(self, client: httpx2.Client) -> None:
        """Put these sockets under all that `client` connects by, its proxies included.

        httpx2 takes no network backend of its own; passing a transport would switch the
        environment's proxies off. So the pools of its transports are given it.
        """
        for transport in (client._transport, *client._mounts.values()):
            pool: Any = getattr(transport, "_pool", None)
            if pool is not None:
                pool._network_backend = self

    def left(self, timeout: float | None) -> float | None:
        """`timeout`, or what is left if that is less; never quite nothing."""
        until = getattr(self._thread, "until", None)
        if until is None:
            return timeout
        left: float = until - self._timer()
        if left <= 0:
            raise httpcore2.ReadTimeout("the exchange took too long")
        return left if timeout is None else min(timeout, left)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """A connection that minds the deadline."""
        inner = self._inner.connect_tcp(
            host, port, self.left(timeout), local_address, socket_options
        )
        return _Stream(inner, self)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, inner: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _Stream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
