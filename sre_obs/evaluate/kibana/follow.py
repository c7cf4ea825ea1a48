"""Kibana's documents + alerts as they stand -> what began, changed or ended.

A look is either *whole* (all that is active, and whatever became of the alerts that we
hold open: at the start and every few minutes) or what moved since the last. Only a whole
look can say that a document is gone. Nothing ends because a look saw nothing of it.

When every rule that we hold alerts of has stopped writing, it is Kibana that stopped: then
nothing is resolved, the alerts are held as stale, and one alert of our own says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sre_obs.evaluate.kibana.alert import UUID, alert_of, identity, same
from sre_obs.evaluate.kibana.document import KibanaAlert, read, uuid_of
from sre_obs.evaluate.kibana.standing import SKEW, Kind, Options, Standing, standing
from sre_obs.model.alert import Alert, EndReason

# A rule that missed so many of its runs, and at least so many seconds, has stopped.
RUNS = 3
PATIENCE = 900.0


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered from look to look; a restart begins with a whole look instead.

    `cursor`: the newest time that was seen, Kibana's own clock. `runs`: rule -> its newest
    run. `pauses`: rule -> the shortest time between two of its runs.
    """

    cursor: float | None = None
    runs: Mapping[str, float] = field(default_factory=dict)
    pauses: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Followed:
    """The alerts to take in, what to remember, since when Kibana is silent, if it is, and
    how many documents could not be read: what they are about is held."""

    alerts: tuple[Alert, ...]
    memory: Memory
    silent_since: float | None = None
    unreadable: int = 0


def follow(
    hits: Iterable[Any],
    held: Mapping[str, Alert],
    memory: Memory,
    options: Options,
    now: float,
    *,
    whole: bool,
) -> Followed:
    """`hits` are the documents of one look; `held` the alerts of this source that are not
    over, by fingerprint."""
    documents: list[KibanaAlert] = []
    odd: set[str] = set()
    unreadable = 0
    for hit in hits:
        found = read(hit)
        if found is None:
            odd.add(uuid_of(hit))
            unreadable += 1
        else:
            documents.append(found)
    memory = _remember(memory, documents, now)
    standings = _newest(documents, options, now)
    silent_since = _silence(standings, held, memory, now) if whole else None
    alerts: list[Alert] = []
    for print_, (document, how) in standings.items():
        known = held.get(print_)
        if how.kind is Kind.ENDED:
            # A held alert may by now be of another lifetime than the document that ended.
            if known is not None and _newer(document, known):
                alerts.append(_ended(known, how.at, how.ended))
            continue
        if _stopped(document, memory, now):
            if silent_since is not None:
                if known is not None and known.stale_since is None:
                    alerts.append(replace(known, stale_since=silent_since, updated_at=now))
                continue
            if known is not None:
                alerts.append(_ended(known, now, EndReason.STOPPED))
            continue
        alert = alert_of(document, how, options, now)
        if known is None or not same(alert, known):
            alerts.append(alert)
    if whole:
        missing = held.keys() - {identity(document, options.source) for document in documents}
        # A document that can't be read is there: nobody deleted it.
        gone = [p for p in sorted(missing) if held[p].annotations.get(UUID) not in odd]
        alerts += [_ended(held[print_], now, EndReason.DELETED) for print_ in gone]
    return Followed(tuple(alerts), memory, silent_since, unreadable)


def uuids_of(held: Iterable[Alert]) -> Sequence[str]:
    """The documents that a whole look must ask about."""
    return sorted(alert.annotations[UUID] for alert in held if UUID in alert.annotations)


def held_of(alerts: Iterable[Alert], source: str) -> dict[str, Alert]:
    """The alerts of one Kibana source that are not over."""
    return {
        alert.fingerprint: alert
        for alert in alerts
        # Those from the API always have an end.
        if UUID in alert.annotations
        and alert.ends_at is None
        and not alert.rule
        and alert.labels.get("source") == source
    }


def orphaned(alerts: Iterable[Alert], sources: Iterable[str], now: float) -> tuple[Alert, ...]:
    """The ends of alerts whose source is not configured any more."""
    known = set(sources)
    return tuple(
        _ended(alert, now, EndReason.REMOVED)
        for alert in alerts
        if UUID in alert.annotations
        and alert.ends_at is None
        and not alert.rule
        and alert.labels.get("source") not in known
    )


def _newest(
    documents: Iterable[KibanaAlert], options: Options, now: float
) -> dict[str, tuple[KibanaAlert, Standing]]:
    """One document a thing: of several lifetimes the one that began last, since Kibana may
    leave an older one active when it is killed between two writes."""
    found: dict[str, tuple[KibanaAlert, Standing]] = {}
    for document in documents:
        how = standing(document, options, now)
        if how.kind is Kind.IGNORED:
            continue
        print_ = identity(document, options.source)
        known = found.get(print_)
        if known is None or _order(document) >= _order(known[0]):
            found[print_] = (document, how)
    return found


def _order(document: KibanaAlert) -> tuple[float, float]:
    return (document.start, document.seen_at)


def _newer(document: KibanaAlert, known: Alert) -> bool:
    return document.uuid == known.annotations.get(UUID) or document.start >= known.fired_at


def _ended(known: Alert, at: float, reason: EndReason | None) -> Alert:
    end = max(at, known.starts_at)
    return replace(known, ends_at=end, updated_at=end, ended=reason, stale_since=None)


def _remember(memory: Memory, documents: Sequence[KibanaAlert], now: float) -> Memory:
    cursor, runs, pauses = memory.cursor, dict(memory.runs), dict(memory.pauses)
    times: dict[str, set[float]] = {}
    for document in documents:
        if document.seen_at > now + SKEW:
            continue
        cursor = max(cursor or document.seen_at, document.seen_at)
        if not document.security:
            times.setdefault(document.rule_uuid, set()).add(document.seen_at)
    for rule, seen in times.items():
        last = runs.get(rule)
        newest = max(seen)
        if last is not None and newest > last:
            pauses[rule] = min(pauses.get(rule, newest - last), newest - last)
        runs[rule] = max(newest, last or newest)
    return Memory(cursor, runs, pauses)


def _stopped(document: KibanaAlert, memory: Memory, now: float) -> bool:
    """Whether the rule has missed its runs, as far as it is known how often it runs."""
    pause = memory.pauses.get(document.rule_uuid)
    if pause is None or document.security:
        return False
    last = max(memory.runs.get(document.rule_uuid, 0.0), document.seen_at)
    return now - last >= max(RUNS * pause, PATIENCE)


def _silence(
    standings: Mapping[str, tuple[KibanaAlert, Standing]],
    held: Mapping[str, Alert],
    memory: Memory,
    now: float,
) -> float | None:
    """Since when nothing is written at all, where it should be."""
    active = [
        document
        for print_, (document, how) in standings.items()
        if print_ in held and how.kind is not Kind.ENDED and not document.security
    ]
    if not active or not all(_stopped(document, memory, now) for document in active):
        return None
    newest = max(memory.runs.values(), default=0.0)
    return newest if now - newest >= PATIENCE else None
