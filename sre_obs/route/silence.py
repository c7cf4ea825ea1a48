"""Step: who is told of to nobody just now. And silences themselves: which are in force,
what makes a new one wrong, what becomes of one that is changed or expired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sre_obs.model.alert import Alert
from sre_obs.model.changes import Changes
from sre_obs.model.errors import QueryError
from sre_obs.model.ledger import Ledger
from sre_obs.model.notification import Group
from sre_obs.model.silence import Silence, SilenceState
from sre_obs.query.matchers import compile_matchers, format_matcher
from sre_obs.route.group import waits
from sre_obs.route.index import MatcherIndex
from sre_obs.route.observe import Look, Suppressed
from sre_obs.route.tree import Router

_REMEMBERED = 131_072  # alerts whose silences are remembered


class SilenceIndex:
    """All silences, to ask which of them are in force for an alert.

    Make a new one when silences change: what is remembered of alerts goes with the old.
    """

    def __init__(self, silences: Iterable[Silence] = ()) -> None:
        self._silences = tuple(silences)
        self._index = MatcherIndex([silence.matchers for silence in self._silences])
        self._memo: dict[str, tuple[Silence, ...]] = {}

    def silenced_by(
        self, labels: Mapping[str, str], now: float, fingerprint: str = ""
    ) -> tuple[Silence, ...]:
        """The silences in force at `now`. With the alert's fingerprint, those that match
        are remembered."""
        if not self._silences:
            return ()
        matching = self._memo.get(fingerprint) if fingerprint else None
        if matching is None:
            matching = tuple([self._silences[n] for n in self._index.matching(labels)])
            if fingerprint:
                if len(self._memo) >= _REMEMBERED:
                    self._memo.clear()
                self._memo[fingerprint] = matching
        if not matching:
            return ()
        return tuple([s for s in matching if s.starts_at <= now < s.ends_at])

    def forget(self, fingerprints: Iterable[str]) -> None:
        """Look these up anew: the labels of the alerts have changed."""
        for fingerprint in fingerprints:
            self._memo.pop(fingerprint, None)


def silenced(look: Look, silences: SilenceIndex) -> Look:
    """Set aside who is silenced, firing or ended: an end that is owed is told once the
    silence is over."""
    firing: list[Alert] = []
    ended: list[Alert] = []
    suppressed = list(look.suppressed)
    for alerts, audible in ((look.firing, firing), (look.ended, ended)):
        for alert in alerts:
            by = silences.silenced_by(alert.labels, look.now, alert.fingerprint)
            if by:
                suppressed.append(Suppressed(alert, by))
            else:
                audible.append(alert)
    moved = look.moved
    if moved:
        moved = tuple(
            [a for a in moved if not silences.silenced_by(a.labels, look.now, a.fingerprint)]
        )
    if len(suppressed) == len(look.suppressed) and len(moved) == len(look.moved):
        return look
    return replace(
        look,
        firing=tuple(firing),
        ended=tuple(ended),
        suppressed=tuple(suppressed),
        moved=moved,
    )


def touched_by_silence(silence: Silence, ledger: Ledger, router: Router, now: float) -> Changes:
    """Groups to look at again because `silence` was added, changed or expired.

    The groups of each alert that it matches are looked at when the silence ends, or now
    if it has ended, where that is sooner than they would be. A group that waits for its
    first look goes on waiting.
    """
    at = max(now, silence.ends_at)
    matches = compile_matchers(silence.matchers)
    keys = {
        key: None
        for alert in ledger.alerts.values()
        if matches(alert.labels)
        for key in ledger.groups_of(alert.fingerprint)
    }
    sooner: list[Group] = []
    for key in keys:
        group = ledger.groups.get(key)
        if group is None or (group.flush_at is not None and group.flush_at <= at):
            continue
        route = router.routes.get(group.route)
        if route is None or not waits(group, route):
            sooner.append(replace(group, flush_at=at))
    return Changes(groups=tuple(sooner))


def validate(silence: Silence, now: float) -> list[str]:
    """What is wrong with a silence that somebody wants to set, in words; empty if nothing."""
    problems: list[str] = []
    for matcher in silence.matchers:
        if not matcher.name:
            problems.append("a matcher has no label name")
    try:
        if not silence.matchers:
            problems.append("it has no matchers: it would silence everything")
        elif compile_matchers(silence.matchers)({}):
            # An absent label equals "": such a silence hits alerts that nobody thought of.
            shown = ", ".join(format_matcher(m) for m in silence.matchers)
            problems.append(
                f"each of its matchers holds for a label that is not there ({shown}): "
                'at least one must not, such as name="value" or name=~".+"'
            )
    except QueryError as error:
        problems.append(error.message)
    if silence.ends_at <= silence.starts_at:
        problems.append("it ends before it starts")
    elif silence.ends_at <= now:
        problems.append("it has ended already")
    if not silence.created_by.strip():
        problems.append("it does not say who made it (createdBy)")
    if not silence.comment.strip():
        problems.append("it does not say why (comment)")
    return problems


def updated(known: Silence, silence: Silence, now: float, new_id: str) -> list[Silence]:
    """What is stored when `silence` is to take the place of `known`; the last one stands.

    As in Alertmanager it stays the same silence unless its matchers change or it has
    expired: then the old one ends now and the new one gets `new_id`. A silence in force
    keeps its start, and none starts in the past.
    """
    state = known.state(now)
    same = set(known.matchers) == set(silence.matchers)
    if same and state is not SilenceState.EXPIRED:
        starts_at = known.starts_at
        if state is SilenceState.PENDING:
            starts_at = max(silence.starts_at, now)
        return [replace(silence, id=known.id, starts_at=starts_at, updated_at=now)]
    new = replace(silence, id=new_id, starts_at=max(silence.starts_at, now), updated_at=now)
    return [new] if state is SilenceState.EXPIRED else [expire(known, now), new]


def expire(silence: Silence, now: float) -> Silence:
    """The silence, over by now. One that has not begun never will; one that is over stays
    as it is."""
    if silence.state(now) is SilenceState.EXPIRED:
        return silence
    return replace(silence, starts_at=min(silence.starts_at, now), ends_at=now, updated_at=now)
