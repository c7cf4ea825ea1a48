"""`sre-obs demo`, as somebody sees it for the first time."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from tests.cli.typed import environment, type_there

# Half a minute of watching: too slow among the tests that need no process.
pytestmark = pytest.mark.crash

_open = build_opener(ProxyHandler({})).open
EVENT = re.compile(r"\+ *(\d+) s  (FIRING|RESOLVED|DELIVERED|WAITS) +(\S+)  ?(.*)")
SUMMARY = re.compile(
    r"Ended after (\d+) s: (\d+) documents, \d+ rules, "
    r"(\d+) fired, (\d+) resolved, (\d+) delivered\."
)


class Demo:
    """A demo that runs, its lines with the second at which they came."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.began = time.monotonic()
        self.lines: list[tuple[float, str]] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sre_obs.app.cli", "demo", *arguments],
            cwd=folder,
            env=environment(PYTHONUNBUFFERED="1"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._came = threading.Condition()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout:
            for line in self.process.stdout:
                with self._came:
                    self.lines.append((time.monotonic() - self.began, line.rstrip("\n")))
                    self._came.notify_all()

    def wait(self, pattern: str, seconds: float = 60.0) -> float:
        """When a line came that matches, in seconds since the start."""

        def found() -> float | None:
            return next((at for at, line in self.lines if re.search(pattern, line)), None)

        with self._came:
            if not self._came.wait_for(lambda: found() is not None, seconds):
                raise AssertionError(f"{pattern} did not come: {self.text}")
        at = found()
        assert at is not None
        return at

    @property
    def text(self) -> str:
        return "\n".join(line for _, line in self.lines)

    def address(self) -> str:
        self.wait("page http")
        found = re.search(r"page (http://\S+)", self.text)
        assert found
        return found[1]

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.end()

    def end(self) -> int:
        code = self.process.wait(60)
        self._thread.join()
        return code


@contextlib.contextmanager
def demo(folder: Path, *arguments: str) -> Iterator[Demo]:
    running = Demo(folder, *arguments)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
        running.end()


def test_within_15_seconds_an_incident_fires_is_told_and_resolves(tmp_path: Path) -> None:
    with demo(tmp_path, "--listen", "127.0.0.1:0") as running:
        fired = running.wait(r"FIRING +pg-deadlocks  \S+@shop  \d+ deadlocks in 40 s, limit 5")
        told = running.wait(r"DELIVERED #platform  \d+ ms  post: pg-deadlocks")
        over = running.wait(r"RESOLVED +pg-deadlocks  \S+@shop  lasted \d+ s, peak \d+ deadlocks")
        edited = running.wait(r"DELIVERED #platform  \d+ ms  update: pg-deadlocks")
        replied = running.wait(r"DELIVERED #platform  \d+ ms  reply: pg-deadlocks")
        assert running.interrupt() == 0
    assert fired <= told < over <= edited <= replied < 15.0, running.text
    lines = running.text.splitlines()
    assert lines[0] == "Recorded telemetry at 15x. Nothing leaves this computer."
    assert lines[1].endswith("   Slack stand-in: /slack")
    events = [EVENT.fullmatch(line) for line in lines[2:-2]]
    assert all(events), running.text
    seconds = [int(event[1]) for event in events if event]
    assert seconds == sorted(seconds)
    assert lines[-1].startswith("next: ")
    summary = SUMMARY.fullmatch(lines[-2])
    assert summary, lines[-2]
    counts = [int(n) for n in summary.groups()]
    words = [event[2] for event in events if event]
    assert counts[2] == words.count("FIRING")
    assert counts[3] == words.count("RESOLVED")
    assert counts[4] == words.count("DELIVERED")


def test_json_is_one_object_of_numbers_above_zero(tmp_path: Path) -> None:
    began = time.monotonic()
    done = type_there("sre-obs demo --exit-after 20s -o json --listen 127.0.0.1:0", tmp_path)
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert list(found) == ["documents", "rules", "fired", "resolved", "delivered"]
    assert all(isinstance(n, int) and n > 0 for n in found.values()), found
    assert 20 <= time.monotonic() - began < 40
    assert "FIRING" in done.err
    assert list(tmp_path.iterdir()) == []
    # From then on what fires only goes stale: the demo says so, once.
    assert done.err.count("The recording is over") == 1


def test_the_page_and_the_messages_can_be_looked_at(tmp_path: Path) -> None:
    with demo(tmp_path, "--listen", "127.0.0.1:0") as running:
        address = running.address()
        running.wait("DELIVERED .*post: pg-deadlocks")
        with _open(f"{address}/slack", timeout=20) as answer:
            page = answer.read().decode()
            assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "#platform" in page
        assert "PostgreSQL deadlocks" in page
        with _open(f"{address}/slack/style.css", timeout=20) as answer:
            assert answer.headers["content-type"].startswith("text/css")
        with _open(f"{address}/", timeout=20) as answer:
            assert "PostgreSQL deadlocks" in answer.read().decode()
        assert running.interrupt() == 0


def test_a_port_that_is_taken_is_said_and_another_is_used(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        # If somebody else has it, it is taken as well.
        with contextlib.suppress(OSError):
            stack.enter_context(socket.create_server(("127.0.0.1", 9093)))
        running = stack.enter_context(demo(tmp_path))
        address = running.address()
        assert running.lines[0][1] == "Port 9093 is taken: the page gets another one."
        assert not address.endswith(":9093")
        with _open(f"{address}/-/ready", timeout=20) as answer:
            assert answer.status == 200
        assert running.interrupt() == 0


def test_an_address_that_is_taken_is_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = type_there(f"sre-obs demo --listen {address} -o json", tmp_path)
    assert done.code == 1
    assert "can't listen on" in json.loads(done.out)["error"]["message"]
