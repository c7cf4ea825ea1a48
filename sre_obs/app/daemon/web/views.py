"""What each page says: plain values from the desk, no HTML."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sre_obs.app.daemon.desk import Desk
from sre_obs.model.alert import Alert
from sre_obs.model.evaluation import Outcome, RuleRun
from sre_obs.model.notification import Delivery, DeliveryState
from sre_obs.model.rule import Rule
from sre_obs.model.silence import Silence, SilenceState
from sre_obs.notify import wording
from sre_obs.query.matchers import compile_matchers, format_matcher, parse_matchers
from sre_obs.route.tree import Step

# A page lists so many; the rest is a filter away. More would be slow on a phone and
# unreadable anywhere.
ROWS = 100
_GLYPHS = {
    "CRITICAL": "octagon",
    "WARNING": "triangle",
    "INFO": "info",
    "STALE": "hourglass",
    "RESOLVED": "tick",
    "DRILL": "tube",
}


@dataclass(frozen=True, slots=True)
class Card:
    """An alert in a list."""

    id: str
    state: str
    glyph: str
    title: str
    entity: str
    measured: str
    age: str
    since: str
    owner: str
    silenced: str


def card(alert: Alert, desk: Desk) -> Card:
    """`alert` as a list shows it."""
    now = desk.clock.now()
    state = str(state_of(alert, now))
    silences = desk.engine.silences.silenced_by(alert.labels, now)
    return Card(
        id=alert.fingerprint,
        state=state,
        glyph=_GLYPHS.get(state, "triangle"),
        title=wording.title(alert),
        entity=" @ ".join(wording.entity(alert)),
        measured=wording.measured(alert.evidence),
        age=wording.duration(max(0.0, now - alert.starts_at)),
        since=wording.clock(alert.starts_at, now),
        owner=wording.owner(alert),
        silenced=silences[0].created_by if silences else "",
    )


def state_of(alert: Alert, now: float) -> wording.State:
    """The word that opens its card."""
    if not alert.firing(now):
        return wording.state((), (alert,))
    return wording.state((alert,), ())


def firing(desk: Desk, text: str) -> dict[str, Any]:
    """The front page: what fires, what is stale, what is silenced, and how we know."""
    now = desk.clock.now()
    matches = compile_matchers(parse_matchers(text)) if text.strip() else None
    alerts = [
        alert
        for alert in desk.engine.ledger.alerts.values()
        if alert.firing(now) and (matches is None or matches(alert.labels))
    ]
    silenced = {a.fingerprint for a in alerts if desk.engine.silences.silenced_by(a.labels, now)}
    told = wording.worst_first(a for a in alerts if a.fingerprint not in silenced)
    hidden = wording.worst_first(a for a in alerts if a.fingerprint in silenced)
    live = [a for a in told if a.stale_since is None]
    stale = [a for a in told if a.stale_since is not None]
    return {
        "query": text,
        "firing": [card(a, desk) for a in live[:ROWS]],
        "more": max(0, len(live) - ROWS),
        "stale": [card(a, desk) for a in stale[:ROWS]],
        "silenced": [card(a, desk) for a in hidden[:ROWS]],
        "counts": {"firing": len(live), "stale": len(stale), "silenced": len(hidden)},
        "health": health(desk),
    }


def health(desk: Desk) -> dict[str, Any]:
    """The line that makes an empty page prove itself, or say that we are blind."""
    now = desk.clock.now()
    blind = [
        f"{name}: {p.error} for {wording.duration(now - p.failing_since)}"
        for name, p in desk.evaluations.progress.items()
        if p.failing_since is not None
    ]
    runs = [r for r in desk.engine.ledger.runs.values() if r.rule in _ids(desk)]
    newest = max((r.newest for r in runs if r.newest is not None), default=None)
    last = max((r.at for r in runs), default=None)
    broken = [r for r in runs if r.outcome is Outcome.MISCONFIGURED]
    store = desk.store.health().error
    return {
        "blind": blind,
        "store": store,
        "misconfigured": len(broken),
        "rules": len(runs),
        "last_run": _ago(last, now),
        "newest": _ago(newest, now),
        "waiting": len(desk.engine.ledger.deliveries),
        "router_only": not desk.evaluations.sources,
        "received": desk.engine.counts["new"] + desk.engine.counts["resent"],
    }


def story(desk: Desk, id_: str) -> dict[str, Any] | None:
    """One alert: why it fires, who was told, how it went, what came before.

    Reads the store: call it in a thread.
    """
    now = desk.clock.now()
    episodes = list(desk.store.history(alert=id_, limit=50))
    alert = desk.engine.ledger.alerts.get(id_) or (episodes[0] if episodes else None)
    if alert is None:
        return None
    rule = next((r for r in desk.evaluations.rules if r.id == alert.rule), None)
    run = desk.engine.ledger.runs.get(alert.rule)
    earlier = [e for e in episodes if e.fired_at != alert.fired_at]
    lasted = sorted((e.ends_at or now) - e.starts_at for e in earlier)
    silences = desk.engine.silences.silenced_by(alert.labels, now)
    return {
        "card": card(alert, desk),
        "alert": alert,
        "ended": wording.why_ended([alert]) if not alert.firing(now) else "",
        "ends_at": wording.clock(alert.ends_at, now)
        if not alert.firing(now) and alert.ends_at
        else "",
        "meaning": wording.meaning(alert),
        "action": wording.first_action(alert),
        "runbook": link(wording.runbook(alert)),
        "generator": link(alert.generator_url),
        "evidence": alert.evidence,
        "request": pretty(alert.evidence.request),
        "rule": rule,
        "run": run_line(run, now),
        "routes": [step_line(step) for step in desk.engine.router.explain(alert.labels)],
        "told": [told_line(d, desk) for d in desk.store.deliveries(alert=id_, limit=50)],
        "silences": [silence_line(s, desk) for s in silences],
        "labels": sorted(alert.labels.items()),
        "life": life(alert, now),
        "earlier": len(earlier),
        "median": wording.duration(lasted[len(lasted) // 2]) if lasted else "",
        "matchers": ",".join(
            f'{name}="{_quoted(value)}"'
            for name, value in sorted(alert.labels.items())
            if name != "severity"
        ),
    }


def step_line(step: Step) -> dict[str, Any]:
    """One route that was tried for an alert, and why it was not taken."""
    why = f"tells {step.route.receiver}" if step.taken else "matches; goes on below"
    if step.refused is not None:
        why = f"no: {format_matcher(step.refused)} does not hold"
    return {
        "route": " ".join(map(format_matcher, step.route.matchers)) or "(everything)",
        "place": f"{step.route.location.file}:{step.route.location.line}",
        "why": why,
        "taken": step.taken,
    }


def life(alert: Alert, now: float) -> list[tuple[str, str]]:
    """(time, what happened), in order."""
    steps = [(alert.starts_at, "began")]
    if alert.fired_at > alert.starts_at:
        steps.append((alert.fired_at, "became an alert"))
    if alert.stale_since is not None:
        steps.append((alert.stale_since, "its stream fell silent; held"))
    if not alert.firing(now) and alert.ends_at is not None:
        steps.append((alert.ends_at, f"ended: {wording.why_ended([alert])}"))
    return [(wording.clock(at, now), what) for at, what in steps]


def told_line(delivery: Delivery, desk: Desk) -> dict[str, Any]:
    """One delivery: to whom, how it went, why it was sent."""
    now = desk.clock.now()
    took = ""
    if delivery.finished_at is not None and delivery.started_at is not None:
        took = f"{(delivery.finished_at - delivery.started_at) * 1000:,.0f} ms"
    outcome = {
        DeliveryState.SENT: "delivered",
        DeliveryState.DEAD: "given up",
        DeliveryState.SUPERSEDED: "superseded by a newer one",
        DeliveryState.SENDING: "on its way",
        DeliveryState.AMBIGUOUS: "answer lost, asking",
        DeliveryState.READY: f"RETRY {delivery.attempts}" if delivery.attempts else "waiting",
    }[delivery.state]
    next_try = ""
    if delivery.state is DeliveryState.READY and delivery.due_at > desk.clock.now():
        next_try = wording.clock(delivery.due_at, now)
    return {
        "at": wording.clock(delivery.started_at or delivery.created_at, now),
        "receiver": delivery.receiver,
        "integration": delivery.integration,
        "target": _target(delivery, desk),
        "kind": str(delivery.kind),
        "state": str(delivery.state),
        "outcome": outcome,
        "took": took,
        "reason": delivery.reason,
        "detail": delivery.detail,
        "next": next_try,
        "summary": delivery.summary,
        "route": _route_of(delivery, desk),
        "alerts": len(delivery.firing) + len(delivery.resolved),
        "may_repeat": delivery.may_repeat,
    }


def rules(desk: Desk) -> list[dict[str, Any]]:
    """Every rule, misconfigured and stale first."""
    now = desk.clock.now()
    order = list(Outcome)
    rows = []
    for rule in desk.evaluations.rules:
        run = desk.engine.ledger.runs.get(rule.id)
        rows.append((order.index(run.outcome) if run else len(order), rule.id, rule, run))
    rows.sort(key=lambda row: row[:2])
    return [rule_line(rule, run, now) for _, _, rule, run in rows]


def rule_line(rule: Rule, run: RuleRun | None, now: float) -> dict[str, Any]:
    """A rule in a list."""
    return {
        "id": rule.id,
        "title": rule.title,
        "kind": str(rule.kind),
        "severity": rule.severity,
        "owner": rule.owner,
        "state": str(rule.state),
        "place": f"{rule.location.file}:{rule.location.line}",
        "outcome": str(run.outcome) if run else "not run yet",
        **run_line(run, now),
    }


def run_line(run: RuleRun | None, now: float) -> dict[str, Any]:
    """A rule's last run."""
    if run is None:
        return {"last": "", "ms": "", "error": "", "remedy": "", "firing": 0, "newest": ""}
    return {
        "last": _ago(run.at, now),
        "ms": f"{run.duration * 1000:,.0f} ms",
        "error": run.error,
        "remedy": run.remedy,
        "firing": run.firing,
        "newest": _ago(run.newest, now),
        "request": pretty(run.request),
        "answer": pretty(run.answer),
    }


