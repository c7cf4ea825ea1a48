"""The daemon as a process: no room on the disk, hostile callers, receivers that hang."""

from __future__ import annotations

import json
import resource
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.crash.kills import settle
from tests.daemon import Daemon, fire
from tests.faults.liar import lying
from tests.receiver import Receiver

pytestmark = pytest.mark.crash

NOBODY = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


def routes(receiver: Receiver, wait: str = "0s") -> str:
    return f"""
route: {{receiver: hook, group_by: [alertname], group_wait: {wait}, group_interval: 1s}}
receivers:
  - name: hook
    webhook_configs: [{{url: "{receiver.url}"}}]
"""


def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for it."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


@contextmanager
def no_room(daemon: Daemon) -> Iterator[None]:
    """No file of the daemon can grow: to SQLite that is a full disk (a quota)."""
    limit = resource.RLIMIT_FSIZE
    before = resource.prlimit(daemon.pid, limit)
    resource.prlimit(daemon.pid, limit, (4_096, before[1]))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # it was killed meanwhile
            resource.prlimit(daemon.pid, limit, before)


def test_without_room_nothing_is_promised_or_sent_and_with_it_nothing_is_missing(
    tmp_path: Path,
) -> None:
    with Receiver() as hook, Daemon(tmp_path, routes(hook)) as daemon:
        daemon.alert(fire("before"))
        hook.wait(1)
        settle(daemon)
        with no_room(daemon):
            status, text = daemon.post("/api/v2/alerts", [fire("during")])
            assert status == 503
            assert "no room" in text
            # It says so to whoever asks, and goes on answering.
            until(lambda: daemon.request("GET", "/-/ready")[0] == 503)
            assert "no room" in daemon.request("GET", "/-/ready")[1]
            assert "sre_obs_store_up 0.0" in daemon.request("GET", "/metrics")[1]
            assert daemon.request("GET", "/")[0] == 200
            assert daemon.alert(fire("during")) == 503
            assert len(hook.calls) == 1
        # What was answered 503 is not lost either: it goes out once there is room.
        calls = hook.wait(2)
        until(lambda: daemon.request("GET", "/-/ready")[0] == 200)
        assert daemon.alert(fire("during"), fire("after")) == 200
        hook.wait(3)
        settle(daemon)
        assert [name for call in calls for name in call.names] == ["before", "during"]
        assert any("no room" in line for line in daemon.log)
        daemon.kill()
        with daemon.start():
            names = {a["labels"]["alertname"] for a in daemon.get("/api/v2/alerts")}
            assert names == {"before", "during", "after"}
    assert len(hook.calls) == 3


def test_a_kill_while_there_is_no_room_loses_nothing_that_was_promised(tmp_path: Path) -> None:
    with Receiver() as hook, Daemon(tmp_path, routes(hook)) as daemon:
        for n in range(5):
            assert daemon.alert(fire(f"promised-{n}")) == 200
        hook.wait(5)
        settle(daemon)
        with no_room(daemon):
            assert daemon.alert(fire("refused")) == 503
            daemon.kill()
    with Receiver() as hook, Daemon(tmp_path, routes(hook)) as daemon:
        names = {a["labels"]["alertname"] for a in daemon.get("/api/v2/alerts")}
        assert names == {f"promised-{n}" for n in range(5)}
        assert daemon.alert(fire("refused")) == 200
        assert hook.wait(1)[0].names == ["refused"]


def test_a_damaged_store_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with Daemon(tmp_path, NOBODY) as daemon:
        daemon.alert(fire("a"))
    file = tmp_path / "data" / "state.db"
    with closing(sqlite3.connect(file)) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with file.open("r+b") as raw:
        raw.seek(100)
        raw.write(b"\xff" * 8_000)
    with pytest.raises(AssertionError) as refused:
        Daemon(tmp_path, NOBODY).start()
    text = str(refused.value)
    assert "the store is damaged" in text
    assert "put a backup in its place" in text
    assert "Traceback" not in text


def test_a_post_of_ten_mebibytes_is_taken_and_a_larger_one_refused(tmp_path: Path) -> None:
    def body(size: int) -> bytes:
        alerts = [
            {**fire(f"a{n}"), "annotations": {"summary": "x" * 100_000}}
            for n in range(size // 100_200)
        ]
        return json.dumps(alerts).encode()

    arguments = ("--set", f"max_body={11 * 2**20}")
    with Daemon(tmp_path, NOBODY, arguments=arguments) as daemon:
        fits = body(10 * 2**20)
        assert daemon.request("POST", "/api/v2/alerts", fits)[0] == 200
        before = daemon.get("/api/v2/alerts")
        host, port = daemon.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10.0) as caller:
            head = f"POST /api/v2/alerts HTTP/1.1\r\nHost: {host}\r\nContent-Length: {12 * 2**20}"
            caller.sendall(head.encode() + b"\r\n\r\n[")
            answer = caller.recv(10_000)
            assert answer.startswith(b"HTTP/1.1 413 ")
        assert len(daemon.get("/api/v2/alerts")) == len(before) == 10 * 2**20 // 100_200
        assert daemon.request("GET", "/-/healthy")[0] == 200


