"""Cards: what fires, what is stale, what is silenced; and what has fired."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sre_obs.app.daemon.desk import Desk
from sre_obs.app.daemon.web import words
from sre_obs.model.alert import Alert
from sre_obs.notify import wording
from sre_obs.query.matchers import compile_matchers, parse_matchers

# A page lists so many; the rest is a filter away. More would be slow on a phone and
# unreadable anywhere.
ROWS = 100
_RANK = {wording.State.CRITICAL: 0, wording.State.WARNING: 1, wording.State.INFO: 2}


@dataclass(frozen=True, slots=True)
class Card:
    """An alert in a list, and at the head of its story."""

    id: str
    episode: str  # unlike the id, another one when the same alert fires again
    state: str
    glyph: str
    name: str
    title: str
    entity: str
    measured: str  # "912 s, limit 900 s"; of an ended one how long it lasted and its peak
    since: words.Moment | None
    ended: words.Moment | None
    why_ended: str
    owner: str
    place: str
    silenced: str  # "ana until 05:00:00 UTC"
    shadow: bool
    flapping: str  # "flapping, kept until calm"


def card(alert: Alert, desk: Desk) -> Card:
    """`alert` as a list shows it."""
    now = desk.clock.now()
    fires = alert.firing(now)
    state = wording.state((alert,), ()) if fires else wording.state((), (alert,))
    over = not fires and alert.ends_at is not None
    return Card(
        id=alert.fingerprint,
        episode=f"{alert.fingerprint}-{alert.fired_at:.0f}",
        state=str(state),
        glyph=words.GLYPHS[state],
        name=alert.name,
        title=wording.title(alert),
        entity="@".join(wording.entity(alert)),
        measured=_measured(alert, now) if fires else _lasted(alert, now),
        since=words.moment(alert.starts_at, now),
        ended=words.moment(alert.ends_at, now) if over else None,
        why_ended=wording.why_ended([alert]) if not fires else "",
        owner=wording.owner(alert),
        place=wording.place(alert),
        silenced=_silenced(alert, desk, now) if fires else "",
        shadow=alert.shadow,
        flapping=wording.flapping([alert]) if fires else "",
    )


def firing(desk: Desk, text: str) -> dict[str, Any]:
    """The front page: worst and oldest first. Raises QueryError for a wrong filter."""
    now = desk.clock.now()
    matches = compile_matchers(parse_matchers(text)) if text.strip() else None
    silences = desk.engine.silences
    live: list[Alert] = []
    stale: list[Alert] = []
    hidden: list[Alert] = []
    others = 0
    for alert in desk.engine.ledger.alerts.values():
        if not alert.firing(now):
            continue
        if matches is not None and not matches(alert.labels):
            others += 1
        elif silences.silenced_by(alert.labels, now, alert.fingerprint):
            hidden.append(alert)
        else:
            (live if alert.stale_since is None else stale).append(alert)
    return {
        "query": text,
        "counts": {
            "firing": len(live),
            "stale": len(stale),
            "silenced": len(hidden),
            "filtered_out": others,
        },
        "firing": _cards(live, desk),
        "stale": _cards(stale, desk),
        "silenced": _cards(hidden, desk),
    }


def history(desk: Desk, episodes: Sequence[Alert]) -> list[Card]:
    """What has fired, newest first, as the store gives it."""
    return [card(alert, desk) for alert in episodes]


def fires_now(desk: Desk) -> list[Alert]:
    """All that fires, silenced or not."""
    now = desk.clock.now()
    return [alert for alert in desk.engine.ledger.alerts.values() if alert.firing(now)]


def _cards(alerts: Iterable[Alert], desk: Desk) -> list[Card]:
    return [card(alert, desk) for alert in heapq.nsmallest(ROWS, alerts, key=_order)]


def _order(alert: Alert) -> tuple[int, float, str]:
    return (_RANK[wording.severity(alert)], alert.starts_at, alert.fingerprint)


def _measured(alert: Alert, now: float) -> str:
    if alert.stale_since is None:
        return wording.measured(alert.evidence)
    since = words.moment(alert.stale_since, now)
    last = wording.last_value(alert.evidence)
    silent = f"no data since {since.text}" if since else "no data"
    return f"{silent}, last {last}" if last else silent


def _lasted(alert: Alert, now: float) -> str:
    ended = now if alert.ends_at is None else alert.ends_at
    peak = wording.peak(alert.evidence)
    return f"lasted {words.span(ended - alert.starts_at)}" + (f", {peak}" if peak else "")


def _silenced(alert: Alert, desk: Desk, now: float) -> str:
    by = desk.engine.silences.silenced_by(alert.labels, now, alert.fingerprint)
    if not by:
        return ""
    last = max(by, key=lambda silence: silence.ends_at)
    until = words.moment(last.ends_at, now)
    return f"{last.created_by} until {until.text if until else '?'}"
