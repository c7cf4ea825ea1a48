"""The stand-in in a process of its own: what a crash test scripts, and counts afterwards."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import RemoteDisconnected
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient

from sre_obs.app.demo.slack_standin import StandIn

POST = "chat.postMessage"


@contextmanager
def running(*args: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A stand-in's process and its address."""
    command = [sys.executable, "-m", "sre_obs.app.demo.slack_standin", "--port", "0", *args]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def control(url: str, wish: dict[str, Any] | None = None, host: str = "") -> dict[str, Any]:
    data = None if wish is None else json.dumps(wish).encode()
    request = urllib.request.Request(f"{url}/control", data=data)
    if host:
        request.add_header("Host", host)
    with urllib.request.urlopen(request, timeout=10) as answer:
        parsed = json.load(answer)
    assert isinstance(parsed, dict)
    return parsed


def client_of(url: str) -> WebClient:
    return WebClient("xoxb-stand-in", base_url=f"{url}/api/", retry_handlers=[])


def test_messages_survive_a_kill_and_the_next_process_goes_on_from_them(tmp_path: Path) -> None:
    state = tmp_path / "slack.ndjson"
    with running("--state", str(state), "--channel", "pay") as (process, url):
        client = client_of(url)
        kept = client.chat_postMessage(channel="#pay", text="one")
        client.chat_update(channel=kept["channel"], ts=kept["ts"], text="two")
        gone = client.chat_postMessage(channel="#pay", text="gone")
        client.chat_delete(channel=gone["channel"], ts=gone["ts"])
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    with state.open("a") as file:
        file.write('{"cut short')

    with running("--state", str(state), "--channel", "pay") as (_, url):
        assert [m["text"] for m in control(url)["messages"]] == ["two"]
        client_of(url).chat_update(channel=kept["channel"], ts=kept["ts"], text="three")
        newer = client_of(url).chat_postMessage(channel="#pay", text="newer")
        assert newer["ts"] > kept["ts"]
        assert [m["text"] for m in control(url)["messages"]] == ["three", "newer"]


def test_faults_gates_and_scopes_are_scripted_from_outside() -> None:
    with running() as (_, url):
        client = client_of(url)
        control(url, {"fail": {"method": POST, "fault": {"kind": "drop after"}}})
        with pytest.raises(RemoteDisconnected):
            client.chat_postMessage(channel="alerts", text="lost answer")

        gate = control(url, {"block": {"method": POST, "after": True}})["gate"]
        caller = threading.Thread(
            target=client.chat_postMessage, kwargs={"channel": "alerts", "text": "held"}
        )
        caller.start()
        assert control(url, {"wait": {"gate": gate}})["reached"]
        assert [m["text"] for m in control(url)["messages"]] == ["lost answer", "held"]
        control(url, {"release": {"gate": gate}})
        caller.join(10)

        control(url, {"scopes": ["chat:write"]})
        assert client.auth_test().headers["x-oauth-scopes"] == "chat:write"
        calls = control(url)["calls"]
        assert [(c["method"], c["status"]) for c in calls] == [
            (POST, 0),
            (POST, 200),
            ("auth.test", 200),
        ]


def test_a_wish_that_is_not_understood_is_answered_with_the_reason() -> None:
    with StandIn(control=True) as standin, pytest.raises(urllib.error.HTTPError) as caught:
        control(standin.url, {"fail": {"method": POST, "fault": {"kind": "nonsense"}}})
    with caught.value as answer:
        assert (answer.code, "nonsense" in answer.read().decode()) == (400, True)


def test_control_is_refused_under_another_hosts_name() -> None:
    with StandIn(control=True) as standin, pytest.raises(urllib.error.HTTPError) as caught:
        control(standin.url, host="rebound.example:80")
    with caught.value as answer:
        assert answer.code == 403


def test_there_is_no_control_unless_asked_for() -> None:
    with StandIn() as standin, pytest.raises(urllib.error.HTTPError) as caught:
        control(standin.url)
    with caught.value as answer:
        assert answer.code == 404


def test_the_process_ends_with_its_standard_input() -> None:
    with running() as (process, _):
        assert process.stdin
        process.stdin.close()
        assert process.wait(10) == 0
