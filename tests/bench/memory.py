"""Resident memory: idle, with 100,000 alerts in 100 groups, and with one group for each.

Each case is a fresh process of ours and of Alertmanager's; the groups wait an hour, then the
last case is repeated with every group told once, as after a storm. Children count too (ours
keeps none while no template is rendered). Goal: 100,000 one-alert groups in at most 500 MiB.
"""

from __future__ import annotations

from contextlib import ExitStack

from tests.bench.alerts import Client, batches, make_alerts
from tests.bench.servers import Alertmanager, Ours, Server, resident, routes
from tests.bench.sink import Sink
from tests.bench.table import folder, heading, options, row

LONG = "2h"


def measure(count: int, group_by: str, group_wait: str) -> list[float]:
    """MiB of ours and of Alertmanager once they hold `count` alerts and have sent what is due."""
    sizes: list[float] = []
    for make in (Ours, Alertmanager):
        with folder() as made, ExitStack() as stack:
            sink = stack.enter_context(Sink())
            text = routes(sink.url, group_by=group_by, group_wait=group_wait)
            server: Server = make(made / "it", text)
            stack.enter_context(server)
            client = stack.enter_context(Client(server.url))
            for batch in batches(make_alerts(count, 100), 1_000):
                client.send(client.request(batch))
            told = 0
            while group_wait == "0s" and told < count:
                told += len(sink.next().pods)
            sizes.append(resident(server.pid))
    return sizes


def main() -> None:
    chosen = options(__doc__)
    count = 10_000 if chosen.quick else 100_000
    heading("MiB resident", "", "ours", "Alertmanager", "ratio")
    for what, number, group_by, wait in (
        ("idle", 0, "alertname", LONG),
        (f"{count:,} alerts in 100 groups", count, "alertname", LONG),
        (f"{count:,} groups of one, waiting", count, "pod", LONG),
        (f"{count:,} groups of one, told", count, "pod", "0s"),
    ):
        ours, peer = measure(number, group_by, wait)
        row(what, ours, peer, ours / peer)


if __name__ == "__main__":
    main()
