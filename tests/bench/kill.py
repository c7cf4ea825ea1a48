"""Killed deliveries by the hundred: ``python -m tests.bench.kill [--runs 500] [--jobs 2]``.

Slack can be asked whether a message came, so nothing may be lost and nothing repeated, at
whichever point the process died; the runs that count most are those in which Slack had the
message and the disk did not know. A webhook can't be asked: what was under way when the
process died may come twice, what was answered a second earlier may not, though all alerts
are sent again after the start.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from sre_obs.app.demo.slack_standin import StandIn
from tests.bench.table import heading, row
from tests.crash.kills import Point, Result, kill_once, settle
from tests.daemon import Daemon, fire
from tests.receiver import Receiver

T = TypeVar("T")
ANSWERED_BEFORE = 1.0  # seconds; what was answered so long before the kill is on disk


@dataclass(frozen=True)
class Flow:
    """One kill in the middle of a flow of alerts to a webhook."""

    accepted: int
    lost: int
    in_doubt: int  # answered less than a second before the kill, or not at all
    repeated_in_doubt: int
    repeated: int  # of those that were answered earlier


def on_slack(seed: int) -> Result:
    """One killed delivery."""
    with TemporaryDirectory() as folder, StandIn(channels=("alerts",)) as slack:
        return kill_once(Path(folder), slack, seed)


def on_webhook(seed: int) -> Flow:
    """A flow of one-alert groups, killed between one and two seconds after it began."""
    chance = random.Random(seed)
    accepted: list[str] = []
    ended = threading.Event()

    def flow() -> None:
        number = 0
        while not ended.is_set():
            name = f"flow-{seed}-{number}"
            try:
                if daemon.alert(fire(name)) == 200:
                    accepted.append(name)
            except OSError:
                return  # it died with our request in its hands
            number += 1
            time.sleep(chance.uniform(0.0, 0.02))

    with TemporaryDirectory() as folder, Receiver() as hook:
        daemon = Daemon(Path(folder), _routes(hook)).start()
        poster = threading.Thread(target=flow)
        poster.start()
        time.sleep(ANSWERED_BEFORE + chance.uniform(0.2, 1.0))
        daemon.kill()
        killed = time.time()
        ended.set()
        poster.join()
        early = {
            name
            for call in list(hook.calls)
            if call.at < killed - ANSWERED_BEFORE
            for name in call.names
        }
        with daemon:
            daemon.alert(*(fire(name) for name in accepted))
            settle(daemon)
        came = Counter(name for call in hook.calls for name in call.names)
    return Flow(
        accepted=len(accepted),
        lost=sum(came[name] == 0 for name in accepted),
        in_doubt=len(set(accepted) - early),
        repeated_in_doubt=sum(came[name] > 1 for name in set(came) - early),
        repeated=sum(came[name] > 1 for name in early),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=500, help="on Slack; a fifth on a webhook")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--quick", action="store_true", help="20 runs")
    chosen = parser.parse_args()
    runs = 20 if chosen.quick else chosen.runs
    seeds = range(chosen.first, chosen.first + runs)
    slack_table(list(_all(on_slack, seeds, chosen.jobs)))
    webhook_table(list(_all(on_webhook, seeds[: max(runs // 5, 4)], chosen.jobs)))


def slack_table(results: list[tuple[int, Result]]) -> None:
    heading("Slack, killed", "", "runs", "accepted", "not stored", "lost", "repeated")
    for point in (*Point, None):
        of_point = [r for _, r in results if point in (r.point, None)]
        row(
            str(point or "all"),
            len(of_point),
            sum(r.accepted for r in of_point),
            sum(r.sent_unanswered for r in of_point),
            sum(r.arrived == 0 for r in of_point),
            sum(r.arrived > 1 for r in of_point),
        )
    print("not stored: Slack had the message, and the disk did not know")
    for seed, result in results:
        if result.arrived != 1:
            print(f"seed {seed}: {result}")


def webhook_table(results: list[tuple[int, Flow]]) -> None:
    columns = ("", "runs", "accepted", "lost", "in doubt", "of it twice", "repeated")
    heading("webhook, killed in a flow of alerts", *columns)
    flows = [flow for _, flow in results]
    row(
        "all",
        len(flows),
        sum(f.accepted for f in flows),
        sum(f.lost for f in flows),
        sum(f.in_doubt for f in flows),
        sum(f.repeated_in_doubt for f in flows),
        sum(f.repeated for f in flows),
    )
    print("repeated: of those that were answered a second before the kill")
    for seed, flow in results:
        if flow.lost or flow.repeated:
            print(f"seed {seed}: {flow}")


def _all(once: Callable[[int], T], seeds: range, jobs: int) -> Iterator[tuple[int, T]]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        yield from pool.map(partial(_numbered, once), seeds)


def _numbered(once: Callable[[int], T], seed: int) -> tuple[int, T]:
    return seed, once(seed)


def _routes(hook: Receiver) -> str:
    return f"""
route: {{receiver: hook, group_by: ["..."], group_wait: 0s, group_interval: 1h}}
receivers:
  - name: hook
    webhook_configs: [{{url: "{hook.url}"}}]
"""


if __name__ == "__main__":
    main()
