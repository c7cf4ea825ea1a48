"""A storm of one-alert groups: from the first POST until the last of them is delivered.

`group_wait` is 0, so each alert is a notification of its own, to one webhook in another
process. Fresh processes, ours and Alertmanager's in turns. Ours writes each delivery to
disk three times (decided, claimed, answered) and is killed without loss at any moment;
Alertmanager writes nothing.
"""

from __future__ import annotations

import time
from contextlib import ExitStack

from tests.bench.alerts import Client, batches, make_alerts
from tests.bench.servers import Alertmanager, Ours, Server, cpu_seconds, routes
from tests.bench.sink import Sink
from tests.bench.table import folder, heading, options, percentile, row


def storm(make: type[Ours] | type[Alertmanager], count: int, size: int) -> dict[str, float]:
    """Notifications/s, CPU-us each, and seconds from POST to arrival."""
    with folder() as made, ExitStack() as stack:
        sink = stack.enter_context(Sink())
        text = routes(sink.url, group_by="pod", group_wait="0s")
        server: Server = make(made / "it", text)
        stack.enter_context(server)
        client = stack.enter_context(Client(server.url))
        requests = [client.request(batch) for batch in batches(make_alerts(count, 100), size)]
        posted: list[float] = []
        before = cpu_seconds(server.pid)
        for request in requests:
            posted.append(time.monotonic())
            client.send(request)
        waits: list[float] = []
        seen: set[str] = set()
        last = posted[0]
        while len(seen) < count:
            arrival = sink.next()
            last = max(last, arrival.at)
            for pod in arrival.pods:
                seen.add(pod)
                waits.append(arrival.at - posted[int(pod.rpartition("-")[2]) // size])
        return {
            "rate": count / (last - posted[0]),
            "cpu": (cpu_seconds(server.pid) - before) / count * 1e6,
            "p50": percentile(waits, 0.5),
            "p99": percentile(waits, 0.99),
            "twice": float(len(waits) - count),
        }


def main() -> None:
    chosen = options(__doc__)
    count = 2_000 if chosen.quick else 10_000
    heading(
        f"{count:,} groups of one alert, posted by 100",
        *("", "a second", "CPU-us each", "p50 s", "p99 s", "repeated"),
    )
    rates: dict[str, list[float]] = {}
    for _ in range(1 if chosen.quick else 2):
        for make in (Ours, Alertmanager):
            figures = storm(make, count, 100)
            rates.setdefault(make.name, []).append(figures["rate"])
            row(make.name, *(figures[name] for name in ("rate", "cpu", "p50", "p99", "twice")))
    ours, peer = (max(rates[make.name]) for make in (Ours, Alertmanager))
    print(f"\nours / Alertmanager, the better of each: {ours / peer:.2f}")


if __name__ == "__main__":
    main()
