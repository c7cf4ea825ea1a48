"""One killed delivery: an alert is posted, the daemon is killed at a chosen point, started
again, and sent the same alert once more. What arrived is counted at the receiver."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sre_obs.app.demo.slack_standin import StandIn
from tests.daemon import Daemon, fire

PATIENCE = 30.0


class Point(StrEnum):
    """Where the process dies."""

    BEFORE_COMMIT = "before commit"
    AFTER_COMMIT = "after commit"
    AFTER_SEND = "after the HTTP send"
    BEFORE_STORED = "before the answer is stored"


@dataclass(frozen=True)
class Result:
    """What one kill did. `arrived` counts the messages that tell of the alert."""

    point: Point
    accepted: bool  # the POST was answered 200
    sent_unanswered: bool  # Slack had the message when the process died without knowing
    arrived: int


def routes(slack: StandIn) -> str:
    """Each alert is a group of its own, told at once."""
    return f"""
global: {{slack_app_url: "{slack.api_url}", slack_app_token: xoxb-stand-in}}
route: {{receiver: ops, group_by: ["..."], group_wait: 0s, group_interval: 1s}}
receivers:
  - name: ops
    slack_configs: [{{channel: "#alerts"}}]
"""


def kill_once(folder: Path, slack: StandIn, seed: int) -> Result:
    """Kill at a point and a moment that `seed` chooses."""
    chance = random.Random(seed)
    point = list(Point)[seed % len(Point)]
    name = f"kill-{seed}"
    before = len(slack.calls)
    gate = slack.block("chat.postMessage", after=True) if point is Point.AFTER_SEND else None
    accepted: list[int] = []

    def post() -> None:
        try:
            accepted.append(daemon.alert(fire(name)))
        except OSError:
            accepted.append(0)  # it died with our request in its hands

    daemon = Daemon(folder, routes(slack)).start()
    poster = threading.Thread(target=post)
    poster.start()
    if point is Point.BEFORE_COMMIT:
        time.sleep(chance.uniform(0.0, 0.004))
    elif point is Point.AFTER_COMMIT:
        poster.join()
        time.sleep(chance.uniform(0.0, 0.002))
    elif gate is not None:
        assert gate.wait_reached(PATIENCE)
    else:
        assert slack.wait_calls(before + 1, PATIENCE, method="chat.postMessage")
        time.sleep(chance.uniform(0.0, 0.001))
    daemon.kill()
    poster.join()
    arrived_before = told(slack)[name]
    knew = _stored_as_sent(folder, name)
    if gate is not None:
        gate.release()
    with daemon:
        daemon.alert(fire(name))
        settle(daemon)
    return Result(
        point=point,
        accepted=accepted == [200],
        sent_unanswered=arrived_before > 0 and not knew,
        arrived=told(slack)[name],
    )


def settle(daemon: Daemon) -> None:
    """Wait until nothing is left to deliver, and the disk knows it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        text = daemon.request("GET", "/metrics")[1]
        left = any(line.startswith("sre_obs_outbox_rows{") for line in text.splitlines())
        if not left and "\nsre_obs_store_waiting_commits 0.0\n" in text:
            return
        time.sleep(0.02)
    raise AssertionError("deliveries are left:\n" + text + "\n".join(daemon.log[-20:]))


def told(slack: StandIn) -> Counter[str]:
    """How many messages (not replies) tell of each alert."""
    names: Counter[str] = Counter()
    for message in slack.messages():
        if not message.thread_ts:
            names.update(word.rstrip(":") for word in message.text.split() if word[:5] == "kill-")
    return names


def _stored_as_sent(folder: Path, name: str) -> bool:
    """Whether the store knows that the delivery was answered, as the next start will."""
    store = sqlite3.connect(f"file:{folder / 'data' / 'state.db'}?mode=ro", uri=True)
    with closing(store):
        rows = store.execute(
            "SELECT 1 FROM deliveries WHERE finished_at IS NOT NULL AND group_key LIKE ?",
            (f'%"{name}"%',),
        )
        return rows.fetchone() is not None
