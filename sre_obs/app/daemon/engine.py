"""The engine: everything that happens at one moment, without waiting.

Each step applies changes to the Ledger, looks at the groups and deliveries that fall due,
claims what can go out now, and hands all of it to the Store as one transaction. A claim
leaves here together with the future of that transaction: nothing is sent before it is on
disk that it is being sent.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

import structlog

from sre_obs.app.daemon.clockstep import extended, stepped, unended
from sre_obs.app.daemon.journal import tell, tell_expired
from sre_obs.app.daemon.lanes import Lanes
from sre_obs.model.alert import Alert
from sre_obs.model.changes import AuditEntry, Changes
from sre_obs.model.ledger import Ledger
from sre_obs.model.notification import Delivery, DeliveryState, Group
from sre_obs.model.outcome import Answer
from sre_obs.model.routing import Integration, Routing
from sre_obs.model.silence import Silence
from sre_obs.model.store import Store
from sre_obs.notify import retry
from sre_obs.notify.pace import Pace
from sre_obs.notify.ports import Found
from sre_obs.route.accept import accept
from sre_obs.route.pipeline import Decision, flush
from sre_obs.route.reroute import reroute
from sre_obs.route.silence import SilenceIndex, touched_by_silence
from sre_obs.route.tree import Router

# So many groups and deliveries are looked at in one step; the rest follow at once in the
# next, so that 100,000 groups due together don't hold up a probe or a POST.
STEP = 500
# A delivery whose receiver is gone from the routes is looked at again so often.
ORPHAN_PAUSE = 300.0
# After a start no delivery waits longer than this: the clock may have been set back.
START_PAUSE = 300.0
# While rules catch up, what they find waits so long to be told: it may be over already.
CATCH_UP_PAUSE = 60.0

log = structlog.get_logger("engine")
_SENDABLE = (DeliveryState.READY, DeliveryState.AMBIGUOUS)


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery to send (or to ask for, when ambiguous) once `written` is done."""

    delivery: Delivery
    written: Future[None]


