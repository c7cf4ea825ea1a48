"""One round of every rule, as `run --once` makes it: what each rule came to, and all told.

Nothing waits here for company: a group is told at once, whatever its `group_wait` and
`group_interval`, since nobody is there later to tell it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sre_obs.app.daemon.daemon import Daemon
from sre_obs.app.daemon.desk import Desk
from sre_obs.evaluate.evaluate import unreadable
from sre_obs.model.changes import Changes
from sre_obs.model.errors import SourceError
from sre_obs.model.evaluation import Outcome, RuleRun
from sre_obs.model.problem import Problem, Severity
from sre_obs.model.rule import Rule, RuleState

# So long is waited for what was claimed to be answered.
PATIENCE = 30.0
PAUSE = 0.05
# In the place of an outcome: a rule whose cluster has no hosts.
NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Ran:
    """How one rule stands: an outcome (or `NOT_RUN`), its alerts, and what is wrong."""

    rule: str
    outcome: str
    state: str
    firing: int = 0
    pending: int = 0
    error: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of every rule came to.

    `left_out` is what is wrong with files, which were left out for it; `unread` says of
    each cluster that could not be searched why, `remedy` what to set for it.
    """

    ran: tuple[Ran, ...]
    left_out: tuple[Problem, ...]
    unread: tuple[str, ...]
    rules: int  # that ran
    firing: int  # alerts
    waiting: int  # deliveries that no receiver has taken yet
    remedy: str = ""

    @property
    def findings(self) -> bool:
        """Whether a person has something to mend: a rule, or a file."""
        wrong = any(one.outcome == Outcome.MISCONFIGURED for one in self.ran)
        return wrong or bool(self.left_out)


async def one_round(desk: Desk, daemon: Daemon) -> Round:
    """Wait until each rule has run and what it found was told, then stop the daemon."""
    clock, evaluations, engine = desk.clock, desk.evaluations, desk.engine
    rules = [r for r in evaluations.rules if r.state is not RuleState.DISABLED]
    # A rule's last planned time is less than an interval ago.
    wanted = {r.id: clock.now() - r.interval for r in rules if r.source in evaluations.sources}
    while any((run := engine.ledger.runs.get(i)) is None or run.at <= t for i, t in wanted.items()):
        await clock.sleep(PAUSE)
    # Also what a rule that lags behind its plan has postponed.
    now = clock.now()
    due = [g for g in engine.ledger.groups.values() if g.flush_at is not None and g.flush_at > now]
    groups = tuple(replace(group, flush_at=now) for group in due)
    await asyncio.wrap_future(engine.conclude(Changes(groups=groups), now))
    began = clock.timer()
    while clock.timer() - began < PATIENCE:
        wake = engine.next_wake(clock.now())
        if not engine.busy and (wake is None or wake > clock.now() + 1.0):
            break
        await clock.sleep(PAUSE)
    ran = tuple([await _ran(desk, rule) for rule in rules])
    now, ledger = clock.now(), engine.ledger
    unread, remedy = _unread(desk, rules)
    round_ = Round(
        ran=ran,
        left_out=tuple(p for p in desk.problems if p.severity is Severity.ERROR),
        unread=unread,
        rules=len(wanted),
        firing=sum(alert.firing(now) for alert in ledger.alerts.values()),
        waiting=len(ledger.deliveries),
        remedy=remedy,
    )
    daemon.stop()
    return round_


def _unread(desk: Desk, rules: Sequence[Rule]) -> tuple[tuple[str, ...], str]:
    """Why each cluster that rules read could not be searched, and what to set for it."""
    evaluations = desk.evaluations
    failed = [
        f"{name}: {progress.error}"
        for name, progress in evaluations.progress.items()
        if progress.failing_since is not None
    ]
    hostless = sorted({rule.source for rule in rules} - set(evaluations.sources))
    missing = [_hostless(desk, name) for name in hostless]
    why = (f"{name}: {error}" for name, (error, _) in zip(hostless, missing, strict=True))
    return (*failed, *why), "; ".join(remedy for _, remedy in missing)


def _hostless(desk: Desk, name: str) -> tuple[str, str]:
    """Why there is no cluster of this name for rules, and what to set."""
    known = desk.settings.sources.get(name)
    if known is not None and known.from_ == "kibana":
        remedy = f"set the source of these rules to another than {name}, and its hosts"
        return "it is there for Kibana's alerts alone", remedy
    return "it has no hosts", f"set sources.{name}.hosts"


async def _ran(desk: Desk, rule: Rule) -> Ran:
    run = desk.engine.ledger.runs.get(rule.id)
    if rule.source not in desk.evaluations.sources or run is None:
        error, remedy = _hostless(desk, rule.source)
        return Ran(rule.id, NOT_RUN, str(rule.state), error=error, remedy=remedy)
    error, remedy = run.error, run.remedy
    if await _is_missing(desk, rule, run):
        error = f"there is no index {', '.join(rule.index)} yet"
        remedy = "check the rule's index, or wait for the first document"
    return Ran(rule.id, str(run.outcome), str(rule.state), run.firing, run.pending, error, remedy)


async def _is_missing(desk: Desk, rule: Rule, run: RuleRun) -> bool:
    """Whether nothing goes by the name of what the rule reads: no index, so no field."""
    if run.newest is not None or run.outcome is Outcome.MISCONFIGURED or unreadable(run):
        return False
    source = desk.evaluations.sources[rule.source]
    try:
        return not await asyncio.to_thread(source.field_types, rule.index)
    except SourceError:
        return False
