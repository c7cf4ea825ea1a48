"""Takes claimed deliveries to their receivers, each try in a bounded thread.

Nothing leaves before its claim is on disk. What a receiver answers, or that it did not,
goes back to the engine, which decides what becomes of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import replace

import structlog

from sre_obs.adapters.clock import Clock
from sre_obs.app.daemon.engine import Claim, Engine
from sre_obs.app.daemon.journal import Receivers
from sre_obs.model.errors import StoreError
from sre_obs.model.notification import Delivery, DeliveryState
from sre_obs.model.outcome import Answer, Failure, Verdict
from sre_obs.notify.headline import one_line
from sre_obs.notify.notice import Notice
from sre_obs.notify.ports import Found, Search, Sender

log = structlog.get_logger("deliver")

# The disk is asked again so often while it refuses what we must write before sending.
DISK_RETRY = 1.0


class Courier:
    """One per daemon. `senders` is by integration id."""

    def __init__(
        self,
        senders: Mapping[str, Sender],
        pool: Executor,
        clock: Clock,
        notice: Callable[[Delivery], Notice],
        observe: Callable[[Delivery, Answer, float], None],
    ) -> None:
        self.senders = senders
        self.engine: Engine | None = None
        self._pool = pool
        self._clock = clock
        self._notice = notice
        self._observe = observe
        self._tasks: set[asyncio.Task[None]] = set()
        self._receivers = Receivers()
        self._refused = False  # said once, not for each delivery and second

    def depart(self, claim: Claim) -> None:
        """Start on a claim; returns at once."""
        task = asyncio.get_running_loop().create_task(self._deliver(claim))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def replace(self, senders: Mapping[str, Sender]) -> None:
        """Send through these from now on."""
        self.senders = senders
        self._receivers.keep(senders)

    async def drain(self, seconds: float) -> int:
        """Wait for what is under way, at most so long; how many were left unanswered."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        return len(self._tasks)

    async def _deliver(self, claim: Claim) -> None:
        assert self.engine is not None
        delivery = claim.delivery
        await self._on_disk(claim.written)
        sender = self.senders.get(delivery.integration)
        try:
            notice = self._notice(delivery)
            delivery = replace(delivery, summary=one_line(notice))
        except Exception as error:
            # A row that can't be put into words must not keep a place from those behind it.
            log.exception("not put into words", delivery=delivery.id)
            mute = Answer(Verdict.REFUSED, Failure.OTHER, f"no words: {type(error).__name__}")
            self.engine.settle(delivery, mute, self._clock.now())
            return
        asking = delivery.state is DeliveryState.AMBIGUOUS
        if sender is None:
            gone = Answer(Verdict.REFUSED, Failure.OTHER, "its receiver has no sender")
            self._settle(delivery, gone)
        elif asking:
            found = await self._ask(sender, notice)
            log.info("asked", delivery=delivery.id, found=str(found))
            self.engine.reconcile(delivery, found, self._clock.now())
            if found.search is Search.FOUND:
                self._say(delivery, Answer(Verdict.DELIVERED))
        else:
            began = self._clock.timer()
            answer = await self._send(sender, notice)
            self._observe(delivery, answer, self._clock.timer() - began)
            self._settle(delivery, answer)

    def _settle(self, delivery: Delivery, answer: Answer) -> None:
        assert self.engine is not None
        self.engine.settle(delivery, answer, self._clock.now())
        self._say(delivery, answer)

    def _say(self, delivery: Delivery, answer: Answer) -> None:
        assert self.engine is not None
        waiting = self.engine.ledger.deliveries.values()
        self._receivers.answered(delivery, answer, self._clock.now(), waiting)

    async def _on_disk(self, written: Future[None]) -> None:
        assert self.engine is not None
        while True:
            try:
                await asyncio.wrap_future(written)
            except StoreError as error:
                if not self._refused:
                    log.error("store refuses; nothing is sent", error=error.message)
                self._refused = True
                await self._clock.sleep(DISK_RETRY)
                written = self.engine.store.flushed()
            else:
                self._refused = False
                return

    async def _send(self, sender: Sender, notice: Notice) -> Answer:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._pool, sender.send, notice)
        except Exception as error:
            log.exception("sender failed", integration=notice.delivery.integration)
            return Answer(Verdict.AMBIGUOUS, Failure.OTHER, type(error).__name__)

    async def _ask(self, sender: Sender, notice: Notice) -> Found:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._pool, sender.find, notice)
        except Exception as error:
            log.exception("asking failed", integration=notice.delivery.integration)
            return Found.later(type(error).__name__)