class Engine:
    """The state of the daemon and its steps. All methods belong to the loop's thread."""

    def __init__(
        self,
        ledger: Ledger,
        store: Store,
        routing: Routing,
        *,
        depart: Callable[[Claim], None],
        decided: Callable[[Decision], None] = lambda _: None,
        moved: Callable[[float | None], None] = lambda _: None,
        retention: float = 30 * 86_400.0,
        seed: int | None = None,
    ) -> None:
        self.ledger = ledger
        self.store = store
        self.routing = routing
        self.router = Router(routing)
        self._integrations = _by_id(routing)
        self.silences = SilenceIndex(ledger.silences.values())
        self.counts: Counter[str] = Counter()
        self._pace = Pace()
        self._depart = depart
        self._decided = decided
        self._moved = moved
        self._retention = retention
        self._random = random.Random(seed)
        self._lanes = Lanes()
        self._claimed: list[Delivery] = []
        self._seen: float | None = None  # the latest time, once somebody calls `tick`
        # Source -> group key -> (when it is told at the latest, when it would have been).
        self._postponed: dict[str, dict[str, tuple[float, float]]] = {}
        self._more = False
        self._held = False

    def start(self, now: float) -> Future[None]:
        """Take up where the last process stopped: what it was sending is ambiguous now."""
        # An alert's sender could not reach us while we were down: it gets one
        # resolve_timeout to send again before its alert counts as ended.
        grace = now + self.routing.resolve_timeout
        self.ledger.apply(Changes(alerts=extended(self.ledger, float("-inf"), grace)))
        over = Changes(alerts=unended(self.ledger, now))
        self.ledger.apply(over)
        deliveries = self.ledger.deliveries.values()
        late = tuple(
            replace(delivery, due_at=now + START_PAUSE)
            for delivery in deliveries
            if delivery.state in _SENDABLE and delivery.due_at > now + START_PAUSE
        )
        self.ledger.apply(Changes(deliveries=late))
        recovered = tuple(
            retry.recover(delivery, now)
            for delivery in deliveries
            if delivery.state is DeliveryState.SENDING
        )
        rerouted = self._reroute(now)
        return self._write([over, Changes(deliveries=recovered), rerouted], now)

    def tick(self, now: float) -> None:
        """To be called at least once a second while we run: time that is missing between
        two calls, or comes again, is the clock's doing and nobody else's."""
        changes = self._follow_clock(now)
        self._seen = now
        if changes:
            self._write([changes], now)

    def accept(self, alerts: Sequence[Alert], now: float) -> Future[None]:
        """Alerts from the API; done when they are on disk."""
        return self.conclude(Changes(alerts=tuple(alerts)), now)

    def conclude(self, changes: Changes, now: float, *, catching_up: str = "") -> Future[None]:
        """What an evaluation or the API found: alerts are routed, the rest is kept.

        `catching_up` names the source whose rules have later rounds yet to run. Their
        groups wait for `caught_up`: what came and went while we were down is told to
        nobody, and what fires again was never told to have ended.
        """
        accepted = accept(changes.alerts, self.ledger, self.router, now)
        self.silences.forget(accepted.relabelled)
        tell(accepted.changes.alerts, self.ledger.alerts, now)
        self.ledger.apply(Changes(alerts=accepted.refreshed))
        self.counts["new"] += accepted.new
        self.counts["resent"] += accepted.resent
        self.counts["ended"] += accepted.ended
        parts = [replace(changes, alerts=()), accepted.changes]
        if catching_up:
            parts.append(self._postpone(accepted.changes, catching_up, now))
        return self._write(parts, now)

    def caught_up(self, source: str, now: float) -> Future[None]:
        """The rules of `source` are at the present: tell what they found."""
        groups = [
            replace(group, flush_at=wanted)
            for key, (latest, wanted) in self._postponed.pop(source, {}).items()
            if (group := self.ledger.groups.get(key)) is not None and group.flush_at == latest
        ]
        return self._write([Changes(groups=tuple(groups))], now)

    def silence(self, silence: Silence, entry: AuditEntry, now: float) -> Future[None]:
        """Add, change or expire a silence; groups that it touches are looked at now."""
        changes = Changes(silences=(silence,), audit=(entry,))
        self.ledger.apply(changes)
        self.silences = SilenceIndex(self.ledger.silences.values())
        touched = touched_by_silence(silence, self.ledger, self.router, now)
        return self._write([changes, touched], now)

    def reload(self, routing: Routing, now: float) -> Future[None]:
        """Route by new routes from now on; what was told stays told."""
        self.routing = routing
        self.router = Router(routing)
        self._integrations = _by_id(routing)
        # What a receiver refused may be mended by what was just loaded.
        again = tuple(
            replace(delivery, due_at=now)
            for delivery in self.ledger.deliveries.values()
            if delivery.state is DeliveryState.READY and delivery.detail
        )
        self._call_all()
        return self._write([self._reroute(now), Changes(deliveries=again)], now)

    def advance(self, now: float) -> Future[None]:
        """Look at what has fallen due."""
        return self._write([], now)

    def settle(self, delivery: Delivery, answer: Answer, now: float) -> Future[None]:
        """A try was answered, or its answer was lost."""
        self._close_lane(delivery, answer.retry_after, now)
        jitter = self._random.random()
        return self._landed(retry.settle(delivery, answer, now, jitter), now)

    def reconcile(self, delivery: Delivery, found: Found, now: float) -> Future[None]:
        """The receiver was asked whether an ambiguous delivery arrived."""
        return self._landed(retry.reconciled(delivery, found, now), now)

    def next_wake(self, now: float) -> float | None:
        """When to call `advance` next."""
        return now if self._more else self.ledger.next_wake()

    def hold(self) -> None:
        """Claim nothing more: the process is about to stop. What is due stays on disk."""
        self._held = True

    @property
    def busy(self) -> bool:
        """Whether deliveries are under way."""
        return self._lanes.busy

    def _close_lane(self, delivery: Delivery, seconds: float | None, now: float) -> None:
        integration = self._integrations.get(delivery.integration)
        if seconds is not None and integration is not None:
            self._pace.close(integration, delivery, now + seconds)

    def _landed(self, delivery: Delivery, now: float) -> Future[None]:
        self._lanes.back(delivery.integration, delivery.id)
        group = self.ledger.groups.get(delivery.group)
        groups: tuple[Group, ...] = ()
        if group is not None and delivery.state is DeliveryState.SENT:
            groups = (retry.settled_group(group, delivery),)
        self._call(delivery.integration, now)
        return self._write([Changes(deliveries=(delivery,), groups=groups)], now)

    def _call(self, lane: str, now: float) -> None:
        """Let those in front of a line try again. Only memory need know: on disk they are
        due all the time."""
        places = self._lanes.places(lane)
        for id_ in self._lanes.called(lane) if places else ():
            waiting = self.ledger.deliveries.get(id_)
            # A newer one may have taken its place.
            if waiting is not None and waiting.state in _SENDABLE:
                self.ledger.apply(Changes(deliveries=(replace(waiting, due_at=now),)))
                places -= 1
                if not places:
                    break

    def _call_all(self) -> None:
        """Let all who stand in line try again: their integration may be another one now."""
        waiting = (self.ledger.deliveries.get(id_) for id_ in self._lanes.dissolve())
        self.ledger.apply(
            Changes(deliveries=tuple(d for d in waiting if d and d.state in _SENDABLE))
        )

    def _follow_clock(self, now: float) -> Changes:
        if self._seen is None:
            return Changes()
        before, self._seen = self._seen, now
        step = stepped(self.ledger, before, now, self.routing.resolve_timeout)
        if step is None:
            return Changes()
        log.warning("the clock stepped, or we stood still", seconds=round(now - before))
        self.ledger.apply(step.refreshed)
        self.ledger.apply(step.changes)
        if now < before:
            self._pace.set_back(before - now)
        self._call_all()
        return step.changes

    def _postpone(self, changes: Changes, source: str, now: float) -> Changes:
        """The groups of alerts that a catching-up rule has changed, to be told later."""
        self.ledger.apply(changes)
        keys = {key: None for key, _ in changes.joined}
        for alert in changes.alerts:
            keys.update(dict.fromkeys(self.ledger.groups_of(alert.fingerprint)))
        postponed = self._postponed.setdefault(source, {})
        later: list[Group] = []
        for key in keys:
            group = self.ledger.groups.get(key)
            if group is None or group.flush_at is None:
                continue
            latest, wanted = postponed.get(key, (now + CATCH_UP_PAUSE, group.flush_at))
            if group.flush_at < latest:
                postponed[key] = (latest, min(wanted, group.flush_at))
                later.append(replace(group, flush_at=latest))
        return Changes(groups=tuple(later))

    def _reroute(self, now: float) -> Changes:
        routed = reroute(self.ledger, self.router, now)
        self.ledger.reroute(routed.joined)
        return routed

    def _write(self, parts: list[Changes], now: float) -> Future[None]:
        if stepped_by := self._follow_clock(now):
            parts = [stepped_by, *parts]
        for part in parts:
            self.ledger.apply(part)
        parts = parts + self._flush(now)
        parts.append(Changes(deliveries=tuple(self._claim(now))))
        changes = Changes.joint(parts)
        written = self.store.commit(changes) if changes.stored else self.store.flushed()
        claimed, self._claimed = self._claimed, []
        for delivery in claimed:
            self._depart(Claim(delivery, written))
        self._moved(self.next_wake(now))
        return written

    def _flush(self, now: float) -> list[Changes]:
        parts: list[Changes] = []
        expired: list[Alert] = []
        due = self.ledger.groups_due(now, STEP)
        for group in due:
            flushed = flush(group, self.ledger, self.router, self.silences, now)
            known = self.ledger.alerts
            expired += (a for a in flushed.changes.alerts if known[a.fingerprint].ended is None)
            self.ledger.apply(flushed.changes)
            self.ledger.apply(Changes(groups=flushed.refreshed))
            parts.append(flushed.changes)
            for decision in flushed.decisions:
                self._decided(decision)
        self._more = len(due) == STEP
        tell_expired(expired)
        return parts

    def _claim(self, now: float) -> list[Delivery]:
        """Claim what can go out; what the disk must know of it is returned."""
        stored: list[Delivery] = []
        if self._held:
            return stored
        due = self.ledger.deliveries_due(now, STEP)
        self._more = self._more or len(due) == STEP
        for delivery in due:
            lane = delivery.integration
            integration = self._integrations.get(lane)
            if self._lanes.under_way(lane, delivery.id):
                continue  # its answer will say what becomes of it
            if integration is None:
                stored.append(self._without_receiver(delivery, now))
                continue
            free_at = self._pace.next_free(integration, delivery, now)
            if free_at > now:
                # Only memory need know: on disk it stays due, which is true as well.
                self.ledger.apply(Changes(deliveries=(replace(delivery, due_at=free_at),)))
            elif self._lanes.full(lane):
                self._lanes.line_up(lane, delivery.id)
            else:
                self._pace.took(integration, delivery, now)
                self._lanes.leave(lane, delivery.id)
                if delivery.state is not DeliveryState.AMBIGUOUS:
                    delivery = retry.claim(delivery, now)
                    stored.append(delivery)
                self._claimed.append(delivery)
        self.ledger.apply(Changes(deliveries=tuple(stored)))
        return stored

    def _without_receiver(self, delivery: Delivery, now: float) -> Delivery:
        """A reload took its receiver away: perhaps by mistake, so it waits for another."""
        detail = "its receiver is not in the routes"
        if now - delivery.created_at < self._retention:
            return replace(delivery, due_at=now + ORPHAN_PAUSE, detail=detail)
        return replace(delivery, state=DeliveryState.DEAD, finished_at=now, detail=detail)


def _by_id(routing: Routing) -> dict[str, Integration]:
    return {i.id: i for receiver in routing.receivers for i in receiver.integrations}
