"""Durable ingest and re-send against Debian's Alertmanager and against raw SQLite.

The same client posts the same batches to each, in turns of a few batches, so that a noisy
machine is noisy for all of them. Ours answers once the alerts are on disk (fdatasync);
Alertmanager keeps them in memory. Raw is the least that keeps them: their text upserted
into one table by a bare sqlite3 connection, a transaction a batch, at our durability.

The groups wait an hour, so that nothing is dispatched. Goals: half of Alertmanager's rate,
and 0.30 of raw.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.bench.alerts import Alerts, Client, batches, make_alerts, sent_again
from tests.bench.servers import Alertmanager, Ours, Server, cpu_seconds, routes
from tests.bench.store import Baseline
from tests.bench.table import folder, heading, options, row

GROUPS = 100
TURNS = 20


class Raw:
    """Alerts as text in a table."""

    name = "raw SQLite"

    def __init__(self, path: Path) -> None:
        self._baseline = Baseline(path)

    def write(self, alerts: Alerts) -> Callable[[], None]:
        """What writes a batch; the text is made beforehand."""
        rows = [(alert["labels"]["pod"], json.dumps(alert)) for alert in alerts]
        return lambda: self._baseline.write(rows)


def compare(
    servers: list[Server], clients: list[Client], raw: Raw, alerts: Alerts, size: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Alerts/s and server CPU-us an alert, by name."""
    seconds: dict[str, float] = defaultdict(float)
    cpu: dict[str, float] = defaultdict(float)
    lists = list(batches(alerts, size))
    turn = max(len(lists) // TURNS, 1)
    for at in range(0, len(lists), turn):
        some = lists[at : at + turn]
        for server, client in zip(servers, clients, strict=True):
            requests = [client.request(batch) for batch in some]
            before, began = cpu_seconds(server.pid), time.perf_counter()
            for request in requests:
                client.send(request)
            seconds[server.name] += time.perf_counter() - began
            cpu[server.name] += cpu_seconds(server.pid) - before
        writes = [raw.write(batch) for batch in some]
        before, began = time.process_time(), time.perf_counter()
        for write in writes:
            write()
        seconds[raw.name] += time.perf_counter() - began
        cpu[raw.name] += time.process_time() - before
    count = len(alerts)
    return (
        {name: count / value for name, value in seconds.items()},
        {name: value / count * 1e6 for name, value in cpu.items()},
    )


def run(count: int, size: int) -> None:
    alerts = make_alerts(count, GROUPS)
    text = routes("http://127.0.0.1:9/", group_by="alertname", group_wait="1h")
    with folder() as made, ExitStack() as stack:
        servers: list[Server] = [
            stack.enter_context(Ours(made / "ours", text)),
            stack.enter_context(Alertmanager(made / "peer", text)),
        ]
        clients = [stack.enter_context(Client(server.url)) for server in servers]
        raw = Raw(made / "raw.db")
        ours, peer = servers[0].name, servers[1].name
        for what, these in (("ingest", alerts), ("re-send", sent_again(alerts))):
            rate, cpu = compare(servers, clients, raw, these, size)
            row(
                f"{what} {count:,} by {size:,}",
                *(rate[ours], rate[peer], rate[raw.name]),
                *(rate[ours] / rate[peer], rate[ours] / rate[raw.name]),
                *(cpu[ours], cpu[peer], cpu[raw.name]),
            )


def main() -> None:
    chosen = options(__doc__)
    heading(
        f"alerts/s in {GROUPS} groups, and CPU-us an alert",
        *("", "ours", "Alertmanager", "raw SQLite", "of peer", "of raw"),
        *("ours us", "peer us", "raw us"),
    )
    for count in (10_000,) if chosen.quick else (10_000, 100_000):
        for size in (100, 1_000):
            run(count, size)


if __name__ == "__main__":
    main()
