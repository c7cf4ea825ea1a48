"""`alert-test`: a marked document through the whole path, hop by hop, with proof.

The parts are the daemon's own, built from the same settings, on a store of their own: the
drill neither needs a running daemon nor disturbs one. A drill says so in its message, is
never repeated, and ends as soon as it has arrived.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sre_obs.app.daemon.courier import Courier
from sre_obs.app.daemon.engine import Engine
from sre_obs.app.settings import Settings
from sre_obs.app.wiring import Parts, build
from sre_obs.evaluate.evaluate import evaluate
from sre_obs.model.alert import Alert, EndReason, fingerprint
from sre_obs.model.changes import Changes
from sre_obs.model.errors import SourceError, SreObsError, UsageError
from sre_obs.model.ledger import Ledger
from sre_obs.model.notification import Delivery
from sre_obs.model.outcome import Answer, Verdict
from sre_obs.model.problem import Location
from sre_obs.model.routing import Route, Routing, SlackIntegration
from sre_obs.model.rule import Query, Rule, RuleKind
from sre_obs.notify.notice import Notice, make_notice
from sre_obs.notify.ports import Search

INDEX = "logs-sre_obs.drill-default"
# A token or a certificate is dated: a clock further off than this is worth saying.
CLOCK_TOLERANCE = 60.0


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of the way: whether it went well, what is to be said, how long it took."""

    name: str
    ok: bool
    detail: str
    seconds: float
    remedy: str = ""


class _Stopped(Exception):
    """A hop failed; there is nothing to do behind it."""


async def drill(
    settings: Settings,
    *,
    labels: Mapping[str, str],
    receiver: str,
    by: str,
    patience: float,
    told: Callable[[Hop], None],
) -> list[Hop]:
    """Send a drill with `labels`, or straight to `receiver`; every hop as it is done.

    The last hop is not ok where the way ended. Raises SreObsError when the settings or
    the routes can't be used at all.
    """
    with TemporaryDirectory(prefix="sre-obs-drill-") as folder:
        own = settings.model_copy(
            update={"data": Path(folder), "listen": "127.0.0.1:0", "rules": None}
        )
        parts = build(own)
        try:
            run = _Drill(parts, labels, receiver, by, patience, told)
            await run.walk()
            return run.hops
        finally:
            parts.close()