def test_a_hundred_thousand_alerts_in_one_post(tmp_path: Path) -> None:
    """Taken whole, on disk before the answer, while the probes are answered in time."""
    body = json.dumps([fire("flood", host=f"h{n}") for n in range(100_000)]).encode()
    with Daemon(tmp_path, NOBODY) as daemon:
        statuses: list[int] = []
        post = threading.Thread(
            target=lambda: statuses.append(
                daemon.request("POST", "/api/v2/alerts", body, timeout=60.0)[0]
            )
        )
        post.start()
        slowest = 0.0
        while post.is_alive():
            began = time.monotonic()
            assert daemon.request("GET", "/-/healthy", timeout=30.0)[0] == 200
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.05)
        assert statuses == [200]
        # A kubelet's probe that takes ten seconds kills the process.
        assert slowest < 8.0
        daemon.kill()
        with daemon.start():
            text = daemon.request("GET", "/metrics", timeout=60.0)[1]
            assert 'sre_obs_alerts{state="active"} 100000.0' in text


def test_callers_that_never_finish_hinder_nobody(tmp_path: Path) -> None:
    with Receiver() as hook, Daemon(tmp_path, routes(hook)) as daemon:
        host, port = daemon.url.removeprefix("http://").split(":")
        slow: list[socket.socket] = []
        try:
            for n in range(300):
                one = socket.create_connection((host, int(port)))
                slow.append(one)
                if n % 3 == 0:
                    one.sendall(b"POST /api/v2/alerts HTTP/1.1\r\nHost: 127.0.0.1\r\n")
                elif n % 3 == 1:
                    one.sendall(
                        b"POST /api/v2/alerts HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                        b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n["
                    )
            began = time.monotonic()
            assert daemon.alert(fire("quick")) == 200
            hook.wait(1)
            assert time.monotonic() - began < 5.0
            assert daemon.request("GET", "/-/ready")[0] == 200
        finally:
            for one in slow:
                one.close()
        began = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - began < 10.0


def test_receivers_that_hang_delay_no_other(tmp_path: Path) -> None:
    """Nine of them, each with all that it may have under way."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as hole, Receiver() as hook:
        url = f"http://127.0.0.1:{hole.getsockname()[1]}/"
        hung = [f"hang-{n}" for n in range(9)]
        tree = "\n".join(
            f"    - {{receiver: {name}, matchers: ['team=\"{name}\"'], continue: true}}"
            for name in hung
        )
        receivers = "\n".join(
            f'  - {{name: {name}, webhook_configs: [{{url: "{url}"}}]}}' for name in hung
        )
        text = f"""
route:
  receiver: hook
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  routes:
{tree}
receivers:
  - name: hook
    webhook_configs: [{{url: "{hook.url}"}}]
{receivers}
"""
        with Daemon(tmp_path, text) as daemon:
            daemon.alert(*(fire(f"x{n}", team=name) for name in hung for n in range(8)))
            time.sleep(0.5)  # by now they all hang
            for n in range(10):
                began = time.monotonic()
                daemon.alert(fire(f"good-{n}"))
                hook.wait(n + 1)
                assert time.monotonic() - began < 2.0
            daemon.kill()  # a stop would wait for those that hang


def test_a_rule_never_reaches_what_is_not_allowed(tmp_path: Path) -> None:
    """Whatever its file says; the overrides can't say it at all."""

    good = """\
title: t
kind: query
index: {index}
query: 'message: error'
from: now-1h
interval: 1s
severity: warning
"""
    folder = tmp_path / "rules" / "app"
    folder.mkdir(parents=True)
    indices = (
        '".kibana"',
        '"*"',
        "_all",
        "west:logs-*",
        "secrets",
        '"logs-*,.kibana"',
        '"-logs-*"',
    )
    for n, index in enumerate(indices):
        (folder / f"bad-{n}.yml").write_text(good.format(index=index))
    (folder / "good.yml").write_text(good.format(index="logs-app-*"))
    overrides = tmp_path / "overrides.yml"
    with lying() as (liar, url):
        asked: set[str] = set()
        inner = liar.answer

        def answer(path: str, body: bytes) -> tuple[int, object]:
            if path.startswith("/_msearch"):
                asked.update(json.loads(line)["index"][0] for line in body.splitlines()[::2])
            elif "_field_caps" in path:
                asked.add(path.split("/")[1].replace("%2A", "*").replace("%2a", "*"))
            return inner(path, body)

        liar.answer = answer  # type: ignore[method-assign]
        arguments = (
            *("--rules", str(tmp_path / "rules"), "--overrides", str(overrides)),
            *("--set", f"sources.default.hosts={url}"),
        )
        overrides.write_text("rules: {}\n")
        with Daemon(tmp_path, NOBODY, arguments=arguments) as daemon:
            until(lambda: liar.searched > 2)
            page = daemon.request("GET", "/about")[1]
            assert all(f"bad-{n}.yml" in page for n in range(len(indices)))
            overrides.write_text('rules:\n  "app/good": {index: .kibana}\n')
            status, text = daemon.post("/-/reload", None)
            assert status == 500
            assert "index" in text
            searched = liar.searched
            until(lambda: liar.searched > searched + 1)
    assert asked == {"logs-app-*"}
