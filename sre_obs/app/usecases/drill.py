"""`alert-test`: a marked document through the whole path, hop by hop, with proof.

The parts are the daemon's own, built from the same settings, on a store of their own: the
drill neither needs a running daemon nor disturbs one, and counts nowhere. A drill says so
in its message, is never repeated, mentions nobody, and ends as soon as it has arrived.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

from sre_obs.app.daemon.courier import Courier
from sre_obs.app.daemon.engine import Engine
from sre_obs.app.settings import Settings
from sre_obs.app.usecases.load import no_source
from sre_obs.app.usecases.rehearsal import Rehearsal, find_rehearsal
from sre_obs.app.wiring import Parts, build
from sre_obs.evaluate.evaluate import evaluate
from sre_obs.evaluate.ports import Source
from sre_obs.model.alert import Alert, EndReason, fingerprint
from sre_obs.model.changes import Changes
from sre_obs.model.errors import ContentError, SourceError, SreObsError, UsageError
from sre_obs.model.ledger import Ledger
from sre_obs.model.notification import Delivery, DeliveryKind, DeliveryState
from sre_obs.model.outcome import Answer, Verdict
from sre_obs.model.problem import Location
from sre_obs.model.routing import Integration, Route, Routing, SlackIntegration
from sre_obs.model.rule import Query, Rule, RuleKind
from sre_obs.notify.notice import Notice, make_notice
from sre_obs.notify.ports import Found, Search

INDEX = "logs-sre_obs.drill-default"
# A token or a certificate is dated: a clock further off than this is worth saying.
CLOCK_TOLERANCE = 60.0
# How often is looked again, while a hop waits.
PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be drilled: an alert with `labels`, or straight to `receiver`.

    `index` of the source is where the document goes; `patience` are seconds that a hop may
    take; `by` is who asked. With a `rule` (slug or id) it is that rule's alert, made from
    its own test by its own evaluation: no cluster is asked.
    """

    labels: Mapping[str, str]
    by: str
    receiver: str = ""
    rule: str = ""
    source: str = "default"
    index: str = INDEX
    patience: float = 20.0


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of the way: whether it went well, what is to be said, how long it took."""

    name: str
    ok: bool
    detail: str
    seconds: float
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Walk:
    """The hops that were made, of how many, and the seconds from the first to the last.

    `warning`: why the way proves nothing of what the daemon would do with the rule."""

    hops: tuple[Hop, ...]
    planned: int
    seconds: float
    warning: str = ""


@dataclass(frozen=True, slots=True)
class _Try:
    """The last answer of one integration."""

    delivery: Delivery
    answer: Answer
    seconds: float

    @property
    def final(self) -> bool:
        """Whether waiting is of no use: what a person must mend does not pass by itself."""
        match self.answer.verdict:
            case Verdict.RETRY:
                return bool(self.answer.remedy)
            case Verdict.AMBIGUOUS | Verdict.CONTENT:
                return False
            case _:
                return True


class _Stopped(Exception):
    """A hop failed; there is nothing to do behind it."""


async def drill(
    settings: Settings, order: Order, *, terminal: TextIO, told: Callable[[Hop], None]
) -> Walk:
    """Send a drill; each hop is told as it is done. A receiver that prints does so to
    `terminal`.

    The last hop is not ok where the way ended. Raises SreObsError when the settings or
    the routes can't be used at all.
    """
    rehearsal = find_rehearsal(settings, order.rule) if order.rule else None
    with TemporaryDirectory(prefix="sre-obs-drill-") as folder:
        own = settings.model_copy(
            update={
                "data": Path(folder),
                "listen": "127.0.0.1:0",
                "rules": None,
                "overrides": None,
            }
        )
        parts = build(own, terminal=terminal)
        try:
            return await _Drill(parts, order, told, rehearsal).walk()
        finally:
            parts.close()


class _Drill:
    def __init__(
        self,
        parts: Parts,
        order: Order,
        told: Callable[[Hop], None],
        rehearsal: Rehearsal | None = None,
    ) -> None:
        self._rehearsal = rehearsal
        self._hops: list[Hop] = []
        self._parts = parts
        self._clock = parts.clock
        self._order = order
        self._told = told
        self._id = uuid.uuid4().hex[:12]
        self._tries: dict[str, _Try] = {}
        self._routing = _at_once(parts.content.routing, order.receiver)
        self._pool = ThreadPoolExecutor(8, "drill")
        self._courier = Courier(parts.senders, self._pool, parts.clock, self._notice, self._observe)
        self._engine = Engine(
            Ledger(parts.store.load()), parts.store, self._routing, depart=self._courier.depart
        )
        self._courier.engine = self._engine
        self._planned = 0

    async def walk(self) -> Walk:
        """All hops, until one fails."""
        began = self._clock.timer()
        arrived = began
        try:
            # Route, outbox, at least one receiver; in front of them what makes the alert.
            if self._rehearsal is not None:
                self._planned = 6
                alert = self._drilled(await self._rehearsed(self._rehearsal))
            else:
                source = self._source()
                self._planned = 3 if source is None else 5
                alert = self._drilled(None if source is None else await self._alert(source))
            wanted = self._route(alert)
            self._planned += len(wanted) - 1
            await self._commit(alert)
            for integration in wanted:
                await self._arrived(integration)
            arrived = self._clock.timer()
            await self._end(alert)
        except _Stopped:
            arrived = self._clock.timer()
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)
        warning = self._rehearsal.warning if self._rehearsal is not None else ""
        return Walk(tuple(self._hops), self._planned, arrived - began, warning)

    def _add(self, hop: Hop) -> None:
        self._hops.append(hop)
        self._told(hop)

    def _done(self, name: str, began: float, detail: str) -> None:
        self._add(Hop(name, True, detail, self._clock.timer() - began))

    def _failed(self, name: str, began: float, detail: str, remedy: str) -> _Stopped:
        self._add(Hop(name, False, detail, self._clock.timer() - began, remedy))
        return _Stopped()

    def _source(self) -> Source | None:
        """Where the drill begins; None: at the route, as for alerts that others send."""
        name = self._order.source
        source = self._parts.sources.get(name)
        if self._order.receiver:
            return None
        if source is None and (name != "default" or self._parts.sources):
            raise no_source(self._parts.settings, name, "--source")
        return source

    async def _alert(self, source: Source) -> Alert:
        """Document and rule."""
        clock, index = self._clock, self._order.index
        loop = asyncio.get_running_loop()
        began = clock.timer()
        at = datetime.fromtimestamp(clock.now(), UTC)
        document = {
            # As text, so that an index without a template makes it a date as well.
            "@timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "message": "sre-obs drill, no action",
            "sre_obs": {"drill": {"id": self._id}},
            "data_stream": {"type": "logs", "dataset": "sre_obs.drill", "namespace": "default"},
        }
        write: Any = getattr(source, "index_document", None)
        if write is None:
            raise UsageError("this source takes no documents", where=f"sources.{source.name}")
        try:
            await loop.run_in_executor(self._pool, lambda: write(index, document, refresh=True))
        except SourceError as error:
            raise self._failed("document", began, *_refused(error, index)) from None
        self._done("document", began, f"indexed in {index}")
        began = clock.timer()
        rule = _rule(self._id, index, self._labels())
        why = ""
        while True:
            changes = await loop.run_in_executor(self._pool, self._evaluate, rule, source)
            if changes.alerts:
                self._done("rule", began, "1 of 1 matched")
                return changes.alerts[0]
            why = next((run.error for run in changes.runs if run.error), why)
            if clock.timer() - began >= self._order.patience:
                break
            await clock.sleep(PAUSE)
        raise self._failed(
            "rule",
            began,
            why or "the document was indexed, but the search does not find it",
            f"let the key read {index}; check that the index's @timestamp is a date",
        )

    async def _rehearsed(self, rehearsal: Rehearsal) -> Alert:
        """The rule's own case: its documents, the evaluation, the rendered words."""
        loop, clock = asyncio.get_running_loop(), self._clock
        where = f"{rehearsal.case.location.file}:{rehearsal.case.location.line}"
        again = f"sre-obs test {rehearsal.suite.file}"
        began = clock.timer()
        try:
            count = rehearsal.documents
        except ContentError as error:
            words = error.problems[0].message
            raise self._failed("document", began, f"{where}: {words}", again) from None
        self._done("document", began, f"{count} of {where}")
        began = clock.timer()
        alert, words = await loop.run_in_executor(
            self._pool, rehearsal.alert, self._parts.renderer, clock.timer
        )
        if alert is None:
            raise self._failed("rule", began, f"{rehearsal.rule.id}: {words}", again)
        self._done("rule", began, words)
        broken = next((t for t in alert.annotations.values() if t.startswith("(annotation ")), "")
        if broken:
            raise self._failed("render", began, broken, f"mend {alert.place}, then {again}")
        summary = alert.annotations.get("summary") or alert.annotations.get("title", "")
        self._add(Hop("render", True, " ".join(summary.split()), 0.0))
        return alert

    def _evaluate(self, rule: Rule, source: Source) -> Changes:
        # A second past the document, so that the window surely holds it.
        at = self._clock.now() + 1.0
        return evaluate([rule], at, source, {}, self._parts.renderer, timer=self._clock.timer)

    def _labels(self) -> dict[str, str]:
        return {"alertname": "sre-obs-drill", "severity": "info", **self._order.labels}

    def _drilled(self, found: Alert | None) -> Alert:
        """The alert of the rule, or one of our own, marked as a drill."""
        own = self._labels()
        words = {
            "summary": f"alert test by {self._order.by}",
            "description": "Sent by sre-obs alert-test; nothing is wrong.",
        }
        if self._rehearsal is not None and found is not None:
            own = {**found.labels, **self._order.labels}
            said = f"{words['summary']}. {words['description']}"
            words = {**found.annotations, "description": said}
        labels = {**own, "sre_obs_drill": "true", "drill_id": self._id}
        now = self._clock.now()
        alert = found or Alert("", {}, {}, starts_at=now, fired_at=now, updated_at=now)
        return replace(
            alert,
            fingerprint=fingerprint(labels),
            labels=labels,
            annotations=words,
            starts_at=now,
            fired_at=now,
            updated_at=now,
            drill=True,
            shadow=False,
        )

    def _route(self, alert: Alert) -> list[Integration]:
        began = self._clock.timer()
        matched = self._engine.router.match(alert.labels, alert.fingerprint)
        receivers = [self._routing.receiver(route.receiver) for route in matched]
        wanted = {i.id: i for receiver in receivers if receiver for i in receiver.integrations}
        names = "; ".join(f"{r.receiver}, {r.location.file}:{r.location.line}" for r in matched)
        if not wanted:
            raise self._failed(
                "route",
                began,
                f"{names}: that receiver tells nobody",
                "give it a slack_configs or webhook_configs entry, or other labels with --match",
            )
        self._done("route", began, names)
        return list(wanted.values())

    async def _commit(self, alert: Alert) -> None:
        began = self._clock.timer()
        try:
            await asyncio.wrap_future(self._engine.accept([alert], self._clock.now()))
        except SreObsError as error:
            raise self._failed("outbox", began, error.message, error.remedy) from None
        self._done("outbox", began, "committed")

    async def _arrived(self, integration: Integration) -> None:
        """Wait for its answer, and read the message back where that can be done."""
        kind, name = integration.kind, integration.id.partition("/")[0]
        began = self._clock.timer()
        last = await self._answer(integration.id)
        if last is None:
            words = f"{name}: no answer in {self._order.patience:.0f} s"
            self._failed(kind, began, words, "check address, proxy and firewall")
            return
        answer = last.answer
        if answer.verdict is not Verdict.DELIVERED:
            remedy = answer.remedy or "see what it answered; sre-obs run tries again by itself"
            remedy += f", then sre-obs alert-test --receiver {name}"
            self._add(Hop(kind, False, f"{name}: {answer.detail}", last.seconds, remedy))
            return
        began = self._clock.timer()
        ok, detail, remedy = True, f"{name}, answered", ""
        if isinstance(integration, SlackIntegration) and answer.message is not None:
            ok, detail, remedy = await self._read_back(last, integration)
        seconds = last.seconds + self._clock.timer() - began
        self._add(Hop(kind, ok, detail, seconds, remedy))
        if answer.message is not None:
            self._check_clock(answer.message.ts)

    async def _answer(self, integration: str) -> _Try | None:
        clock = self._clock
        began = clock.timer()
        while clock.timer() - began < self._order.patience:
            last = self._tries.get(integration)
            if last is not None and last.final:
                return last
            await clock.sleep(PAUSE / 2)
            self._engine.advance(clock.now())
            if last is not None and last.delivery.id not in self._engine.ledger.deliveries:
                await self._found_out(last)
        return self._tries.get(integration)

    async def _found_out(self, last: _Try) -> None:
        """Its answer was lost, and the receiver was asked: the store knows what it said."""
        await asyncio.wrap_future(self._parts.store.flushed())
        read = self._parts.store.deliveries
        loop = asyncio.get_running_loop()
        rows = await loop.run_in_executor(self._pool, lambda: read(group=last.delivery.group))
        for row in rows:
            if row.id == last.delivery.id and row.state is DeliveryState.SENT:
                answer = Answer(Verdict.DELIVERED, message=row.message)
                self._tries[row.integration] = replace(last, delivery=row, answer=answer)

    async def _read_back(self, last: _Try, integration: SlackIntegration) -> tuple[bool, str, str]:
        """Whether the message is there for others to read: ok, words, remedy."""
        notice = replace(self._notice(last.delivery), message=last.answer.message)
        find = self._parts.senders[integration.id].find
        loop = asyncio.get_running_loop()
        began = self._clock.timer()
        while True:
            found: Found = await loop.run_in_executor(self._pool, find, notice)
            if found.search is Search.FOUND:
                return True, f"{integration.channel}, read back", ""
            if found.search is Search.CANT_ASK:
                # It answered, which is as much as this token can show.
                words = f"{integration.channel}, answered; can't be read back: {found.reason}"
                return True, words, "add the scope channels:history (private: groups:history)"
            if self._clock.timer() - began >= self._order.patience:
                words = f"{integration.channel}, answered, but the message is not there"
                return False, words, "look whether an app or a rule of the workspace removes it"
            await self._clock.sleep(PAUSE * 5)

    def _check_clock(self, ts: str) -> None:
        try:
            off = self._clock.now() - float(ts)
        except ValueError:
            return
        if abs(off) > CLOCK_TOLERANCE:
            self._planned += 1
            words = f"this machine's clock is {off:+.0f} s off Slack's"
            remedy = "let it keep time (chrony); windows and certificates depend on it"
            self._add(Hop("clock", False, words, 0.0, remedy))

    async def _end(self, alert: Alert) -> None:
        """Say that the drill is over: nobody finds it open later."""
        clock, engine = self._clock, self._engine
        reached = {i for i, t in self._tries.items() if t.answer.verdict is Verdict.DELIVERED}
        if not reached:
            return
        now = clock.now()
        ended = replace(alert, ends_at=now, ended=EndReason.SENDER, updated_at=now)
        await asyncio.wrap_future(engine.accept([ended], now))
        began = clock.timer()
        due = tuple(replace(group, flush_at=now) for group in engine.ledger.groups.values())
        engine.conclude(Changes(groups=due), now)
        while clock.timer() - began < self._order.patience:
            if not any(d.integration in reached for d in engine.ledger.deliveries.values()):
                break
            await clock.sleep(PAUSE)
            engine.advance(clock.now())
        engine.hold()
        await self._courier.drain(2.0)

    def _notice(self, delivery: Delivery) -> Notice:
        return make_notice(
            delivery,
            self._engine.ledger,
            self._routing,
            self._parts.settings.external_url,
            self._clock.now(),
        )

    def _observe(self, delivery: Delivery, answer: Answer, seconds: float) -> None:
        # What tells of the drill's end is no hop of its way.
        if delivery.kind is DeliveryKind.POST and delivery.firing:
            self._tries[delivery.integration] = _Try(delivery, answer, seconds)


