"""The page and the API with 1,000 firing alerts: server CPU and time of a GET.

The alerts come over the API, a third of them in groups of one, the rest in 100 groups, and
each group was told once to a webhook. Goal: `/` in 50 ms.
"""

from __future__ import annotations

import time

from tests.bench.alerts import Client, batches, make_alerts
from tests.bench.servers import Ours, cpu_seconds
from tests.bench.sink import Sink
from tests.bench.table import folder, heading, options, percentile, row

PATHS = ("/", "/index.json", "/history", "/deliveries", "/receivers", "/about", "/api/v2/alerts")
ALERTS = 1_000


def main() -> None:
    chosen = options(__doc__)
    rounds = 5 if chosen.quick else 30
    with folder() as made, Sink() as sink:
        text = f"""
route:
  receiver: hook
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1h
  routes:
    - {{matchers: ['pod =~ ".*[048]"'], receiver: hook, group_by: ["..."]}}
receivers:
  - name: hook
    webhook_configs: [{{url: "{sink.url}"}}]
"""
        with Ours(made, text) as daemon, Client(daemon.url) as client:
            for batch in batches(make_alerts(ALERTS, 100), 100):
                client.send(client.request(batch))
            told: set[str] = set()
            while len(told) < ALERTS * 0.3:
                told.update(sink.next().pods)
            time.sleep(1.0)  # nothing else is under way while pages are timed
            heading(f"{ALERTS:,} firing alerts", "path", "p50 ms", "p90 ms", "CPU ms", "KiB")
            for path in PATHS:
                taken: list[float] = []
                size = 0
                before = cpu_seconds(daemon.pid)
                for _ in range(rounds):
                    began = time.perf_counter()
                    status, body = daemon.request("GET", path)
                    taken.append(time.perf_counter() - began)
                    size = len(body)
                    assert status == 200, (path, status)
                cpu = (cpu_seconds(daemon.pid) - before) / rounds
                row(
                    path,
                    percentile(taken, 0.5) * 1e3,
                    percentile(taken, 0.9) * 1e3,
                    cpu * 1e3,
                    size / 1024,
                )


if __name__ == "__main__":
    main()
