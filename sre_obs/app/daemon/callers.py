"""Callers that never finish what they ask are hung up on: each holds a connection, of which
a process has about a thousand, and with them all held nobody else would be heard.

A request's head is read before anybody knows who calls, so its size is bounded here: without
that one connection could fill the memory with header lines.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# From a request's first byte (or the connection) to its last; `max_body` at 5 Mbit/s.
REQUEST = 30.0
# Of a head: so many fields, and so many bytes beyond what its first read brought.
FIELDS = 100
HEAD = 64 * 1024


class _TooManyFields(Exception):
    """The parser hands it on as an error of the request, which uvicorn answers with 400."""


class ImpatientProtocol(HttpToolsProtocol):
    """uvicorn's, which of itself waits for ever."""

    _impatience: asyncio.TimerHandle | None = None
    _in_head = False
    _head = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody called, and may not have said a word."""
        super().connection_made(transport)
        self._expect()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head, self._head = True, 0
        self._expect()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head."""
        if len(self.headers) >= FIELDS:
            raise _TooManyFields
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is here."""
        self._in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Some bytes of it."""
        began = self._in_head
        super().data_received(data)
        if began and self._in_head and not self.transport.is_closing():
            self._head += len(data)
            if self._head > HEAD:
                self.send_400_response("The head of the request is too large.")

    def on_message_complete(self) -> None:
        """It is here, with its body."""
        super().on_message_complete()
        self._relax()

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller has gone."""
        super().connection_lost(exc)
        self._relax()

    def _expect(self) -> None:
        self._relax()
        self._impatience = self.loop.call_later(REQUEST, self.transport.close)

    def _relax(self) -> None:
        if self._impatience is not None:
            self._impatience.cancel()
            self._impatience = None
