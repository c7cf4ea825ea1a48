"""Callers that never finish what they ask are hung up on: each holds a connection, of which
a process has about a thousand, and with them all held nobody else would be heard."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# From a request's first byte (or the connection) to its last; `max_body` at 5 Mbit/s.
REQUEST = 30.0


class ImpatientProtocol(HttpToolsProtocol):
    """uvicorn's, which of itself waits for ever."""

    _impatience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody called, and may not have said a word."""
        super().connection_made(transport)
        self._expect()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._expect()

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
