"""Run the daemon: say how it starts, then serve; or run every rule once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from sre_obs.app.daemon.daemon import Daemon, Listening
from sre_obs.app.daemon.desk import Desk
from sre_obs.app.settings import Settings
from sre_obs.app.wiring import Parts, build
from sre_obs.evaluate.ports import Source
from sre_obs.model.notification import DeliveryState
from sre_obs.model.problem import Severity
from sre_obs.model.rule import Rule, RuleState
from sre_obs.notify.ports import Sender

Say = Callable[[str], None]

# `--once` waits so long for what it claimed to be answered.
ONCE_PATIENCE = 30.0


async def run(settings: Settings, *, once: bool, dry_run: bool, say: Say) -> None:
    """Serve until told to stop. Raises SreObsError if it can't start."""
    if not dry_run:
        await _run(settings, once=once, dry_run=False, say=say)
        return
    # What is only tried must leave no trace, and must not meet a daemon's store.
    with TemporaryDirectory(prefix="sre-obs-dry-") as folder:
        dry = settings.model_copy(update={"data": Path(folder)})
        await _run(dry, once=once, dry_run=True, say=say)


async def _run(settings: Settings, *, once: bool, dry_run: bool, say: Say) -> None:
    from sre_obs.app.daemon.web import pages

    parts = build(settings, dry_run=dry_run)
    daemon: Daemon

    async def ready(desk: Desk, listening: Listening) -> None:
        await announce(parts, desk, listening, say)
        if once:
            asyncio.get_running_loop().create_task(_once(desk, daemon))

    daemon = Daemon(parts, ready=ready, web=pages)
    await daemon.run()


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
        for line in await asyncio.gather(*_checks(parts, pool)):
            say(line)
    rules = [r for r in parts.content.rules if r.state is not RuleState.DISABLED]
    errors = [p for p in parts.content.problems if p.severity is Severity.ERROR]
    broken = f", {len(errors)} misconfigured: {errors[0].location}" if errors else ""
    if parts.settings.rules is None:
        say("rules   none: a router for alerts that others send")
    else:
        say(f"rules   {len(rules)} run{broken}")
    for problem in parts.content.problems:
        say(f"        {problem.location}: {problem.severity}: {problem.message}")
    probes = f", probes http://{listening.probes}" if listening.probes else ""
    say(f"ready   http://{listening.api}{probes}{_catching_up(desk, rules)}")


def _catching_up(desk: Desk, rules: Sequence[Rule]) -> str:
    runs = [desk.engine.ledger.runs.get(rule.id) for rule in rules]
    last = min((run.at for run in runs if run is not None), default=None)
    if last is None:
        return ""
    minutes = (desk.clock.now() - last) / 60
    return f"; catching up {minutes:.0f} min" if minutes >= 2 else ""


def _checks(parts: Parts, pool: Executor) -> list[asyncio.Future[str]]:
    loop = asyncio.get_running_loop()
    asked = [
        loop.run_in_executor(pool, _source_line, name, source)
        for name, source in parts.sources.items()
    ]
    asked += [
        loop.run_in_executor(pool, _sender_line, id_, sender, parts.clock.now())
        for id_, sender in parts.senders.items()
    ]
    return asked


def _source_line(name: str, source: Source) -> str:
    named = "" if name == "default" else f"{name}: "
    return f"source  {named}{source.describe()}"


def _sender_line(id_: str, sender: Sender, now: float) -> str:
    receiver, _, place = id_.rpartition("/")
    return f"{place.partition('[')[0]:<7} {receiver}: {sender.describe(now)}"


async def _once(desk: Desk, daemon: Daemon) -> None:
    """One round of every rule, then what falls due, then stop."""
    for name in desk.evaluations.sources:
        await desk.evaluations.round(name)
    began = desk.clock.timer()
    while desk.clock.timer() - began < ONCE_PATIENCE:
        wake = desk.engine.next_wake(desk.clock.now())
        if not desk.engine.busy and (wake is None or wake > desk.clock.now() + 1.0):
            break
        await desk.clock.sleep(0.05)
    daemon.stop()
