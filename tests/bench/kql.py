"""What reading a KQL query with positions costs, in process: parse, fields, compile.

The best of some rounds counts: a round can only be slower than it needs to be. Goal: 40 us
for parsing the first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from sre_obs.query.kql import compile_kql, fields, parse
from tests.bench.table import heading, options, row

QUERIES = {
    "four clauses": (
        'kubernetes.namespace : "prod" and (kubernetes.container.status.reason : "OOMKilled" or '
        "kubernetes.container.status.restarts >= 5) and not kubernetes.pod.name : test-*"
    ),
    "one clause": "kubernetes.container.status.reason: OOMKilled",
    "a list of values": "log.level: (error or fatal or critical or emergency)",
    "unquoted text": "message: connection refused by peer and not message: retrying in a moment",
}


def microseconds(work: Callable[[], object], times: int, rounds: int) -> float:
    """CPU a call, of the best round."""
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(times):
            work()
        best = min(best, (time.process_time() - began) / times)
    return best * 1e6


def main() -> None:
    """Print the table."""
    chosen = options(__doc__)
    times, rounds = (200, 3) if chosen.quick else (2_000, 20)
    heading("KQL, CPU-us a query", "query", "parse", "fields", "compile")
    for name, text in QUERIES.items():
        tree = parse(text)
        works = (partial(parse, text), partial(fields, tree), partial(compile_kql, tree, None))
        row(name, *(microseconds(work, times, rounds) for work in works))


if __name__ == "__main__":
    main()
