"""What the store costs over bare SQLite.

Both write the same alerts (six labels, about 550 bytes of JSON) at the same durability
(WAL, synchronous=FULL, one fdatasync a transaction) to the same disk, in turns, so that a
noisy disk is noisy for both. The baseline upserts ready-made text into a table of
(fingerprint, body); the store is given nouns and keeps episodes, their order and what is
current.

The goal is a ratio of at least 0.30 at 100 and at 1,000 alerts a transaction.
"""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from sre_obs.adapters.store import codec
from sre_obs.adapters.store.sqlite import SqliteStore
from sre_obs.model.alert import Alert, fingerprint
from sre_obs.model.changes import Changes
from tests.bench.table import folder, options

SIZES = ((1, 400), (10, 200), (100, 100), (1_000, 30))
PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 4000")


def make(number: int) -> Alert:
    labels = {
        "alertname": "HighErrorRate",
        "cluster": "eu-1",
        "namespace": "shop",
        "service": "checkout",
        "pod": f"checkout-7c9f6d-{number}",
        "severity": "critical",
    }
    annotations = {
        "summary": "Error rate of checkout is above 5 % for ten minutes",
        "runbook": "https://runbooks.example.org/checkout/high-error-rate",
    }
    at = 1_700_000_000.0 + number
    return Alert(
        fingerprint(labels),
        labels,
        annotations,
        at,
        at,
        at,
        ends_at=at + 300.0,
        generator_url="https://prometheus.example.org/graph?g0.expr=rate",
    )


def later(alert: Alert) -> Alert:
    ends_at = None if alert.ends_at is None else alert.ends_at + 60.0
    return replace(alert, updated_at=alert.updated_at + 60.0, ends_at=ends_at)


class Baseline:
    """The least that one can do."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        for pragma in PRAGMAS:
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute("CREATE TABLE alerts (fingerprint TEXT PRIMARY KEY, body TEXT)")

    def write(self, rows: Sequence[tuple[str, str]]) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany(
            "INSERT INTO alerts VALUES (?, ?) "
            "ON CONFLICT (fingerprint) DO UPDATE SET body = excluded.body",
            rows,
        )
        self.connection.execute("COMMIT")


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(baseline: Baseline, store: SqliteStore, batches: Sequence[Sequence[Alert]]) -> str:
    raw: list[float] = []
    ours: list[float] = []
    for batch in batches:
        rows = [(alert.fingerprint, codec.dump_alert(alert)) for alert in batch]
        changes = Changes(alerts=tuple(batch))
        raw.append(timed(lambda rows=rows: baseline.write(rows)))  # type: ignore[misc]
        ours.append(timed(lambda c=changes: store.commit(c).result()))  # type: ignore[misc]
    size = len(batches[0])
    return (
        f"{size:>7,} {size / statistics.mean(raw):>12,.0f} {size / statistics.mean(ours):>12,.0f} "
        f"{statistics.mean(raw) / statistics.mean(ours):>7.2f} "
        f"{statistics.median(raw) * 1e3:>10.2f} {statistics.median(ours) * 1e3:>10.2f}"
    )


def measure(made: Path, sizes: Sequence[tuple[int, int]]) -> None:
    """Write all batches into `made` and print the tables."""
    size = statistics.mean(len(codec.dump_alert(make(n))) for n in range(100))
    print(f"SQLite {sqlite3.sqlite_version}, {size:.0f} bytes an alert, in {made}")
    head = f"{'a batch':>7} {'raw /s':>12} {'store /s':>12} {'ratio':>7}"
    head += f" {'raw ms':>10} {'store ms':>10}"
    baseline = Baseline(made / "raw.db")
    store = SqliteStore(made / "state.db", timer=time.monotonic)
    number = 0
    seen: list[Alert] = []
    for title in ("new alerts", "the same alerts a minute later"):
        print(f"\n{title}\n{head}")
        at = 0
        for count, repeats in sizes:
            total = count * repeats
            if title == "new alerts":
                alerts = [make(n) for n in range(number, number + total)]
                number += total
                seen += alerts
            else:
                alerts = [later(alert) for alert in seen[at : at + total]]
                at += total
            batches = [alerts[n : n + count] for n in range(0, total, count)]
            print(compare(baseline, store, batches))

    print("\n1 alert a commit, none waited for: batched by the writer")
    singles = [Changes(alerts=(make(number + n),)) for n in range(20_000)]

    def pour() -> None:
        for changes in singles:
            store.commit(changes)
        store.flushed().result()

    print(f"{len(singles) / timed(pour):>20,.0f} /s")
    loading = timed(store.load)
    print(f"\nload of {len(store.load().alerts):,} alerts: {loading:.2f} s")
    store.close()


def main() -> None:
    quick = options(__doc__).quick
    with folder() as made:
        measure(made, [(count, max(n // 10, 5)) for count, n in SIZES] if quick else SIZES)


if __name__ == "__main__":
    main()
