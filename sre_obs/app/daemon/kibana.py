"""Follows the alerts of one Kibana: looks, decides, hands on; one task a source.

The first look and one every few minutes is whole, the others ask what moved. A look that
fails changes nothing: what fires is held, and after a while the engine's own alert says
that the source can't be read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any, Protocol

import structlog

from sre_obs.adapters.clock import Clock
from sre_obs.app.daemon.blind import SILENT, blind, identity
from sre_obs.app.daemon.engine import Engine
from sre_obs.app.daemon.evaluations import Progress
from sre_obs.app.daemon.journal import Sources
from sre_obs.evaluate.kibana import ask
from sre_obs.evaluate.kibana.follow import Memory, follow, held_of, uuids_of
from sre_obs.evaluate.kibana.standing import Options
from sre_obs.model.alert import Alert, EndReason, fingerprint
from sre_obs.model.changes import Changes
from sre_obs.model.errors import SourceError, StoreError

log = structlog.get_logger("kibana")

# Muting, tags and deletion move no time in a document: asked for outright.
WHOLE = 300.0


class Alerts(Protocol):
    """Where Kibana's documents are read."""

    name: str

    def fetch(self, queries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The hits of all queries. Blocks. Raises SourceError."""
        ...


class Follower:
    """One a source."""

    def __init__(
        self,
        alerts: Alerts,
        options: Options,
        *,
        poll: float,
        engine: Engine,
        pool: Executor,
        clock: Clock,
    ) -> None:
        self.name = alerts.name
        self.progress = Progress()
        self._alerts = alerts
        self._options = options
        self._poll = poll
        self._engine = engine
        self._pool = pool
        self._clock = clock
        self._said = Sources()
        self._memory = Memory()
        self._whole_at: float | None = None

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except StoreError as error:
                log.error("store refuses; looked at again later", error=error.message)
            except Exception:
                # Ours to mend, whatever it is: it must not cost the daemon and all its rules.
                log.exception("a look at Kibana's alerts failed", source=self.name)
            await self._clock.sleep(self._poll)

    async def look(self) -> None:
        """One look, and what it changes."""
        began = self._clock.now()
        held = held_of(self._engine.ledger.alerts.values(), self.name)
        # A clock that was set back must not put the next whole look off for hours.
        whole = self._whole_at is None or not 0 <= began - self._whole_at < WHOLE
        queries = self._queries(uuids_of(held.values()), whole=whole)
        loop = asyncio.get_running_loop()
        error: SourceError | None = None
        hits: Sequence[Mapping[str, Any]] = ()
        try:
            hits = await loop.run_in_executor(self._pool, self._alerts.fetch, queries)
        except SourceError as lost:
            error = lost
        now = self._clock.now()
        self._note(error, now)
        found: tuple[Alert, ...] = ()
        if error is None:
            held = held_of(self._engine.ledger.alerts.values(), self.name)
            followed = follow(hits, held, self._memory, self._options, now, whole=whole)
            self._memory, found = followed.memory, followed.alerts
            if followed.unreadable:
                words = "alert documents that can't be read are left out, their alerts held"
                log.warning(words, source=self.name, count=followed.unreadable)
            if whole:
                self._whole_at = began
                found += self._silent(followed.silent_since, now)
        known = self._engine.ledger.alerts.get(identity(self.name))
        progress = self.progress
        told = blind(self.name, progress.failing_since, progress.error, known, now)
        if found or told:
            changes = Changes(alerts=(*found, *told))
            await asyncio.wrap_future(self._engine.conclude(changes, now))

    def _queries(self, uuids: Sequence[str], *, whole: bool) -> list[ask.Query]:
        if not whole and self._memory.cursor is not None:
            return [ask.moved(self._memory.cursor)]
        return [ask.active(), *ask.these(uuids)]

    def _note(self, error: SourceError | None, now: float) -> None:
        progress = self.progress
        progress.last_round = now
        if error is None:
            progress.last_success, progress.failing_since = now, None
            progress.error = progress.remedy = ""
        else:
            if progress.failing_since is None or progress.failing_since > now:
                progress.failing_since = now
            progress.error, progress.remedy = error.message, error.remedy
        self._said.read(self.name, progress.error, progress.remedy, now)

    def _silent(self, since: float | None, now: float) -> tuple[Alert, ...]:
        """The alert that says that Kibana runs no rules: raised, or ended."""
        print_ = fingerprint({"alertname": SILENT, "source": self.name})
        known = self._engine.ledger.alerts.get(print_)
        out = known is not None and known.firing(now)
        if since is None:
            if known is None or not out:
                return ()
            return (replace(known, ends_at=now, updated_at=now, ended=EndReason.UNDER_LIMIT),)
        if out:
            return ()
        return (
            Alert(
                fingerprint=print_,
                labels={"alertname": SILENT, "severity": "critical", "source": self.name},
                annotations={
                    "title": "Kibana runs no rules",
                    "summary": f"No rule of {self.name} has reported for {now - since:.0f} s",
                    "description": "Its alerts are held: none of them is known to be over.",
                    "action": "Is Kibana up? Look at its log, its task manager and the licence.",
                },
                starts_at=since,
                fired_at=now,
                updated_at=now,
            ),
        )
