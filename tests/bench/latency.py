"""One alert on an idle server: from the POST's first byte to the receiver's last.

`group_wait` is 0, each alert a group of its own, the receiver a webhook in another process.
Ours and Alertmanager take turns. Ours syncs the disk once on the way: the alert, its
delivery and the claim of it are one transaction, and neither the answer nor the delivery
leaves before. So what a sync takes is measured in between. Goal: p50 at most 5 ms.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from tests.bench.alerts import Client, make_alerts
from tests.bench.servers import Alertmanager, Ours, Server, routes
from tests.bench.sink import Sink
from tests.bench.table import folder, heading, options, percentile, row

PAUSE = 0.02  # seconds; both are idle again by then


class Disk:
    """A file beside theirs, to see what syncing costs just now."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def sync(self) -> float:
        """Append 4 KiB; how many seconds their fdatasync takes."""
        os.write(self._handle, b"x" * 4_096)
        began = time.perf_counter()
        os.fdatasync(self._handle)
        return time.perf_counter() - began


def main() -> None:
    chosen = options(__doc__)
    count = 50 if chosen.quick else 500
    arrived: dict[str, list[float]] = defaultdict(list)
    answered: dict[str, list[float]] = defaultdict(list)
    syncs: list[float] = []
    with folder() as made, ExitStack() as stack:
        sink = stack.enter_context(Sink())
        text = routes(sink.url, group_by="pod", group_wait="0s")
        servers: list[Server] = [
            stack.enter_context(Ours(made / "ours", text)),
            stack.enter_context(Alertmanager(made / "peer", text)),
        ]
        disk = Disk(made / "sync")
        clients = [stack.enter_context(Client(server.url)) for server in servers]
        for number in range(count + 10):
            for server, client in zip(servers, clients, strict=True):
                request = client.request(make_alerts(1, 1, first=number))
                began = time.monotonic()
                client.send(request)
                done = time.monotonic()
                arrival = sink.next()
                assert arrival.pods == [f"checkout-7c9f6d-{number}"], arrival
                if number >= 10:  # the first few find nothing in any cache
                    arrived[server.name].append(arrival.at - began)
                    answered[server.name].append(done - began)
                time.sleep(PAUSE)
            syncs.append(disk.sync())
    heading(f"milliseconds, {count} alerts", "", "p50", "p90", "p99")
    for what, figures in (("receiver has it", arrived), ("POST answered", answered)):
        for name, values in figures.items():
            _print(f"{name}: {what}", values)
    _print("fdatasync of 4 KiB", syncs)
    ours, peer = (percentile(arrived[server.name], 0.5) for server in servers)
    print(f"\nours / Alertmanager at p50: {ours / peer:.1f}")


def _print(name: str, values: list[float]) -> None:
    row(name, *(percentile(values, share) * 1e3 for share in (0.5, 0.9, 0.99)))


if __name__ == "__main__":
    main()
