"""Run the daemon: say how it starts, then serve; or run every rule once."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol, TextIO

from sre_obs.app.daemon.daemon import Daemon, Listening
from sre_obs.app.daemon.desk import Desk
from sre_obs.app.settings import Settings
from sre_obs.app.usecases.once import Round, one_round
from sre_obs.app.wiring import Parts, build
from sre_obs.evaluate.ports import Source
from sre_obs.model.notification import DeliveryState
from sre_obs.model.problem import Severity, Wrong
from sre_obs.model.rule import Rule, RuleState
from sre_obs.notify.ports import Sender

if TYPE_CHECKING:
    from sre_obs.adapters.elasticsearch.kibana import KibanaAlerts


class Say(Protocol):
    """Says a start line; `level` (info, warning, error) tells a machine what is wrong."""

    def __call__(self, line: str, level: str = "info") -> None: ...


async def run(
    settings: Settings, *, once: bool, dry_run: bool, say: Say, terminal: TextIO = sys.stdout
) -> Round | None:
    """Serve until told to stop; with `once` for one round, and what it came to.

    Receivers that print do so to `terminal`. Raises SreObsError if it can't start.
    """
    if not dry_run:
        return await _run(settings, once, say, terminal)
    # What is only tried must leave no trace, and must not meet a daemon's store or port.
    with TemporaryDirectory(prefix="sre-obs-dry-") as folder:
        apart = {"data": Path(folder), "listen": "127.0.0.1:0", "probe_listen": ""}
        return await _run(settings.model_copy(update=apart), once, say, terminal, dry_run=True)


async def _run(
    settings: Settings, once: bool, say: Say, terminal: TextIO, *, dry_run: bool = False
) -> Round | None:
    from sre_obs.app.daemon.web import pages

    parts = build(settings, dry_run=dry_run, terminal=terminal)
    daemon: Daemon
    tasks: list[asyncio.Task[Round]] = []

    async def ready(desk: Desk, listening: Listening) -> None:
        await announce(parts, desk, listening, say)
        if once:
            tasks.append(asyncio.get_running_loop().create_task(one_round(desk, daemon)))

    daemon = Daemon(parts, ready=ready, web=pages)
    await daemon.run()
    # Told to stop before it was done, it came to nothing.
    return next((task.result() for task in tasks if task.done()), None)


async def announce(parts: Parts, desk: Desk, listening: Listening, say: Say) -> None:
    """The start lines: store, sources, rules, receivers, address."""
    ledger = desk.engine.ledger
    ambiguous = sum(d.state is DeliveryState.AMBIGUOUS for d in ledger.deliveries.values())
    waiting = len(ledger.deliveries) - ambiguous
    asking = ", asking their receivers" if ambiguous else ""
    say(
        f"store   {parts.settings.data / 'state.db'}: {waiting} waiting, "
        f"{ambiguous} ambiguous{asking}"
    )
    with ThreadPoolExecutor(4) as pool:
        for line, level in await asyncio.gather(*_checks(parts, pool)):
            say(line, level)
    rules = [r for r in parts.content.rules if r.state is not RuleState.DISABLED]
    errors = [p for p in parts.content.problems if p.severity is Severity.ERROR]
    files = len({problem.location.file for problem in errors})
    broken = f", {files} misconfigured: {errors[0].location}" if errors else ""
    if parts.settings.rules is None:
        say("rules   none: a router for alerts that others send")
    else:
        count = sum(r.source in parts.sources for r in rules)
        say(f"rules   {count} run{broken}", "warning" if broken else "info")
    if parts.settings.routes is None:
        say("routes  none: alerts are printed here; set routes to tell others", "warning")
    for name, count in _without_source(rules, parts.sources).items():
        say(f"        {count} can't run: set sources.{name}.hosts", "warning")
    for problem in parts.content.problems:
        words = f"{problem.location}: {problem.severity}: {problem.message}"
        say(f"        {words}", str(problem.severity))
    probes = f", probes http://{listening.probes}" if listening.probes else ""
    say(f"ready   http://{listening.api}{probes}{_catching_up(desk, rules)}")


def _without_source(rules: Iterable[Rule], sources: Container[str]) -> Mapping[str, int]:
    """How many rules read a cluster that has no hosts, by its name."""
    return Counter(rule.source for rule in rules if rule.source not in sources)


def _catching_up(desk: Desk, rules: Sequence[Rule]) -> str:
    runs = [desk.engine.ledger.runs.get(rule.id) for rule in rules]
    last = min((run.at for run in runs if run is not None), default=None)
    if last is None:
        return ""
    minutes = (desk.clock.now() - last) / 60
    return f"; catching up {minutes:.0f} min" if minutes >= 2 else ""


def _checks(parts: Parts, pool: Executor) -> list[asyncio.Future[tuple[str, str]]]:
    loop = asyncio.get_running_loop()
    asked = [
        loop.run_in_executor(pool, _source_line, name, source)
        for name, source in parts.sources.items()
    ]
    asked += [
        loop.run_in_executor(pool, _kibana_line, name, kibana)
        for name, kibana in parts.kibanas.items()
    ]
    asked += [
        loop.run_in_executor(pool, _sender_line, id_, sender, parts.clock.now())
        for id_, sender in parts.senders.items()
    ]
    return asked


def _source_line(name: str, source: Source) -> tuple[str, str]:
    named = "" if name == "default" else f"{name}: "
    found = source.describe()
    return f"source  {named}{found}", "error" if isinstance(found, Wrong) else "info"


def _kibana_line(name: str, kibana: KibanaAlerts) -> tuple[str, str]:
    found = kibana.describe()
    return f"kibana  {name}: {found}", "error" if isinstance(found, Wrong) else "info"


def _sender_line(id_: str, sender: Sender, now: float) -> tuple[str, str]:
    receiver, _, place = id_.rpartition("/")
    found = sender.describe(now)
    line = f"{place.partition('[')[0]:<7} {receiver}: {found}"
    return line, "warning" if isinstance(found, Wrong) else "info"