def silences(desk: Desk) -> list[dict[str, Any]]:
    """Silences that are not over, those that end first on top; then the expired."""
    now = desk.clock.now()
    order = [SilenceState.ACTIVE, SilenceState.PENDING, SilenceState.EXPIRED]
    chosen = sorted(
        desk.engine.ledger.silences.values(), key=lambda s: (order.index(s.state(now)), s.ends_at)
    )
    return [silence_line(s, desk) for s in chosen[:ROWS]]


def silence_line(silence: Silence, desk: Desk) -> dict[str, Any]:
    """A silence in a list, with what it hides now."""
    now = desk.clock.now()
    matches = compile_matchers(silence.matchers)
    alerts = desk.engine.ledger.alerts.values()
    return {
        "id": silence.id,
        "state": str(silence.state(now)),
        "matchers": [format_matcher(m) for m in silence.matchers],
        "by": silence.created_by,
        "comment": silence.comment,
        "from": wording.clock(silence.starts_at, now),
        "until": wording.clock(silence.ends_at, now),
        "hides": sum(a.firing(now) and matches(a.labels) for a in alerts),
        "active": silence.state(now) is not SilenceState.EXPIRED,
    }


def receivers(desk: Desk, recent: Sequence[Delivery]) -> list[dict[str, Any]]:
    """Each integration: what was last delivered, and what waits. `recent` newest first."""
    now = desk.clock.now()
    waiting = list(desk.engine.ledger.deliveries.values())
    rows = []
    for receiver in desk.engine.routing.receivers:
        if not receiver.integrations:
            rows.append(
                {
                    "name": receiver.name,
                    "integration": "",
                    "ok": True,
                    "last": "",
                    "waiting": 0,
                    "problem": "tells nobody",
                    "target": "",
                }
            )
        for integration in receiver.integrations:
            mine = [d for d in recent if d.integration == integration.id]
            sent = next((d for d in mine if d.state is DeliveryState.SENT), None)
            stuck = [d for d in waiting if d.integration == integration.id]
            problem = next((d.detail for d in stuck if d.detail), "")
            rows.append(
                {
                    "name": receiver.name,
                    "integration": integration.id,
                    "target": getattr(integration, "channel", "") or integration.kind,
                    "ok": not problem,
                    "last": _ago(sent.finished_at if sent else None, now),
                    "waiting": len(stuck),
                    "problem": problem,
                }
            )
    return rows


