"""Notices on a stream."""

from __future__ import annotations

import errno
import io

from sre_obs.adapters.terminal import TerminalSender
from sre_obs.model.outcome import Verdict
from sre_obs.notify.ports import Search
from tests.notify.notices import HOSTILE, idle_session, notice


def test_a_notice_is_written_and_flushed_at_once() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8")
    assert TerminalSender(stream).send(notice((idle_session(),))).verdict is Verdict.DELIVERED
    text = raw.getvalue().decode()
    assert "CRITICAL PostgreSQL session idle in transaction orders-api@pg-main" in text
    assert text.endswith("\n")


def test_a_terminal_that_knows_only_ascii_gets_ascii() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    assert TerminalSender(stream).send(notice((HOSTILE,))).verdict is Verdict.DELIVERED
    assert b"\x1b" not in raw.getvalue()


def test_a_stream_that_is_closed_is_tried_again() -> None:
    stream = io.StringIO()
    stream.close()
    answer = TerminalSender(stream).send(notice((idle_session(),)))
    assert (answer.verdict, answer.detail) == (Verdict.RETRY, "standard output: it is closed")


class FullDisk(io.StringIO):
    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_behind_the_stream_is_tried_again() -> None:
    answer = TerminalSender(FullDisk()).send(notice((idle_session(),)))
    assert answer.verdict is Verdict.RETRY
    assert "No space left" in answer.detail


def test_a_terminal_cannot_be_asked() -> None:
    found = TerminalSender(io.StringIO()).find(notice((idle_session(),)))
    assert found.search is Search.CANT_ASK
