"""Can we see at all? What lets an empty page prove itself, or makes it say that it can't."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sre_obs.app.daemon.desk import Desk
from sre_obs.app.daemon.web import words
from sre_obs.model.evaluation import Outcome, RuleRun
from sre_obs.model.notification import Delivery, DeliveryState
from sre_obs.model.outcome import Failure
from sre_obs.model.problem import Severity
from sre_obs.model.rule import Rule, RuleState

# So much later than planned, and no rule sees the present: seconds beyond three intervals.
_LATE = 60.0
_KINDS = {"slack": "Slack"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What, since when, what to do, and where more is said."""

    what: str
    since: words.Moment | None = None
    remedy: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """`blind`: what keeps us from seeing; `troubles`: what else is wrong. `proof` is what
    an empty page shows for itself. Counts are of rules."""

    blind: tuple[Trouble, ...]
    troubles: tuple[Trouble, ...]
    proof: tuple[str, ...]
    misconfigured: int
    stale: int


def health(desk: Desk, recent: Sequence[Delivery] = ()) -> Health:
    """How the daemon fares; `recent` are deliveries from the store, newest first."""
    now = desk.clock.now()
    rules = [r for r in desk.evaluations.rules if r.state is not RuleState.DISABLED]
    known = desk.engine.ledger.runs
    runs = [run for rule in rules if (run := known.get(rule.id)) is not None]
    wrong = sum(problem.severity is Severity.ERROR for problem in desk.problems)
    return Health(
        blind=(*_unreachable(desk, now), *_idle(rules, runs, desk, now)),
        troubles=(*_unwritable(desk), *_reload(desk, now), *_untold(desk, now)),
        proof=(*_seen(rules, runs, desk, now), *_told(desk, recent, now)),
        misconfigured=wrong + sum(run.outcome is Outcome.MISCONFIGURED for run in runs),
        stale=sum(run.outcome is Outcome.STALE for run in runs),
    )


def _unreachable(desk: Desk, now: float) -> list[Trouble]:
    several = len(desk.evaluations.progress) > 1
    return [
        Trouble(
            f"{name}: {progress.error}" if several else progress.error,
            words.moment(progress.failing_since, now),
            progress.remedy,
            "/about",
        )
        for name, progress in desk.evaluations.progress.items()
        if progress.failing_since is not None
    ]


def _idle(rules: list[Rule], runs: list[RuleRun], desk: Desk, now: float) -> list[Trouble]:
    if not rules or not desk.evaluations.sources:
        return []
    last = max((run.at for run in runs), default=None)
    if last is None:
        return [Trouble("no rule has run yet", words.moment(desk.started_at, now), "", "/rules")]
    patience = 3 * min(rule.interval for rule in rules) + _LATE
    if now - last <= patience:
        return []
    behind = sum(progress.behind for progress in desk.evaluations.progress.values())
    catching_up = f"; catching up, {words.count(behind, 'round')} left" if behind else ""
    return [Trouble(f"no rule has looked at the present{catching_up}", words.moment(last, now))]


def _unwritable(desk: Desk) -> list[Trouble]:
    error = desk.store.health().error
    if not error:
        return []
    remedy = "make room or mend the disk: nothing new is told until it can be written"
    return [Trouble(f"the store can't be written: {error}", None, remedy, "/about")]


def _reload(desk: Desk, now: float) -> list[Trouble]:
    if desk.reload_ok:
        return []
    since = words.moment(desk.reload_at, now)
    return [Trouble(desk.reload_trouble(), since, "", "/about")]


def _untold(desk: Desk, now: float) -> list[Trouble]:
    failing: dict[str, list[Delivery]] = {}
    for delivery in desk.engine.ledger.deliveries.values():
        if delivery.failure is not Failure.NONE:
            failing.setdefault(delivery.integration, []).append(delivery)
    return [
        Trouble(
            f"{_name(desk, each[0])} can't be told: {each[0].detail or each[0].failure}",
            words.moment(min(d.created_at for d in each), now),
            "",
            "/receivers",
        )
        for each in failing.values()
    ]


def _name(desk: Desk, delivery: Delivery) -> str:
    integration = desk.engine.routing.integration(delivery.integration)
    return words.target(integration, delivery.receiver)


def _seen(rules: list[Rule], runs: list[RuleRun], desk: Desk, now: float) -> list[str]:
    if not desk.evaluations.sources or not rules:
        counts = desk.engine.counts
        posted = counts["new"] + counts["resent"]
        up = words.span(now - desk.started_at)
        return [f"{words.count(posted, 'alert')} received since the start, {up} ago"]
    last = words.moment(max((run.at for run in runs), default=None), now)
    newest = words.moment(max((r.newest for r in runs if r.newest is not None), default=None), now)
    ran = f"{words.count(len(runs), 'rule')} ran"
    proof = [f"{ran}, newest {last.ago}" if last else ran]
    if newest:
        proof.append(f"newest document {newest.age} old")
    return proof


def _told(desk: Desk, recent: Sequence[Delivery], now: float) -> list[str]:
    last: dict[str, float] = {}
    for delivery in recent:
        integration = desk.engine.routing.integration(delivery.integration)
        at = delivery.finished_at if delivery.state is DeliveryState.SENT else None
        if integration is not None and at is not None:
            last.setdefault(integration.kind, min(at, now))
    shown = []
    for kind, at in sorted(last.items()):
        when = words.moment(at, now)
        shown.append(f"{_KINDS.get(kind, kind)} ok {when.ago if when else ''}".rstrip())
    return shown