class _Drill:
    def __init__(
        self,
        parts: Parts,
        labels: Mapping[str, str],
        receiver: str,
        by: str,
        patience: float,
        told: Callable[[Hop], None],
    ) -> None:
        self.hops: list[Hop] = []
        self._parts = parts
        self._receiver = receiver
        self._by = by
        self._patience = patience
        self._told = told
        self._id = uuid.uuid4().hex[:12]
        self._labels = {"severity": "info", **labels}
        self._answers: dict[str, tuple[Delivery, Answer, float]] = {}
        self._answered = asyncio.Event()
        self._routing = _at_once(parts.content.routing, receiver)

    async def walk(self) -> None:
        pool = ThreadPoolExecutor(8, "drill")
        try:
            alert = await self._alert(pool)
            await self._deliver(alert, pool)
        except _Stopped:
            pass
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _hop(self, name: str, began: float, detail: str) -> None:
        self._add(Hop(name, True, detail, self._parts.clock.timer() - began))

    def _fail(self, name: str, began: float, detail: str, remedy: str) -> _Stopped:
        self._add(Hop(name, False, detail, self._parts.clock.timer() - began, remedy))
        return _Stopped()

    def _add(self, hop: Hop) -> None:
        self.hops.append(hop)
        self._told(hop)

    async def _alert(self, pool: ThreadPoolExecutor) -> Alert:
        """Document and rule; without Elasticsearch the drill starts at the route."""
        clock = self._parts.clock
        source = self._parts.sources.get("default")
        if source is None or self._receiver:
            now = clock.now()
            return self._drilled(
                Alert("", {}, {}, starts_at=now, fired_at=now, updated_at=now, drill=True)
            )
        loop = asyncio.get_running_loop()
        began = clock.timer()
        document = {
            "@timestamp": int(clock.now() * 1000),
            "message": "sre-obs drill, no action",
            "sre_obs": {"drill": {"id": self._id}},
            "data_stream": {"type": "logs", "dataset": "sre_obs.drill", "namespace": "default"},
        }
        index: Any = getattr(source, "index_document", None)
        if index is None:
            raise UsageError("this source can't take a drill's document", where="sources.default")
        try:
            await loop.run_in_executor(pool, lambda: index(INDEX, document, refresh=True))
        except SourceError as error:
            remedy = error.remedy or (
                f"let the key write to {INDEX} (create_doc, auto_configure), or skip "
                "Elasticsearch with --receiver NAME"
            )
            raise self._fail("document", began, error.message, remedy) from None
        self._hop("document", began, f"indexed in {INDEX}")
        began = clock.timer()
        rule = _rule(self._id, self._labels)
        why = ""
        while clock.timer() - began < self._patience:
            # One second past the document, so that the window surely holds it.
            changes = await loop.run_in_executor(
                pool,
                lambda: evaluate(
                    [rule],
                    clock.now() + 1.0,
                    source,
                    {},
                    self._parts.renderer,
                    timer=clock.timer,
                ),
            )
            if changes.alerts:
                self._hop("rule", began, "1 of 1 matched")
                return self._drilled(changes.alerts[0])
            why = next((run.error for run in changes.runs if run.error), "")
            await clock.sleep(0.25)
        raise self._fail(
            "rule",
            began,
            why or "the document was indexed, but the search does not find it",
            f"let the key read {INDEX}; check that the index's @timestamp is a date",
        )

    def _drilled(self, alert: Alert) -> Alert:
        labels = {
            **self._labels,
            "alertname": "sre-obs-drill",
            "sre_obs_drill": "true",
            "drill_id": self._id,
        }
        now = self._parts.clock.now()
        return replace(
            alert,
            fingerprint=fingerprint(labels),
            labels=labels,
            annotations={
                "summary": "DRILL, no action",
                "description": f"sre-obs alert-test, sent by {self._by}.",
            },
            starts_at=now,
            fired_at=now,
            updated_at=now,
            drill=True,
        )

    async def _deliver(self, alert: Alert, pool: ThreadPoolExecutor) -> None:
        parts, clock = self._parts, self._parts.clock
        began = clock.timer()
        courier = Courier(parts.senders, pool, clock, self._notice, self._observe)
        self._engine = engine = Engine(
            Ledger(parts.store.load()), parts.store, self._routing, depart=courier.depart
        )
        courier.engine = engine
        matched = engine.router.match(alert.labels, alert.fingerprint)
        wanted = [
            (route, integration)
            for route in matched
            if (receiver := self._routing.receiver(route.receiver)) is not None
            for integration in receiver.integrations
        ]
        names = ", ".join(f"{r.receiver}, {r.location.file}:{r.location.line}" for r in matched)
        if not wanted:
            raise self._fail(
                "route",
                began,
                f"{names}: that receiver tells nobody",
                "give it a slack_configs or webhook_configs entry, or other labels with --match",
            )
        self._hop("route", began, names)
        began = clock.timer()
        try:
            await asyncio.wrap_future(engine.accept([alert], clock.now()))
        except SreObsError as error:
            raise self._fail("outbox", began, error.message, error.remedy) from None
        self._hop("outbox", began, "committed")
        failed = False
        for _, integration in wanted:
            failed = not await self._arrived(integration.id, pool) or failed
        ended = replace(
            alert, ends_at=clock.now(), ended=EndReason.UNDER_LIMIT, updated_at=clock.now()
        )
        if not failed:
            await self._end(ended, courier)

    async def _arrived(self, integration: str, pool: ThreadPoolExecutor) -> bool:
        clock = self._parts.clock
        began = clock.timer()
        kind = integration.rpartition("/")[2].partition("[")[0]
        name = integration.partition("/")[0]
        while integration not in self._answers and clock.timer() - began < self._patience:
            wait = self._answered.wait()
            self._answered.clear()
            try:
                await asyncio.wait_for(wait, 0.25)
            except TimeoutError:
                self._engine.advance(clock.now())
        if integration not in self._answers:
            self._fail(
                kind,
                began,
                f"{name}: no answer in {self._patience:.0f} s",
                "check address, proxy and firewall",
            )
            return False
        delivery, answer, seconds = self._answers[integration]
        if answer.verdict is not Verdict.DELIVERED:
            self._add(Hop(kind, False, f"{name}: {answer.detail}", seconds, answer.remedy))
            return False
        detail = f"{name}, answered"
        target = self._routing.integration(integration)
        if isinstance(target, SlackIntegration) and answer.message is not None:
            detail = await self._read_back(delivery, answer, target, pool)
        self._add(Hop(kind, True, detail, clock.timer() - began + seconds))
        if answer.message is not None:
            self._check_clock(answer.message.ts)
        return True

    async def _read_back(
        self,
        delivery: Delivery,
        answer: Answer,
        target: SlackIntegration,
        pool: ThreadPoolExecutor,
    ) -> str:
        notice = replace(self._notice(delivery), message=answer.message)
        found = await asyncio.get_running_loop().run_in_executor(
            pool, self._parts.senders[target.id].find, notice
        )
        if found.search is Search.FOUND:
            return f"{target.channel}, read back"
        return f"{target.channel}, answered; not read back: {found}"

    def _check_clock(self, ts: str) -> None:
        try:
            off = self._parts.clock.now() - float(ts)
        except ValueError:
            return
        if abs(off) > CLOCK_TOLERANCE:
            self._add(
                Hop(
                    "clock",
                    True,
                    f"this machine is {off:+.0f} s off Slack's clock",
                    0.0,
                    "let it keep time (chrony); windows and tokens depend on it",
                )
            )

    async def _end(self, ended: Alert, courier: Courier) -> None:
        # The message is edited to say that the drill is over: nobody finds it open later.
        clock = self._parts.clock
        await asyncio.wrap_future(self._engine.accept([ended], clock.now()))
        for group in list(self._engine.ledger.groups.values()):
            due = replace(group, flush_at=clock.now())
            self._engine.conclude(Changes(groups=(due,)), clock.now())
        began = clock.timer()
        while self._engine.ledger.deliveries and clock.timer() - began < 10.0:
            await clock.sleep(0.1)
            self._engine.advance(clock.now())
        await courier.drain(2.0)

    def _notice(self, delivery: Delivery) -> Notice:
        return make_notice(
            delivery,
            self._engine.ledger,
            self._routing,
            self._parts.settings.external_url,
            self._parts.clock.now(),
        )

    def _observe(self, delivery: Delivery, answer: Answer, seconds: float) -> None:
        known = self._answers.get(delivery.integration)
        if known is None or known[1].verdict is not Verdict.DELIVERED:
            retried = answer.verdict in (Verdict.RETRY, Verdict.AMBIGUOUS, Verdict.CONTENT)
            if not retried:
                self._answers[delivery.integration] = (delivery, answer, seconds)
                self._answered.set()


def _rule(drill: str, labels: Mapping[str, str]) -> Rule:
    return Rule(
        id="sre-obs/sre-obs-drill",
        title="DRILL, no action",
        kind=RuleKind.QUERY,
        index=(INDEX,),
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
