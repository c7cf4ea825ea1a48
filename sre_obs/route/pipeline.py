"""A group that is due: what is told of it, to whom, and why.

The steps are in `flush`, one after the other; inhibition and time intervals will stand
between `observe` and `silenced`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sre_obs.model.alert import Alert
from sre_obs.model.changes import Changes
from sre_obs.model.ledger import Ledger
from sre_obs.model.notification import Delivery, Group, Told
from sre_obs.model.routing import Route
from sre_obs.model.silence import Silence
from sre_obs.route.dedup import Standing, Terms, Verdict, dedup
from sre_obs.route.enqueue import Telling, enqueue
from sre_obs.route.forget import done_with, next_look, unsent
from sre_obs.route.observe import Look, observe
from sre_obs.route.silence import SilenceIndex, silenced
from sre_obs.route.tree import Router, Target


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided for one integration, told or not, and why in words.

    `suppressed` are fingerprints of members that nobody is told of just now; `reason`
    says by whom and until when.
    """

    group: str  # Group.key
    integration: str  # Integration.id; empty when the receiver has none
    told: bool
    reason: str
    suppressed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flushed:
    """What came of a look. `changes` are for the Ledger and the Store.

    `refreshed` is for the Ledger alone, ``ledger.apply(Changes(groups=refreshed))``:
    nothing but the time of the next look has moved. A start that knows an older one looks
    at the group at once, and finds nothing to tell.
    """

    changes: Changes
    decisions: tuple[Decision, ...]
    refreshed: tuple[Group, ...] = ()


def flush(
    group: Group, ledger: Ledger, router: Router, silences: SilenceIndex, now: float
) -> Flushed:
    """Look at `group`; the ledger is read and not changed.

    Apply what is returned before the next call: rows are numbered from the ledger's next
    number. What is told and the rows that stand for it are in the same `changes`.
    """
    route = router.routes.get(group.route)
    targets = router.targets(route, group.told)
    look = silenced(observe(group, ledger, router, now), silences)
    verdicts = _verdicts(look, targets, route)
    rows = _rows(look, verdicts, ledger)
    told = _told(group, verdicts, ledger)
    forgotten = done_with(look, told, ledger, fresh=bool(rows))
    decisions = _decisions(look, verdicts)
    if len(forgotten) == len(look.members) and not rows and not unsent(group, ledger):
        gone = Changes(
            alerts=look.expired, forgotten_alerts=forgotten, forgotten_groups=(group.key,)
        )
        return Flushed(gone, decisions)
    interval = (route or router.routing.root).group_interval
    after = replace(group, told=told, flush_at=next_look(look, interval))
    if told is group.told and not (rows or forgotten or look.expired):
        return Flushed(Changes(), decisions, refreshed=(after,))
    changes = Changes(
        alerts=look.expired, forgotten_alerts=forgotten, groups=(after,), deliveries=rows
    )
    return Flushed(changes, decisions)


def _verdicts(
    look: Look, targets: Iterable[Target], route: Route | None
) -> list[tuple[Target, Verdict]]:
    standing = Standing(
        look.members,
        frozenset([alert.fingerprint for alert in look.firing]),
        frozenset([alert.fingerprint for alert in look.ended]),
        frozenset([alert.fingerprint for alert in look.moved]),
        {a.fingerprint: a.level for alerts in (look.firing, look.moved) for a in alerts if a.level},
    )
    repeat = None if route is None or _drill(look.firing) else route.repeat_interval
    verdicts: list[tuple[Target, Verdict]] = []
    for target in targets:
        integration = target.integration
        terms = Terms(
            integration.send_resolved, repeat, target.former, edits=integration.kind == "slack"
        )
        told = look.group.told.get(target.integration.id)
        verdicts.append((target, dedup(told, standing, terms, look.now)))
    return verdicts


def _rows(
    look: Look, verdicts: Iterable[tuple[Target, Verdict]], ledger: Ledger
) -> tuple[Delivery, ...]:
    rows: list[Delivery] = []
    number = ledger.next_number
    for target, verdict in verdicts:
        if verdict.reason is None or verdict.told is None:
            continue
        telling = _telling(look, target, verdict)
        waiting = ledger.conversation(look.group.key, target.integration.id)
        queued = enqueue(telling, waiting, number)
        number = max([number, *(row.number + 1 for row in queued)])
        rows.extend(queued)
    return tuple(rows)


def _telling(look: Look, target: Target, verdict: Verdict) -> Telling:
    told = verdict.told
    assert told is not None
    assert verdict.reason is not None
    before = look.group.told.get(target.integration.id)
    firing = [a for a in (*look.firing, *look.moved) if a.fingerprint in told.firing]
    resolved = [a for a in look.ended if a.fingerprint in told.resolved]
    return Telling(
        group=look.group.key,
        target=target,
        reason=verdict.reason,
        told=told,
        firing=tuple([a.fingerprint for a in firing]),
        news=tuple([a.fingerprint for a in resolved if a.fingerprint in verdict.news]),
        resolved=tuple([a.fingerprint for a in resolved]),
        relisted=before is None
        or before.firing != told.firing
        or before.levels.items() != told.levels.items(),
        drill=_drill((*firing, *resolved)),
        now=look.now,
    )


def _told(
    group: Group, verdicts: Iterable[tuple[Target, Verdict]], ledger: Ledger
) -> Mapping[str, Told]:
    """What each integration was told; of those that are no more only while rows wait."""
    known = {target.integration.id: verdict.told for target, verdict in verdicts}
    told = {id_: each for id_, each in known.items() if each is not None}
    for id_, each in group.told.items():
        if id_ not in known and ledger.conversation(group.key, id_):
            told[id_] = each
    same = told.keys() == group.told.keys() and all(told[i] is group.told[i] for i in told)
    return group.told if same else told


def _decisions(look: Look, verdicts: Iterable[tuple[Target, Verdict]]) -> tuple[Decision, ...]:
    by = _suppression(look)
    suppressed = tuple([each.alert.fingerprint for each in look.suppressed])
    key = look.group.key
    return tuple(
        [
            Decision(
                key,
                target.integration.id,
                verdict.reason is not None,
                (str(verdict.reason) if verdict.reason else verdict.why_not) + by,
                suppressed,
            )
            for target, verdict in verdicts
        ]
    ) or (Decision(key, "", told=False, reason="the receiver tells nobody" + by),)


def _suppression(look: Look) -> str:
    """``; 2 of 3 silenced by 5f0c (Ana: deploy) until 2026-01-02T03:04:05Z``, or nothing."""
    if not look.suppressed:
        return ""
    silences = {s.id: s for each in look.suppressed for s in each.by}
    parts: list[str] = []
    if silences:
        latest = sorted(silences.values(), key=lambda s: -s.ends_at)
        more = f" and {len(latest) - 2} more" if len(latest) > 2 else ""
        who = " and ".join([_silence_text(s) for s in latest[:2]])
        count = sum(1 for each in look.suppressed if each.by)
        parts.append(f"{count} of {len(look.members)} silenced by {who}{more}")
    whys = Counter(each.why for each in look.suppressed if each.why)
    parts += [f"{count} of {len(look.members)} {why}" for why, count in whys.items()]
    return "".join(f"; {part}" for part in parts)


def _silence_text(silence: Silence) -> str:
    until = datetime.fromtimestamp(silence.ends_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{silence.id} ({silence.created_by}: {silence.comment[:80]}) until {until}"


def _drill(alerts: tuple[Alert, ...]) -> bool:
    return bool(alerts) and all(alert.drill for alert in alerts)