def about(desk: Desk) -> dict[str, Any]:
    """Configuration and how the engine fares."""
    now = desk.clock.now()
    store = desk.store.health()
    return {
        "version": desk.version,
        "up": wording.duration(now - desk.started_at),
        "reload": "ok" if desk.reload_ok else "refused: the old configuration runs on",
        "reload_at": _ago(desk.reload_at, now),
        "problems": [(str(p.location), str(p.severity), p.message) for p in desk.problems[:ROWS]],
        "store": store.error or "ok",
        "waiting": store.waiting,
        "routes": desk.engine.routing.text,
        "sources": [
            {
                "name": name,
                "error": p.error,
                "last": _ago(p.last_success, now),
                "behind": p.behind,
                "dropped": p.dropped,
            }
            for name, p in desk.evaluations.progress.items()
        ],
    }


def link(text: str) -> str:
    """`text` if it is an http(s) address, else nothing: no other scheme becomes a link."""
    return text if text.startswith(("http://", "https://")) else ""


def pretty(text: str) -> str:
    """JSON with indents, for reading; other text as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def alerts_of(fingerprints: Iterable[str], desk: Desk) -> list[Alert]:
    """The alerts that the ledger has of these."""
    known = (desk.engine.ledger.alerts.get(f) for f in fingerprints)
    return [alert for alert in known if alert is not None]


def _ids(desk: Desk) -> set[str]:
    return {rule.id for rule in desk.evaluations.rules}


def _ago(at: float | None, now: float) -> str:
    return "" if at is None else f"{wording.duration(max(0.0, now - at))} ago"


def _target(delivery: Delivery, desk: Desk) -> str:
    integration = desk.engine.routing.integration(delivery.integration)
    return getattr(integration, "channel", "") or delivery.receiver


def _route_of(delivery: Delivery, desk: Desk) -> str:
    group = desk.engine.ledger.groups.get(delivery.group)
    if group is None:
        return ""
    routes = [desk.engine.routing.root]
    while routes:
        route = routes.pop()
        if route.id == group.route:
            return f"{route.receiver}, {route.location.file}:{route.location.line}"
        routes.extend(route.routes)
    return ""


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
