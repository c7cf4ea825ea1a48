"""One alert's story: why it fires, who was told and who not, its life, what came before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sre_obs.app.daemon.desk import Desk
from sre_obs.app.daemon.web import words
from sre_obs.app.daemon.web.firing import card
from sre_obs.app.daemon.web.receivers import tell_line
from sre_obs.app.daemon.web.rules import run_line
from sre_obs.model.alert import Alert, Evidence
from sre_obs.model.matcher import Matcher, MatchOp
from sre_obs.model.notification import RISEN, Delivery, DeliveryState, Group
from sre_obs.model.routing import Route
from sre_obs.model.silence import Silence
from sre_obs.notify import wording
from sre_obs.query.matchers import compile_matchers, format_matcher
from sre_obs.route.tree import Step

# How often an alert fired before is read from so many of its last episodes.
EPISODES = 50
DELIVERIES = 50


@dataclass(frozen=True, slots=True)
class Untold:
    """A receiver that was not told, or not yet, and why."""

    target: str
    integration: str
    why: str
    href: str  # to what keeps it from being told
    route: str
    group: str


def story(
    desk: Desk, id_: str, episodes: Sequence[Alert], deliveries: Sequence[Delivery]
) -> dict[str, Any] | None:
    """The story of the alert `id_`; `episodes` and `deliveries` are the store's, newest
    first. None if nobody knows it (any more)."""
    now = desk.clock.now()
    alert = desk.engine.ledger.alerts.get(id_) or (episodes[0] if episodes else None)
    if alert is None:
        return None
    told = [d for d in deliveries if d.created_at >= alert.fired_at]
    earlier = [e for e in episodes if e.fired_at < alert.fired_at]
    groups = _groups(alert, deliveries, desk)
    evidence = alert.evidence
    return {
        "card": card(alert, desk),
        "fires": alert.firing(now),
        "fact": wording.fact(alert),
        "meaning": wording.meaning(alert),
        "look": wording.first_look(alert),
        "action": wording.first_action(alert),
        "runbook": words.link(wording.runbook(alert)),
        "generator": words.link(alert.generator_url),
        "limit": _limit(alert),
        "evidence": evidence,
        "measures": _measures(evidence),
        "documents": _documents(evidence),
        "request": words.pretty(evidence.request),
        "rule": next((r for r in desk.evaluations.rules if r.id == alert.rule), None),
        "run": run_line(desk.engine.ledger.runs.get(alert.rule), now),
        "told": [tell_line(d, desk) for d in told],
        "told_before": [tell_line(d, desk) for d in deliveries if d.created_at < alert.fired_at],
        "untold": _untold(alert, told, desk) if alert.firing(now) else [],
        "groups": [group_line(group, desk) for group in groups],
        "steps": [step_line(step) for step in desk.engine.router.explain(alert.labels)],
        "life": life(alert, told, desk),
        "before": before(earlier, now),
        "labels": sorted(alert.labels.items()),
        "annotations": sorted(alert.annotations.items()),
        "matchers": ",".join(_matchers(alert)),
    }


def step_line(step: Step) -> dict[str, Any]:
    """One route that was tried for an alert, and why it was not taken."""
    why = f"tells {step.route.receiver}" if step.taken else "matches, and goes on below"
    if step.refused is not None:
        why = f"no: {format_matcher(step.refused)} does not hold"
    return {
        "matchers": words.matchers(step.route.matchers) or "(everything)",
        "place": f"{step.route.location.file}:{step.route.location.line}",
        "why": why,
        "taken": step.taken,
        "depth": min(step.depth, 6),
    }


def group_line(group: Group, desk: Desk) -> dict[str, Any]:
    """With whom an alert is told, by which route, and when that is looked at again."""
    now = desk.clock.now()
    route = desk.engine.router.routes.get(group.route)
    return {
        "id": wording.group_id(group.key),
        "labels": sorted(group.labels.items()),
        "receiver": group.receiver,
        "route": f"{route.receiver}, {words.place(route)}" if route else "",
        "matchers": words.matchers(route.matchers) if route else "",
        "alerts": sum(1 for _ in desk.engine.ledger.members(group.key)),
        "next": words.moment(group.flush_at, now) if (group.flush_at or 0) > now else None,
    }


def life(
    alert: Alert, told: Sequence[Delivery], desk: Desk
) -> list[tuple[words.Moment | None, str]]:
    """What happened to it, in order."""
    now = desk.clock.now()
    steps = [(alert.starts_at, "began")]
    if alert.fired_at > alert.starts_at:
        # At which level it did is not kept of one that has risen.
        fired = "fired" if alert.level else f"fired, {wording.severity(alert)}"
        steps.append((alert.fired_at, fired))
    sent = [d for d in told if d.state is DeliveryState.SENT and d.finished_at is not None]
    if sent:
        first = sent[-1]
        integration = desk.engine.routing.integration(first.integration)
        target = words.target(integration, first.receiver)
        steps.append((first.finished_at or first.created_at, f"{target} was told"))
    # A row for each integration and kind, of one moment.
    rises = dict.fromkeys(d.created_at for d in told if d.reason == RISEN)
    steps += ((at, "its severity had risen") for at in rises)
    if alert.stale_since is not None:
        steps.append((alert.stale_since, "its stream fell silent: held, not resolved"))
    end = alert.ends_at if not alert.firing(now) else None
    for silence in _silences(alert, end if end is not None else now, desk):
        steps.append((max(silence.starts_at, alert.starts_at), f"silenced by {_by(silence, now)}"))
        if silence.ends_at <= (end if end is not None else now):
            steps.append((silence.ends_at, "the silence ended"))
    if end is not None:
        steps.append((end, f"ended: {wording.why_ended([alert])}"))
    steps.sort(key=lambda step: step[0])
    return [(words.moment(at, now), what) for at, what in steps]


def before(earlier: Sequence[Alert], now: float) -> dict[str, Any]:
    """How often it fired before, and how long that usually lasts."""
    lasted = sorted(max(0.0, (e.ends_at or now) - e.starts_at) for e in earlier)
    first = min((e.starts_at for e in earlier), default=now)
    return {
        "count": len(earlier),
        "more": len(earlier) + 1 >= EPISODES,
        "span": words.span(now - first),
        "median": words.span(lasted[len(lasted) // 2]) if lasted else "",
        "episodes": [
            (words.moment(e.starts_at, now), words.span((e.ends_at or now) - e.starts_at))
            for e in earlier[:10]
        ],
    }


def _limit(alert: Alert) -> str:
    """``critical >= 900 s``: what was exceeded to make it so."""
    evidence = alert.evidence
    severity = str(wording.severity(alert)).lower()
    if evidence.limit is None or not evidence.comparison:
        return severity
    function = f"{evidence.function} " if evidence.function not in ("", "absence") else ""
    limit = wording.quantity(evidence.limit, evidence.unit)
    return f"{severity}: {function}{evidence.comparison} {limit}"


def _measures(evidence: Evidence) -> list[tuple[str, str]]:
    """What the value was made of, if it is not the value itself."""
    if len(evidence.measures) < 2 and evidence.value in evidence.measures.values():
        return []
    return [
        (name, "unknown" if value is None else wording.number(value))
        for name, value in evidence.measures.items()
    ]


def _documents(evidence: Evidence) -> str:
    shown = len(evidence.documents)
    if not shown:
        return ""
    some = words.count(shown, "document")
    return f"{some} of {evidence.count:,}" if evidence.count > shown else some


def _groups(alert: Alert, deliveries: Iterable[Delivery], desk: Desk) -> list[Group]:
    """The groups that it is in, and those in which it was told."""
    ledger = desk.engine.ledger
    keys = dict.fromkeys((*ledger.groups_of(alert.fingerprint), *(d.group for d in deliveries)))
    return [group for key in keys if (group := ledger.groups.get(key)) is not None]


def _untold(alert: Alert, told: Sequence[Delivery], desk: Desk) -> list[Untold]:
    now, engine = desk.clock.now(), desk.engine
    by = engine.silences.silenced_by(alert.labels, now, alert.fingerprint)
    kept, href = "", ""
    if alert.shadow:
        kept, href = "not sent: its rule is in shadow", f"/rules/{alert.rule}"
    elif by:
        kept, href = f"not sent: silenced by {_by(by[0], now)}", f"/silences#s-{by[0].id}"
    reached = {delivery.integration for delivery in told}
    found: list[Untold] = []
    for route in engine.router.match(alert.labels, alert.fingerprint):
        receiver = engine.routing.receiver(route.receiver)
        group = _group_of(alert, route, desk)
        id_ = wording.group_id(group.key) if group else ""
        named = f"{route.receiver}, {words.place(route)}"
        if receiver is None or not receiver.integrations:
            why = kept or "not sent: this receiver tells nobody"
            found.append(Untold(route.receiver, "", why, href or "/receivers", named, id_))
            continue
        when = words.moment(group.flush_at if group else None, now)
        waits = f"not yet: its group is looked at {when.ago}" if when else "not yet"
        found += [
            Untold(
                words.target(integration, route.receiver),
                integration.id,
                kept or waits,
                href,
                named,
                id_,
            )
            for integration in receiver.integrations
            if kept or integration.id not in reached
        ]
    return found


def _group_of(alert: Alert, route: Route, desk: Desk) -> Group | None:
    ledger = desk.engine.ledger
    groups = (ledger.groups.get(key) for key in ledger.groups_of(alert.fingerprint))
    return next((g for g in groups if g is not None and g.route == route.id), None)


def _silences(alert: Alert, end: float, desk: Desk) -> list[Silence]:
    """Those that were in force at some time of its life."""
    return [
        silence
        for silence in desk.engine.ledger.silences.values()
        if silence.starts_at < end
        and silence.ends_at > max(alert.starts_at, silence.starts_at)
        and compile_matchers(silence.matchers)(alert.labels)
    ]


def _by(silence: Silence, now: float) -> str:
    until = words.moment(silence.ends_at, now)
    when = until.text if until else "an unknown time"
    return f"{silence.created_by} until {when} ({silence.id[:8]}): {silence.comment}"


def _matchers(alert: Alert) -> list[str]:
    """What a silence for this alert starts from: all that tells it from others."""
    return [
        format_matcher(Matcher(name, MatchOp.EQUAL, value))
        for name, value in sorted(alert.labels.items())
        if name != "severity" and value
    ]
