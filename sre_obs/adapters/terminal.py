"""Prints notices to a stream that is passed in: the daemon's standard output."""

from __future__ import annotations

import threading
from typing import TextIO

from sre_obs.model.outcome import Answer, Failure, Verdict
from sre_obs.notify.notice import Notice
from sre_obs.notify.ports import Found
from sre_obs.notify.terminal import render


class TerminalSender:
    """A `Sender` that writes lines to `stream`, whole notices at a time."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, notice: Notice) -> Answer:
        """Write and flush; a stream that is closed or full may open again."""
        text = render(notice) + "\n"
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        text = text.encode(encoding, "replace").decode(encoding)
        try:
            with self._lock:
                self._stream.write(text)
                self._stream.flush()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is closed"
            return Answer(Verdict.RETRY, Failure.OTHER, f"standard output: {why}")
        return Answer(Verdict.DELIVERED)

    def find(self, notice: Notice) -> Found:
        """A terminal can't be read back."""
        return Found.cant_ask("a terminal can't be asked")

    def describe(self, now: float) -> str:
        """Where it prints."""
        return "standard output"
