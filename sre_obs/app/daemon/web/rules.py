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
from sre_obs.evaluate.levels import Bound, bounds
from sre_obs.model.alert import Alert
from sre_obs.model.evaluation import Outcome, RuleRun
from sre_obs.model.problem import Problem, Severity
from sre_obs.model.rule import Flapping, Function, Measure, Rule, RuleKind, RuleState, Tuned
from sre_obs.notify import wording
from sre_obs.query.expression import write

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
        ("when", write(rule.when) if rule.when is not None else ""),
        ("valid", write(rule.valid) if rule.valid is not None else ""),
        *((measure.name, _measure(measure, rule)) for measure in rule.measures),
        ("variables", ", ".join(f"{name} {value}" for name, value in rule.variables.items())),
        ("clears", _clears(bounds(rule, {})[0], rule.threshold.unit)),
        *((bound.severity, _level(bound, rule)) for bound in bounds(rule, {})[1:]),
        ("entities", "; ".join(map(_tuned, rule.tuned))),
        ("group_by", ", ".join(rule.group_by)),
        ("from", f"now-{format_duration(rule.window)}"),
        ("interval", format_duration(rule.interval)),
        ("query_delay", format_duration(rule.query_delay)),
        ("for", format_duration(rule.for_) if rule.for_ else ""),
        ("keep_firing_for", format_duration(rule.keep_firing_for) if rule.keep_firing_for else ""),
        ("runs", f"{rule.runs.hits} of {rule.runs.of}" if rule.runs is not None else ""),
        ("flapping", _flapping(rule.flapping) if rule.flapping is not None else ""),
        ("no_data", str(rule.no_data)),
        ("severity", rule.severity),
        ("owner", rule.owner),
        ("state", str(rule.state)),
        ("overridden", ", ".join(f"{key} in {place}" for key, place in rule.origins.items())),
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
        case RuleKind.STATE:
            return "when the newest document matches"
        case RuleKind.ABSENCE:
            return "when there is none"
        case RuleKind.THRESHOLD:
            pass
    if rule.measures:
        held = write(rule.value) if rule.value is not None else rule.measures[0].name
    else:
        held = _measured(rule.threshold.function, rule.threshold.field, rule.threshold.percent)
    return f"when {held} {_limit(bounds(rule, {})[0], rule.threshold.unit)}"


def _measured(function: Function, field: str, percent: float) -> str:
    named = f"p{percent:g}" if function is Function.PERCENTILE else str(function)
    return f"{named} of {field}" if field else named


def _measure(measure: Measure, rule: Rule) -> str:
    """``latest of a.b in other-stream-*, over 2m``: what differs from the rule is said."""
    parts = [_measured(measure.function, measure.field, measure.percent)]
    if measure.query.text:
        parts.append(f"where {measure.query.text}")
    if measure.index:
        parts.append(f"in {', '.join(measure.index)}")
    window = measure.window or rule.window
    if measure.ends:
        parts.append(f"from {format_duration(window)} to {format_duration(measure.ends)} ago")
    elif window != rule.window:
        parts.append(f"over {format_duration(window)}")
    if measure.by is not None:
        parts.append(f"by {', '.join(measure.by) or 'nothing: one for all'}")
    if measure.series:
        parts.append(f"{measure.over} of each {', '.join(measure.series)}")
    if measure.missing is not None:
        parts.append(f"{wording.number(measure.missing)} where there is none")
    return ", ".join(parts)


def _limit(bound: Bound, unit: str) -> str:
    return f"{bound.comparison} {wording.quantity(bound.limit, unit)}"


def _clears(bound: Bound, unit: str) -> str:
    if bound.clear is None:
        return ""
    beyond = "below" if bound.comparison.value.startswith(">") else "above"
    return f"{beyond} {wording.quantity(bound.clear, unit)}"


def _level(bound: Bound, rule: Rule) -> str:
    parts = [_limit(bound, rule.threshold.unit)]
    if bound.for_ != rule.for_:
        parts.append(f"for {format_duration(bound.for_)}" if bound.for_ else "at once")
    if clears := _clears(bound, rule.threshold.unit):
        parts.append(f"left {clears}")
    return ", ".join(parts)


def _tuned(tuned: Tuned) -> str:
    who = " ".join(f"{name}={pattern}" for name, pattern in tuned.match.items())
    if tuned.exclude:
        return f"{who}: excluded"
    given = {
        "limit": None if tuned.limit is None else wording.number(tuned.limit),
        "for": None if tuned.for_ is None else format_duration(tuned.for_),
        "severity": tuned.severity,
    }
    return f"{who}: {', '.join(f'{name} {text}' for name, text in given.items() if text)}"


def _flapping(damped: Flapping) -> str:
    return f"{damped.changes} changes in {damped.runs} runs: kept until {damped.calm} are calm"
