"""Runs rules when they are due: a thread at a time for each source, oldest time first.

A source that hangs or is down holds up its own rules alone. What a round finds goes to the
engine in one step. After downtime the missed rounds are run in order, with their own
times, before the present one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

import structlog

from sre_obs.adapters.clock import Clock
from sre_obs.app.daemon.blind import blind, identity
from sre_obs.app.daemon.engine import Engine
from sre_obs.app.daemon.waiting import first_of
from sre_obs.evaluate.evaluate import evaluate, unreadable
from sre_obs.evaluate.fields import missing_fields
from sre_obs.evaluate.ports import Renderer, Source
from sre_obs.evaluate.schedule import due, next_due
from sre_obs.model.changes import Changes
from sre_obs.model.errors import SourceError, StoreError
from sre_obs.model.evaluation import Outcome, RuleRun
from sre_obs.model.rule import Rule, RuleState

log = structlog.get_logger("evaluate")

# A source without due rules is looked at again so soon, so that a reload is noticed.
IDLE = 60.0


@dataclass(slots=True)
class Progress:
    """What the page and the metrics show of one source."""

    last_round: float | None = None
    last_success: float | None = None
    failing_since: float | None = None
    error: str = ""
    remedy: str = ""
    behind: int = 0  # rounds still to catch up
    dropped: int = 0  # rounds given up, too old to catch up
    unknown_fields: dict[str, list[str]] = field(default_factory=dict)


class Evaluations:
    """One per daemon; `rules` may be replaced at any time by `reload`."""

    def __init__(
        self,
        rules: Sequence[Rule],
        sources: Mapping[str, Source],
        renderer: Renderer,
        *,
        engine: Engine,
        pool: Executor,
        clock: Clock,
        observe: Callable[[Rule, RuleRun], None],
        field_check: float,
    ) -> None:
        self.rules = tuple(rules)
        self.sources = sources
        self.progress = {name: Progress() for name in sources}
        self._renderer = renderer
        self._engine = engine
        self._pool = pool
        self._clock = clock
        self._observe = observe
        self._field_check = field_check
        self._changed = {name: asyncio.Event() for name in sources}

    def reload(self, rules: Sequence[Rule]) -> None:
        """Run these rules from now on."""
        self.rules = tuple(rules)
        for event in self._changed.values():
            event.set()

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name in self.sources:
                group.create_task(self._run_source(name))
            # A router without sources has nothing to run, and must not stop for that.
            await asyncio.get_running_loop().create_future()

    async def round(self, name: str) -> bool:
        """Run what is due on one source now; whether there was anything."""
        rules = [r for r in self.rules if r.source == name and r.state is not RuleState.DISABLED]
        rounds: dict[float, list[Rule]] = {}
        progress = self.progress[name]
        for rule in rules:
            run = self._engine.ledger.runs.get(rule.id)
            planned = due(rule, run.at if run else None, self._clock.now())
            progress.dropped += planned.dropped
            for at in planned.times:
                rounds.setdefault(at, []).append(rule)
        for number, at in enumerate(sorted(rounds)):
            progress.behind = len(rounds) - number - 1
            await self._evaluate(name, rounds[at], at)
        return bool(rounds)

    async def check_fields(self, name: str) -> None:
        """Ask the source which of the fields that the rules use it does not know."""
        rules = [r for r in self.rules if r.source == name]
        loop = asyncio.get_running_loop()
        progress = self.progress[name]
        unknown: dict[str, list[str]] = {}
        for index in {rule.index for rule in rules}:
            try:
                types = await loop.run_in_executor(
                    self._pool, self.sources[name].field_types, index
                )
            except SourceError as error:
                log.warning("fields not checked", source=name, error=error.message)
                return
            for rule in rules:
                # No type at all: the stream is not there yet, which absence rules tell.
                if rule.index == index and types and (missing := missing_fields(rule, types)):
                    unknown[rule.id] = missing
        progress.unknown_fields = unknown

    async def _run_source(self, name: str) -> None:
        checked = float("-inf")
        while True:
            now = self._clock.now()
            if now - checked >= self._field_check:
                checked = now
                await self.check_fields(name)
            self._changed[name].clear()
            try:
                if await self.round(name):
                    continue
            except StoreError as error:
                log.error("store refuses; evaluated again later", error=error.message)
            await self._rest(name)

    async def _rest(self, name: str) -> None:
        now = self._clock.now()
        runs = self._engine.ledger.runs
        times = [
            next_due(rule, run.at if (run := runs.get(rule.id)) else None, now)
            for rule in self.rules
            if rule.source == name and rule.state is not RuleState.DISABLED
        ]
        seconds = max(min([*times, now + IDLE]) - now, 0.01)
        await first_of(self._clock.sleep(seconds), self._changed[name].wait())

    async def _evaluate(self, name: str, rules: list[Rule], at: float) -> None:
        progress = self.progress[name]
        entities = self._engine.ledger.entities
        memory = {rule.id: dict(entities.get(rule.id, {})) for rule in rules}
        unknown = {r: f for r, f in progress.unknown_fields.items() if r in memory}
        loop = asyncio.get_running_loop()
        changes: Changes = await loop.run_in_executor(
            self._pool,
            lambda: evaluate(
                rules,
                at,
                self.sources[name],
                memory,
                self._renderer,
                timer=self._clock.timer,
                alerts=self._engine.ledger.alerts,
                unknown_fields=unknown,
            ),
        )
        now = self._clock.now()
        by_id = {rule.id: rule for rule in rules}
        for run in changes.runs:
            self._observe(by_id[run.rule], run)
        # A rule that is wrong was answered, or never asked: it says nothing of its source.
        searched = [run for run in changes.runs if run.outcome is not Outcome.MISCONFIGURED]
        failed = [run for run in searched if unreadable(run)]
        progress.last_round = now
        if failed and len(failed) == len(searched):
            progress.failing_since = progress.failing_since or now
            progress.error, progress.remedy = failed[0].error, failed[0].remedy
        else:
            progress.last_success, progress.failing_since = now, None
            progress.error = progress.remedy = ""
        known = self._engine.ledger.alerts.get(identity(name))
        told = blind(name, progress.failing_since, progress.error, known, now)
        joint = Changes.joint([changes, Changes(alerts=told)])
        await asyncio.wrap_future(self._engine.conclude(joint, now))
