"""Rules: what is wrong with one first, then how each fares."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sre_obs.app.daemon.desk import Desk
from sre_obs.app.daemon.web import words
from sre_obs.app.daemon.web.firing import card
from sre_obs.content.duration import format_duration
from sre_obs.model.alert import Alert
from sre_obs.model.evaluation import Outcome, RuleRun
from sre_obs.model.problem import Problem, Severity
from sre_obs.model.rule import Rule, RuleKind, RuleState
from sre_obs.notify import wording

WEEK = 7 * 86_400.0
# Enough episodes for a week of nearly everybody; with more the page says "or more".
EPISODES = 2_000


@dataclass(frozen=True, slots=True)
class RunLine:
    """A rule's last run, or none: all empty."""

    last: words.Moment | None = None
    took: str = ""
    error: str = ""
    remedy: str = ""
    entities: int = 0
    firing: int = 0
    pending: int = 0
    newest: words.Moment | None = None
    request: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule in the list."""

    id: str
    title: str
    kind: str
    severity: str
    owner: str
    state: str  # live, shadow, disabled
    outcome: str
    place: str
    fired: int  # episodes of the last 7 d
    run: RunLine


def rules(desk: Desk, episodes: Sequence[Alert]) -> dict[str, Any]:
    """Every rule, misconfigured and stale first; and files that gave none.

    `episodes` are the store's, newest first.
    """
    now = desk.clock.now()
    fired = Counter(alert.rule for alert in episodes if alert.fired_at > now - WEEK)
    order = [*map(str, Outcome), "not run yet", "disabled"]
    lines = [rule_line(rule, desk, fired[rule.id]) for rule in desk.evaluations.rules]
    lines.sort(key=lambda line: (order.index(line.outcome), line.id))
    return {
        "rules": lines,
        "problems": [problem_line(p) for p in desk.problems],
        "counts": Counter(line.outcome for line in lines),
        "or_more": len(episodes) >= EPISODES,
    }


def rule_line(rule: Rule, desk: Desk, fired: int = 0) -> RuleLine:
    """`rule` in a list."""
    run = desk.engine.ledger.runs.get(rule.id)
    outcome = str(run.outcome) if run else "not run yet"
    return RuleLine(
        id=rule.id,
        title=rule.title,
        kind=str(rule.kind),
        severity=rule.severity,
        owner=rule.owner,
        state=str(rule.state),
        outcome="disabled" if rule.state is RuleState.DISABLED else outcome,
        place=f"{rule.location.file}:{rule.location.line}",
        fired=fired,
        run=run_line(run, desk.clock.now()),
    )


def rule(desk: Desk, id_: str, episodes: Iterable[Alert]) -> dict[str, Any] | None:
    """One rule: what it asks, its last request and answer, what it says now."""
    found = next((r for r in desk.evaluations.rules if r.id == id_), None)
    if found is None:
        return None
    now = desk.clock.now()
    alerts = [
        alert
        for alert in desk.engine.ledger.alerts.values()
        if alert.rule == id_ and alert.firing(now)
    ]
    fired = sum(a.rule == id_ and a.fired_at > now - WEEK for a in episodes)
    return {
        "rule": rule_line(found, desk, fired),
        "query": found.query.text or json.dumps(found.query.dsl, indent=2, default=str),
        "facts": facts(found),
        "runbook": words.link(found.runbook),
        "alerts": [card(alert, desk) for alert in wording.worst_first(alerts)[:100]],
    }


def facts(rule: Rule) -> list[tuple[str, str]]:
    """What a rule's file says, under the file's own words."""
    said = [
        ("kind", str(rule.kind)),
        ("index", ", ".join(rule.index)),
        ("source", rule.source if rule.source != "default" else ""),
        ("fires", _condition(rule)),
        ("group_by", ", ".join(rule.group_by)),
        ("from", f"now-{format_duration(rule.window)}"),
        ("interval", format_duration(rule.interval)),
        ("query_delay", format_duration(rule.query_delay)),
        ("for", format_duration(rule.for_) if rule.for_ else ""),
        ("keep_firing_for", format_duration(rule.keep_firing_for) if rule.keep_firing_for else ""),
        ("no_data", str(rule.no_data)),
        ("severity", rule.severity),
        ("owner", rule.owner),
        ("state", str(rule.state)),
    ]
    return [(name, value) for name, value in said if value]


def run_line(run: RuleRun | None, now: float) -> RunLine:
    """A rule's last run."""
    if run is None:
        return RunLine()
    return RunLine(
        last=words.moment(run.at, now),
        took=words.milliseconds(run.duration),
        error=run.error,
        remedy=run.remedy,
        entities=run.entities,
        firing=run.firing,
        pending=run.pending,
        newest=words.moment(run.newest, now),
        request=words.pretty(run.request),
        answer=words.pretty(run.answer),
    )


def problem_line(problem: Problem) -> dict[str, Any]:
    """What is wrong with a file."""
    return {
        "place": str(problem.location),
        "severity": str(problem.severity),
        "error": problem.severity is Severity.ERROR,
        "message": problem.message,
        "remedy": problem.remedy,
        "slug": problem.slug,
    }


def _condition(rule: Rule) -> str:
    match rule.kind:
        case RuleKind.QUERY:
            return "for any document that matches"
        case RuleKind.ABSENCE:
            return "when there is none"
        case RuleKind.THRESHOLD:
            pass
    threshold = rule.threshold
    function = str(threshold.function)
    if threshold.percent:
        function = f"p{threshold.percent:g}"
    measured = f"{function} of {threshold.field}" if threshold.field else function
    limit = wording.quantity(threshold.limit, threshold.unit)
    return f"when {measured} {threshold.comparison} {limit}"