def _refused(error: SourceError, index: str) -> tuple[str, str]:
    where = f" ({error.where})" if error.where else ""
    remedy = error.remedy
    if error.status == 403:
        # The daemon itself only reads, so its role does not let it write.
        remedy = (
            f"let the key write to {index} (create_doc, auto_configure), or skip "
            "Elasticsearch with --receiver NAME"
        )
    return error.message + where, remedy


def _rule(drill: str, index: str, labels: Mapping[str, str]) -> Rule:
    return Rule(
        id="sre-obs/sre-obs-drill",
        title="Alert test",
        kind=RuleKind.QUERY,
        index=(index,),
        query=Query("dsl", "", {"match": {"sre_obs.drill.id": drill}}),
        location=Location("alert-test"),
        interval=10.0,
        window=600.0,
        query_delay=0.0,
        severity=labels["severity"],
        labels=labels,
        evidence=("message", "sre_obs.drill.id"),
    )


def _at_once(routing: Routing, receiver: str) -> Routing:
    """The same routes without waiting; or, for one receiver, a root that leads there."""
    if not receiver:
        return replace(routing, root=_unwaiting(routing.root))
    if routing.receiver(receiver) is None:
        known = ", ".join(r.name for r in routing.receivers)
        raise UsageError(
            f'no receiver is called "{receiver}"', where="--receiver", remedy=f"known: {known}"
        )
    place = next(r.location for r in routing.receivers if r.name == receiver)
    root = Route(id="{}", receiver=receiver, location=place, group_wait=0.0)
    return replace(routing, root=root)


def _unwaiting(route: Route) -> Route:
    return replace(
        route, group_wait=0.0, group_interval=1.0, routes=tuple(_unwaiting(r) for r in route.routes)
    )
