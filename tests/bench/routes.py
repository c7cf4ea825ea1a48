"""What routing costs an alert, in process: 10, 100 and 1,000 flat routes, and accepting.

Alerts are made anew for each round, so that no route is remembered from the round before:
`new` includes matching, putting into a group and the changes; `re-sent` is what Prometheus
does each minute. Equality is looked up, patterns run in one automaton; goal: 1,000 patterns
cost at most 10 us an alert more than 10.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace

from sre_obs.app.daemon.intake import read_alerts
from sre_obs.model.alert import Alert
from sre_obs.model.changes import Changes
from sre_obs.model.ledger import Ledger
from sre_obs.model.matcher import Matcher, MatchOp
from sre_obs.model.problem import Location
from sre_obs.model.routing import Receiver, Route, Routing
from sre_obs.route.accept import accept
from sre_obs.route.tree import Router
from tests.bench.alerts import batches, make_alerts
from tests.bench.table import heading, options, row

PLACE = Location("routes.yml")


def routing(count: int, op: MatchOp) -> Routing:
    """`count` sibling routes on one label, of which the alerts take a hundred in turn."""
    text = "HighErrorRate{}" if op is MatchOp.EQUAL else "High(Error|Failure)Rate{}"
    children = [
        Route(f"{{}}/{n}", "r", PLACE, (Matcher("alertname", op, text.format(n)),))
        for n in range(count)
    ]
    root = Route("{}", "r", PLACE, group_by=("alertname",), routes=tuple(children))
    return Routing(root, (Receiver("r"),))


def alerts_of(count: int, round_: int) -> list[Alert]:
    """Alerts as the daemon reads them."""
    now = time.time()
    made = make_alerts(count, 100, first=round_ * count)
    bodies = (json.dumps(batch).encode() for batch in batches(made, 100))
    return [alert for body in bodies for alert in read_alerts(body, now, 300.0).alerts]


def measure(count: int, op: MatchOp, alerts: int, rounds: int) -> tuple[float, float, float]:
    """CPU-us an alert: matching alone, accepting new ones, accepting them again."""
    router = Router(routing(count, op))
    took: list[tuple[float, float, float]] = []
    for round_ in range(rounds):
        made = alerts_of(alerts, round_)
        ledger, now = Ledger(), time.time()
        times = [time.thread_time()]
        for alert in made:
            router.match(alert.labels)
        times.append(time.thread_time())
        for at in range(0, alerts, 100):
            accepted = accept(made[at : at + 100], ledger, router, now)
            ledger.apply(accepted.changes)
        times.append(time.thread_time())
        again = [replace(alert, ends_at=now + 360.0) for alert in made]
        times.append(time.thread_time())
        for at in range(0, alerts, 100):
            accepted = accept(again[at : at + 100], ledger, router, now)
            ledger.apply(Changes(alerts=accepted.refreshed))
        times.append(time.thread_time())
        parts = (times[1] - times[0], times[2] - times[1], times[4] - times[3])
        took.append(tuple(part / alerts * 1e6 for part in parts))  # type: ignore[arg-type]
    match, new, again_ = (min(column) for column in zip(*took, strict=True))
    return match, new, again_


def main() -> None:
    chosen = options(__doc__)
    alerts, rounds = (1_000, 2) if chosen.quick else (5_000, 5)
    heading("CPU-us an alert", "flat routes", "match", "new", "re-sent")
    for op, what in ((MatchOp.EQUAL, "equality"), (MatchOp.REGEX, "patterns")):
        for count in (10, 100, 1_000):
            row(f"{count:,} {what}", *measure(count, op, alerts, rounds))


if __name__ == "__main__":
    main()
