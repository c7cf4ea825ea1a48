"""Stories: what is pushed, and who must be told what and when, on a virtual clock.

::

    with story(ROUTES, until=60) as s:
        disk = alert("Disk", host="a")
        s.at(0).push(disk)
        s.at(20).resolve(disk)
        s.want(between(1, 2), "ops", post(firing=[disk]))

When the block ends the story is played, second by second of nobody's time. Everything
that a receiver was sent must be wanted, and everything wanted be sent: a story also says
what does not happen. A failure prints what happened.

Receivers answer at once and well, unless the story says otherwise. Times are seconds from
the story's beginning.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sre_obs.content.routes.load import parse_routes
from sre_obs.model.alert import Alert, EndReason, fingerprint
from sre_obs.model.changes import Changes
from sre_obs.model.ledger import Ledger
from sre_obs.model.notification import Delivery, DeliveryKind, DeliveryState
from sre_obs.model.outcome import Answer, Failure, MessageRef, Verdict
from sre_obs.model.routing import Routing
from sre_obs.model.silence import Silence
from sre_obs.model.store import Snapshot
from sre_obs.notify import retry
from sre_obs.query.matchers import parse_matchers
from sre_obs.route.accept import accept
from sre_obs.route.pipeline import Decision, flush
from sre_obs.route.reroute import reroute
from sre_obs.route.silence import SilenceIndex, expire, touched_by_silence
from sre_obs.route.tree import Router

_BEGINNING = 1_700_000_000.0
_NAMES: dict[str, str] = {}  # fingerprint -> words, for what a failure prints


def alert(name: str, *, drill: bool = False, shadow: bool = False, **labels: str) -> Alert:
    """An alert that, once pushed, fires until it is resolved (or for `lasting` seconds)."""
    labels = {"alertname": name, **labels}
    key = fingerprint(labels)
    _NAMES[key] = " ".join(labels.values())
    return Alert(key, labels, {}, 0.0, 0.0, 0.0, drill=drill, shadow=shadow)


@dataclass(frozen=True)
class Between:
    """From `first` to `last` second, both included."""

    first: float
    last: float


def between(first: float, last: float) -> Between:
    """A span of the story."""
    return Between(first, last)


@dataclass(frozen=True)
class Message:
    """What a receiver is sent. An empty reason is any reason."""

    kind: DeliveryKind
    firing: frozenset[str]
    resolved: frozenset[str]
    reason: str = ""
    drill: bool = False

    def fits(self, other: Message) -> bool:
        """Whether `other` is what this one asks for."""
        return self == replace(other, reason=other.reason if self.reason else "")


def _message(kind: DeliveryKind) -> Callable[..., Message]:
    def make(
        firing: Sequence[Alert] = (),
        resolved: Sequence[Alert] = (),
        reason: str = "",
        drill: bool = False,
    ) -> Message:
        prints = [frozenset(a.fingerprint for a in alerts) for alerts in (firing, resolved)]
        return Message(kind, prints[0], prints[1], reason, drill)

    return make


post = _message(DeliveryKind.POST)
update = _message(DeliveryKind.UPDATE)
reply = _message(DeliveryKind.REPLY)


@dataclass(frozen=True)
class Received:
    """What reached a receiver, and when."""

    at: float
    receiver: str
    message: Message
    delivery: Delivery


@dataclass(frozen=True)
class _Behaviour:
    when: Between
    answer: Answer
    takes: float = 0.0  # seconds until the answer


class Moment:
    """What happens at one time of a story."""

    def __init__(self, story: Story, at: float) -> None:
        self._story = story
        self._at = at

    def push(
        self,
        *alerts: Alert,
        lasting: float | None = None,
        age: float = 0.0,
        severity: str = "",
        level: int = 0,
    ) -> None:
        """They fire; `age` seconds since. `lasting`: only so long unless pushed again.
        `severity` and `level` are what they have risen or fallen to."""

        def happen(now: float) -> None:
            until = None if lasting is None else now + lasting
            began = now - age
            self._story.take(
                [
                    replace(
                        a,
                        labels=a.labels | {"severity": severity} if severity else a.labels,
                        level=level,
                        starts_at=began,
                        fired_at=began,
                        updated_at=now,
                        ends_at=until,
                    )
                    for a in alerts
                ],
                now,
            )

        self._story.happens(self._at, happen)

    def resolve(self, *alerts: Alert) -> None:
        """They end."""

        def happen(now: float) -> None:
            ended = [
                replace(
                    a, starts_at=now, fired_at=now, updated_at=now, ends_at=now,
                    ended=EndReason.SENDER,
                )
                for a in alerts
            ]  # fmt: skip
            self._story.take(ended, now)

        self._story.happens(self._at, happen)

    def silence(self, matchers: str, seconds: float, id_: str = "s1") -> None:
        """Ana silences what matches, for so long."""

        def happen(now: float) -> None:
            made = Silence(id_, parse_matchers(matchers), now, now + seconds, "ana", "a test", now)
            self._story.set_silence(made, now)

        self._story.happens(self._at, happen)

    def expire_silence(self, id_: str = "s1") -> None:
        """Ana ends her silence."""

        def happen(now: float) -> None:
            self._story.set_silence(expire(self._story.ledger.silences[id_], now), now)

        self._story.happens(self._at, happen)

    def reload(self, routes: str) -> None:
        """The routes file changes."""
        self._story.happens(self._at, lambda now: self._story.route(_routing(routes), now))

    def restart(self) -> None:
        """The process is killed, and another one starts from the disk."""
        self._story.happens(self._at, self._story.start_anew)


class Story:
    """See the module. `decisions` are all that were made and `rows` all that were queued,
    with their times."""

    def __init__(self, routes: str) -> None:
        self.routing = _routing(routes)
        self.router = Router(self.routing)
        self.ledger = Ledger()
        self.disk = Ledger()  # what a new process would find
        self.silences = SilenceIndex()
        self.received: list[Received] = []
        self.decisions: list[tuple[float, Decision]] = []
        self.rows: list[tuple[float, Delivery]] = []
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()
        self._wants: list[tuple[Between, str, Message]] = []
        self._behaviours: dict[str, list[_Behaviour]] = {}
        self._life = 0
        self._now = _BEGINNING

    # What a story says.

    def at(self, seconds: float) -> Moment:
        """At that second, …"""
        return Moment(self, seconds)

    def want(self, when: Between, receiver: str, message: Message) -> None:
        """`receiver` (its name, or an integration's id) must be sent `message` then."""
        self._wants.append((when, receiver, message))

    def limits(self, receiver: str, when: Between, retry_after: float) -> None:
        """`receiver` answers 429 for that time."""
        answer = Answer(Verdict.RETRY, Failure.RATE_LIMITED, retry_after=retry_after)
        self._behave(receiver, _Behaviour(when, answer))

    def fails(self, receiver: str, when: Between) -> None:
        """`receiver` answers 500 for that time."""
        self._behave(receiver, _Behaviour(when, Answer(Verdict.RETRY, Failure.SERVER)))

    def gives_up_on(self, receiver: str, when: Between) -> None:
        """`receiver` refuses for good what it is sent in that time."""
        self._behave(receiver, _Behaviour(when, Answer(Verdict.CONTENT, Failure.CLIENT)))

    def takes_long(self, receiver: str, when: Between, seconds: float) -> None:
        """`receiver` takes so long to answer what it is sent in that time."""
        self._behave(receiver, _Behaviour(when, Answer(Verdict.DELIVERED), seconds))

    def hangs(self, receiver: str, when: Between, seconds: float) -> None:
        """`receiver` takes so long over what it is sent in that time, then fails."""
        answer = Answer(Verdict.RETRY, Failure.SERVER)
        self._behave(receiver, _Behaviour(when, answer, seconds))

    def reasons(self, integration: str) -> list[tuple[float, bool, str]]:
        """What was decided about an integration: when, told or not, why."""
        return [
            (at, decision.told, decision.reason)
            for at, decision in self.decisions
            if decision.integration == integration
        ]

    # How it is played. This part is the daemon's engine in small.

    def happens(self, at: float, event: Callable[[float], None]) -> None:
        """Do `event` at that second of the story."""
        heapq.heappush(self._events, (_BEGINNING + at, next(self._order), event))

    def take(self, alerts: Sequence[Alert], now: float) -> None:
        """Alerts come in."""
        accepted = accept(alerts, self.ledger, self.router, now)
        self.silences.forget(accepted.relabelled)
        self.ledger.apply(Changes(alerts=accepted.refreshed))
        self._write(accepted.changes)

    def set_silence(self, silence: Silence, now: float) -> None:
        """A silence is set or changed."""
        self._write(Changes(silences=(silence,)))
        self.silences = SilenceIndex(self.ledger.silences.values())
        self._write(touched_by_silence(silence, self.ledger, self.router, now))

    def route(self, routing: Routing, now: float) -> None:
        """Route anew."""
        self.routing, self.router = routing, Router(routing)
        rerouted = reroute(self.ledger, self.router, now)
        self.ledger.reroute(rerouted.joined)
        self._write(rerouted)

    def start_anew(self, now: float) -> None:
        """What was only in memory is gone."""
        disk = self.disk
        self._life += 1
        self.ledger = Ledger(
            Snapshot(
                alerts=tuple(disk.alerts.values()),
                groups=tuple(disk.groups.values()),
                deliveries=tuple(disk.deliveries.values()),
                silences=tuple(disk.silences.values()),
                next_number=disk.next_number,
            )
        )
        self.silences = SilenceIndex(self.ledger.silences.values())
        grace = now + self.routing.resolve_timeout
        extended = tuple(
            replace(a, ends_at=max(a.ends_at, grace))
            for a in self.ledger.alerts.values()
            if a.ends_at is not None and a.ended is None
        )
        self.ledger.apply(Changes(alerts=extended))
        recovered = tuple(retry.recover(row, now) for row in self.ledger.deliveries.values())
        self._write(Changes(deliveries=recovered))
        self.route(self.routing, now)

    def play(self, until: float) -> None:
        """Everything up to that second."""
        end = _BEGINNING + until
        while True:
            wake = self.ledger.next_wake()
            times = [at for at in (wake, self._events[0][0] if self._events else None) if at]
            if not times or min(times) > end:
                return
            now = self._now = max(min(times), self._now)
            while self._events and self._events[0][0] <= now:
                heapq.heappop(self._events)[2](now)
            for group in self.ledger.groups_due(now, 100):
                flushed = flush(group, self.ledger, self.router, self.silences, now)
                self.rows.extend((now - _BEGINNING, row) for row in flushed.changes.deliveries)
                self.ledger.apply(Changes(groups=flushed.refreshed))
                self._write(flushed.changes)
                self.decisions.extend((now - _BEGINNING, d) for d in flushed.decisions)
            for row in self.ledger.deliveries_due(now, 100):
                self._send(row, now)

    def check(self) -> None:
        """Raises AssertionError unless what was wanted happened, and nothing else."""
        open_wants = list(self._wants)
        surprises: list[Received] = []
        for each in self.received:
            fitting = [
                want
                for want in open_wants
                if want[0].first <= each.at <= want[0].last
                and want[1] in (each.receiver, each.delivery.integration)
                and want[2].fits(each.message)
            ]
            if fitting:
                open_wants.remove(fitting[0])
            else:
                surprises.append(each)
        if open_wants or surprises:
            lines = ["what happened:", *map(self._told, self.received), "", "not sent:"]
            lines += [f"  {w.first:g}-{w.last:g} {r} {self._words(m)}" for w, r, m in open_wants]
            lines += ["", "sent, and not wanted:", *map(self._told, surprises)]
            raise AssertionError("\n".join(lines))

    def _send(self, row: Delivery, now: float) -> None:
        at = now - _BEGINNING
        if row.state is DeliveryState.AMBIGUOUS:
            row = replace(row, state=DeliveryState.READY)  # asked for, and not found
        claimed = retry.claim(row, now)
        self._write(Changes(deliveries=(claimed,)))
        behaviour = next(
            (
                b
                for name in (row.receiver, row.integration)
                for b in self._behaviours.get(name, ())
                if b.when.first <= at <= b.when.last
            ),
            _Behaviour(Between(at, at), Answer(Verdict.DELIVERED)),
        )
        life = self._life

        def answered(then: float) -> None:
            if life == self._life:
                self._settle(claimed, behaviour.answer, then)

        if behaviour.takes:
            self.happens(at + behaviour.takes, answered)
        else:
            answered(now)

    def _settle(self, row: Delivery, answer: Answer, now: float) -> None:
        at = now - _BEGINNING
        if answer.verdict is Verdict.DELIVERED:
            message = Message(
                row.kind, frozenset(row.firing), frozenset(row.resolved), row.reason, row.drill
            )
            self.received.append(Received(at, row.receiver, message, row))
            answer = replace(answer, message=MessageRef("C1", f"{row.number}"))
        settled = retry.settle(row, answer, now, jitter=0.0)
        group = self.ledger.groups.get(row.group)
        groups = (retry.settled_group(group, settled),) if group is not None else ()
        self._write(Changes(deliveries=(settled,), groups=groups))

    def _write(self, changes: Changes) -> None:
        self.ledger.apply(changes)
        self.disk.apply(changes)

    def _behave(self, receiver: str, behaviour: _Behaviour) -> None:
        self._behaviours.setdefault(receiver, []).append(behaviour)

    def _told(self, each: Received) -> str:
        return f"  {each.at:g} {each.receiver} {self._words(each.message)}"

    def _words(self, message: Message) -> str:
        parts = [str(message.kind)]
        for word, prints in (("firing", message.firing), ("resolved", message.resolved)):
            if prints:
                parts.append(f"{word} {', '.join(sorted(_NAMES.get(p, p) for p in prints))}")
        return " ".join([*parts, f"({message.reason or 'any reason'})"])


@contextmanager
def story(routes: str, *, until: float) -> Iterator[Story]:
    """Tell a story in the block; it is played to second `until` and checked after it."""
    told = Story(routes)
    yield told
    told.play(until)
    told.check()


def _routing(text: str) -> Routing:
    routing, problems = parse_routes(text)
    assert routing is not None, problems
    return routing
