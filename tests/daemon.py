"""The daemon as a process of its own: started, spoken to, stopped or killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

START = 60.0  # seconds; a loaded machine takes a while to import everything

# As words on a terminal, in the message of a JSON line elsewhere.
_READY = re.compile(r"\bready   (http://[^\s,;\"]+)")
_open = build_opener(ProxyHandler({})).open


class Daemon:
    """``sre-obs run`` in a child process. `folder` holds its files, `routes` is the text."""

    def __init__(
        self,
        folder: Path,
        routes: str = "",
        *,
        arguments: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
        wrap: Sequence[str] = (),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.routes = folder / "routes.yml"
        if routes:
            self.routes.write_text(routes)
        self._wrapped = bool(wrap)
        self._arguments = [
            # A test run that is killed takes its daemons along.
            *("setpriv", "--pdeathsig", "KILL"),
            *wrap,
            *(sys.executable, "-m", "sre_obs.app.cli", "run"),
            *("--data", str(folder / "data"), "--listen", "127.0.0.1:0"),
            *(("--routes", str(self.routes)) if self.routes.exists() else ()),
            *arguments,
        ]
        clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        self._environ = {**clean, **(environ or {})}
        self.url = ""
        self.log: list[str] = []
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Daemon:
        running = self._process is not None and self._process.poll() is None
        return self if running else self.start()

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()

    def start(self) -> Daemon:
        """Start, and wait until it says that it is ready."""
        self._process = subprocess.Popen(
            self._arguments,
            env=self._environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
        )
        ready = threading.Event()
        self.url = ""
        threading.Thread(target=self._read, args=(self._process, ready), daemon=True).start()
        if not ready.wait(START) or not self.url:
            self._process.kill()
            self._process.wait()
            raise AssertionError("the daemon did not start:\n" + "\n".join(self.log))
        return self

    @property
    def pid(self) -> int:
        """The daemon's process id, also when it runs under `wrap`."""
        assert self._process is not None
        if not self._wrapped:
            return self._process.pid
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return int(children.read_text().split()[0])

    def stop(self, seconds: float = 20.0) -> int:
        """SIGTERM, and the exit code."""
        assert self._process is not None
        os.kill(self.pid, signal.SIGTERM)
        return self._process.wait(seconds)

    def kill(self) -> None:
        """SIGKILL: it gets no chance to do anything."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Any other signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def get(self, path: str) -> Any:
        """The JSON answer to a GET."""
        return json.loads(self.request("GET", path)[1])

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        """Status and JSON answer of a POST."""
        status, text = self.request("POST", path, json.dumps(body).encode())
        return status, json.loads(text or "null")

    def alert(self, *alerts: Mapping[str, Any]) -> int:
        """POST alerts; the status."""
        return self.post("/api/v2/alerts", list(alerts))[0]

    def request(
        self, method: str, path: str, body: bytes | None = None, timeout: float = 20.0
    ) -> tuple[int, str]:
        """Status and text of any request."""
        headers = {"content-type": "application/json"}
        request = Request(self.url + path, body, headers, method=method)
        try:
            with _open(request, timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def _read(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                self.log.append(line.rstrip())
                if said := _READY.search(line):
                    self.url = said[1]
                    ready.set()
        ready.set()


def message(line: str) -> str:
    """What a line of the log says: it is ECS JSON, since nobody sits at a terminal."""
    try:
        event = json.loads(line)
    except ValueError:
        return line
    return str(event.get("message", "")) if isinstance(event, dict) else line


def fire(name: str, **labels: str) -> dict[str, Any]:
    """An alert that fires, as the API takes it."""
    return {"labels": {"alertname": name, "severity": "warning", **labels}}
