"""The stand-in itself: a workspace, what is scripted to go wrong, and a log of the calls."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sre_obs.adapters.clock import Clock, SystemClock
from sre_obs.app.demo.slack.faults import Answer, Fault, FaultKind, Gate, Script, wrong
from sre_obs.app.demo.slack.journal import Journal
from sre_obs.app.demo.slack.limits import Refused
from sre_obs.app.demo.slack.listener import Server
from sre_obs.app.demo.slack.page import inline_style, linked_style, page
from sre_obs.app.demo.slack.page import stylesheet as page_css
from sre_obs.app.demo.slack.rates import Rates
from sre_obs.app.demo.slack.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method. Times are of the clock's `now` and of its `timer`."""

    method: str
    args: Mapping[str, Any]
    at: float
    timer: float
    status: int  # 0: the connection was closed without an answer
    error: str  # Slack's error, empty for ok
    ts: str = ""  # of the message that it made or changed
    fault: FaultKind | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """A message as it stands now."""

    channel: str  # id
    channel_name: str
    ts: str
    text: str
    blocks: tuple[Mapping[str, Any], ...]
    metadata: Mapping[str, Any]  # event_type, event_payload; empty without
    thread_ts: str  # empty unless it is a reply
    broadcast: bool
    user: str


class StandIn:
    """Slack on 127.0.0.1, from construction to `close`; a context manager too.

    `channels` are names, with or without #. `api_url` is what slack_sdk takes as
    `base_url`. With `state` each change is also written to that file, and taken over
    from it at the start. With `control` the server answers /control (see `control`): for
    a test that runs it in another process, never for the demo.
    """

    def __init__(
        self,
        channels: Iterable[str] = ("alerts",),
        *,
        token: str = "xoxb-stand-in",  # noqa: S107 (it guards nothing)
        port: int = 0,
        clock: Clock | None = None,
        rate_limits: bool = False,
        state: Path | None = None,
        control: bool = False,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.script = Script()
        self.gates: list[Gate] = []  # those that /control made, by number
        self._journal = Journal(state) if state else None
        self.workspace = Workspace(channels, token, self._record)
        if self._journal:
            for change in self._journal.replay():
                self.workspace.restore(change)
        self._calls: deque[Call] = deque(maxlen=100_000)
        self._called = threading.Condition()
        self._rates = Rates() if rate_limits else None
        self._rates_lock = threading.Lock()
        self._closing = threading.Event()
        self._server = Server(self, port, control)
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.api_url = f"{self.url}/api/"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="slack-stand-in"
        )
        self._thread.start()

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop; calls that hang or wait at a gate end without an answer."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()
        if self._journal:
            self._journal.close()

    # What a test sets up.

    def fail_next(self, method: str, fault: Fault, times: int = 1) -> None:
        """The next `times` calls of `method` ("chat.postMessage") go wrong like this."""
        self.script.fail_next(method, fault, times)

    def block(self, method: str, *, after: bool = False) -> Gate:
        """Hold the next call of `method`, before it is taken or `after`, until released."""
        return self.script.block(method, after=after)

    def person_says(self, channel: str, text: str, *, thread_ts: str = "") -> str:
        """A person writes into a channel; the message's ts. Raises Refused."""
        return self.workspace.say(channel, text, self.clock.now(), thread_ts=thread_ts)

    # What a test looks at.

    @property
    def calls(self) -> tuple[Call, ...]:
        """All calls so far, in the order in which they were answered."""
        with self._called:
            return tuple(self._calls)

    def messages(self, channel: str = "", *, bot_only: bool = True) -> list[Posted]:
        """Messages as they stand, oldest first: of one channel (name or id) or of all."""
        wanted = self.workspace.find(channel).id if channel else ""
        found = [
            Posted(
                channel=c.id,
                channel_name=c.name,
                ts=m["ts"],
                text=m.get("text", ""),
                blocks=tuple(m.get("blocks", ())),
                metadata=m.get("metadata", {}),
                thread_ts=m["thread_ts"] if m.get("thread_ts", m["ts"]) != m["ts"] else "",
                broadcast=m.get("subtype") == "thread_broadcast",
                user=m.get("user", ""),
            )
            for c, messages in self.workspace.everything()
            for m in messages
            if wanted in ("", c.id) and not (bot_only and "bot_id" not in m)
        ]
        return sorted(found, key=lambda m: m.ts)

    def page_html(self, nonce: str = "", *, stylesheet: str = "/slack/style.css") -> str:
        """All messages as a person would see them: a whole page, its style in a style
        element with `nonce` or, without one, linked from the path `stylesheet`. Raises
        ValueError for a nonce that is none."""
        style = inline_style(nonce) if nonce else linked_style(stylesheet)
        return page(self.workspace.everything(), style)

    def stylesheet(self) -> str:
        """The page's CSS, for whoever serves it from a path."""
        return page_css()

    def wait_calls(self, count: int, seconds: float = 10.0, *, method: str = "") -> bool:
        """Whether there are so many calls (of that method) within so many seconds."""

        def enough() -> bool:
            return sum(1 for c in self._calls if method in ("", c.method)) >= count

        with self._called:
            return self._called.wait_for(enough, seconds)

    # One call, from the server's threads.

    def answer(self, method: str, token: str, args: Mapping[str, Any]) -> Answer | None:
        """What to answer, or None to close the connection without a word."""
        fault = self.script.take(method)
        gate = self.script.gate(method, after=False)
        if gate and not self._wait(gate.released):
            return self._log(method, args, fault, None)
        if fault and fault.kind is FaultKind.HANG:
            self._closing.wait(fault.seconds)
            return self._log(method, args, fault, None)
        if fault and fault.kind is FaultKind.DROP_BEFORE:
            return self._log(method, args, fault, None)
        if fault and not fault.stores:
            return self._log(method, args, fault, wrong(fault))
        answer = self._limited(method, args) or self._taken(method, token, args)
        gate = self.script.gate(method, after=True)
        if gate and not self._wait(gate.released):
            return self._log(method, args, fault, None, answer)
        if fault and fault.kind is FaultKind.SLOW:
            self._closing.wait(fault.seconds)
        elif fault and fault.kind is FaultKind.DROP_AFTER:
            return self._log(method, args, fault, None, answer)
        elif fault:
            return self._log(method, args, fault, wrong(fault), answer)
        return self._log(method, args, fault, answer, answer)

    def _taken(self, method: str, token: str, args: Mapping[str, Any]) -> Answer:
        headers = {"x-oauth-scopes": ",".join(sorted(self.workspace.scopes))}
        try:
            body = self.workspace.call(method, token, args, self.clock.now())
        except Refused as refused:
            body = {"ok": False, "error": refused.error, **refused.more}
            if refused.error in ("not_authed", "invalid_auth"):
                headers = {}
        return Answer(200, body, headers)

    def _limited(self, method: str, args: Mapping[str, Any]) -> Answer | None:
        if self._rates is None:
            return None
        with self._rates_lock:
            wait = self._rates.wait(method, str(args.get("channel", "")), self.clock.timer())
        return wrong(Fault.rate_limited(wait)) if wait else None

    def _wait(self, released: threading.Event) -> bool:
        while not self._closing.is_set():
            if released.wait(0.05):
                return True
        return False

    def _log(
        self,
        method: str,
        args: Mapping[str, Any],
        fault: Fault | None,
        answer: Answer | None,
        taken: Answer | None = None,
    ) -> Answer | None:
        body = answer.body if answer and isinstance(answer.body, dict) else {}
        made = taken.body if taken and isinstance(taken.body, dict) else {}
        call = Call(
            method=method,
            args=args,
            at=self.clock.now(),
            timer=self.clock.timer(),
            status=answer.status if answer else 0,
            error=str(body.get("error", "")),
            ts=str(made.get("ts", "")),
            fault=fault.kind if fault else None,
        )
        with self._called:
            self._calls.append(call)
            self._called.notify_all()
        return answer

    def _record(self, change: Mapping[str, Any]) -> None:
        if self._journal:
            self._journal.append(change)
