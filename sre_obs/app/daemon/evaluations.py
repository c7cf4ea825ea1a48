"""Runs rules when they are due: a thread at a time for each source, oldest time first.

A source that hangs or is down holds up its own rules alone. What a round finds goes to the
engine in one step. After downtime the missed rounds are run in order, with their own
times, before the present one; what they find is told once the rules are at the present:

- what still fires, with the start that it had;
- the end of what was told to fire and does no more;
- nothing of what came and went meanwhile (it is in the history), or of what ended and
  fires again: a page at three in the morning for what is over helps nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import structlog

from sre_obs.adapters.clock import Clock
from sre_obs.app.daemon.blind import blind, identity
from sre_obs.app.daemon.engine import Engine
from sre_obs.app.daemon.journal import Rules, Sources
from sre_obs.app.daemon.waiting import first_of
from sre_obs.evaluate.evaluate import evaluate, unreadable
from sre_obs.evaluate.fields import fields_of, missing
from sre_obs.evaluate.ports import Renderer, Source
from sre_obs.evaluate.schedule import due, next_due
from sre_obs.model.changes import Changes
from sre_obs.model.errors import Blame, SourceError, StoreError
from sre_obs.model.evaluation import Outcome, RuleRun
from sre_obs.model.fields import FieldTypes
from sre_obs.model.rule import Rule, RuleState

log = structlog.get_logger("evaluate")

# Index -> the fields that a rule reads there and that it has not.
Unknown: TypeAlias = Mapping[tuple[str, ...], Sequence[str]]

# A source without due rules is looked at again so soon, so that a reload is noticed.
IDLE = 60.0


@dataclass(slots=True)
class Progress:
    """What the page and the metrics show of one source."""

    last_round: float | None = None
    last_success: float | None = None
    failing_since: float | None = None
    failing_rules: dict[str, float] = field(default_factory=dict)  # rule id -> since
    error: str = ""
    remedy: str = ""
    behind: int = 0  # rounds still to catch up
    dropped: int = 0  # rounds given up, too old to catch up
    unknown_fields: Mapping[str, Unknown] = field(default_factory=dict)  # by rule


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
        self._said_rules, self._said_sources = Rules(), Sources()
        self._changed = {name: asyncio.Event() for name in sources}
        self._locks = {name: asyncio.Lock() for name in sources}
        self._unchecked = set(sources)  # whose rules' fields were not asked for yet

    def reload(self, rules: Sequence[Rule]) -> None:
        """Run these rules from now on."""
        self.rules = tuple(rules)
        self._unchecked = set(self.sources)
        self._said_rules.keep({r.id for r in rules if r.state is not RuleState.DISABLED})
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
        async with self._locks[name]:
            return await self._round(name)

    async def _round(self, name: str) -> bool:
        rules = self._running(name)
        rounds: dict[float, list[Rule]] = {}
        latest: dict[str, float] = {}
        progress = self.progress[name]
        for rule in rules:
            run = self._engine.ledger.runs.get(rule.id)
            planned = due(rule, run.at if run else None, self._clock.now())
            progress.dropped += planned.dropped
            for at in planned.times:
                rounds.setdefault(at, []).append(rule)
                latest[rule.id] = at
        # Rounds after which the same rules have others to run.
        missed = {at for at in rounds if any(latest[rule.id] > at for rule in rounds[at])}
        for number, at in enumerate(sorted(rounds)):
            progress.behind = len(rounds) - number - 1
            if self._changed[name].is_set():
                break  # other rules than these are to run by now
            await self._evaluate(name, rounds[at], at, missed=at in missed)
        progress.behind = 0
        if missed:
            log.info("caught up", source=name, rounds=len(missed))
            await asyncio.wrap_future(self._engine.caught_up(name, self._clock.now()))
        return bool(rounds)

    async def check_fields(self, name: str) -> None:
        """Ask the source which of the fields that the rules use it does not know, unless it
        was asked since they were loaded."""
        async with self._locks[name]:
            if name in self._unchecked:
                await self._check_fields(name)

    async def _check_fields(self, name: str) -> None:
        self._unchecked.discard(name)
        reading: dict[tuple[str, ...], list[tuple[Rule, Sequence[str]]]] = {}
        for rule in self._running(name):
            for index, fields in fields_of(rule).items():
                if fields:
                    reading.setdefault(index, []).append((rule, fields))
        loop = asyncio.get_running_loop()
        progress = self.progress[name]
        before, unknown = progress.unknown_fields, dict[str, dict[tuple[str, ...], Sequence[str]]]()
        lost: SourceError | None = None
        for index, readers in sorted(reading.items()):
            types: FieldTypes = {}
            try:
                if lost is None:
                    types = await loop.run_in_executor(
                        self._pool, self.sources[name].field_types, index
                    )
            except SourceError as error:
                # Nobody answers: the other questions would wait as long, and for nothing.
                # That the source can't be read is said once, by the next round.
                if error.blame is Blame.UNREACHABLE:
                    lost = error
                else:
                    why = error.message
                    log.warning("fields not checked", source=name, index=index, error=why)
                _as_before(readers, index, before, unknown)
                continue
            if lost is not None:
                _as_before(readers, index, before, unknown)
                continue
            for rule, used in readers:
                # No type at all: the stream is not there yet, which absence rules tell.
                if types and (lacking := missing(used, types)):
                    unknown.setdefault(rule.id, {})[index] = lacking
        progress.unknown_fields = unknown

    def _running(self, name: str) -> list[Rule]:
        return [r for r in self.rules if r.source == name and r.state is not RuleState.DISABLED]

    async def _run_source(self, name: str) -> None:
        checked = float("-inf")
        while True:
            self._changed[name].clear()
            now = self._clock.now()
            if not 0 <= now - checked < self._field_check:
                self._unchecked.add(name)
            if name in self._unchecked:
                checked = now
                await self.check_fields(name)
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
            for rule in self._running(name)
        ]
        seconds = max(min([*times, now + IDLE]) - now, 0.01)
        await first_of(self._clock.sleep(seconds), self._changed[name].wait())

    async def _evaluate(self, name: str, rules: list[Rule], at: float, *, missed: bool) -> None:
        changes = await self._search(name, rules, at)
        now = self._clock.now()
        # A reload may have taken a rule away meanwhile, and ended what it had left.
        running = {rule.id for rule in self._running(name)}
        gone = {rule.id for rule in rules} - running
        if gone:
            changes = _without(changes, gone)
        by_id = {rule.id: rule for rule in rules}
        for run in changes.runs:
            self._observe(by_id[run.rule], run)
        self._note(name, changes.runs, now)
        self._say(name, [(by_id[run.rule], run) for run in changes.runs], now)
        progress = self.progress[name]
        known = self._engine.ledger.alerts.get(identity(name))
        told = blind(name, progress.failing_since, progress.error, known, now)
        joint = Changes.joint([changes, Changes(alerts=told)])
        catching_up = name if missed else ""
        await asyncio.wrap_future(self._engine.conclude(joint, now, catching_up=catching_up))

    def _say(self, name: str, runs: Sequence[tuple[Rule, RuleRun]], now: float) -> None:
        progress = self.progress[name]
        failing = progress.failing_since is not None
        self._said_sources.read(name, progress.error if failing else "", progress.remedy, now)
        # What a source that can't be read does to each of its rules goes without saying.
        told = [(rule, run) for rule, run in runs if not (failing and unreadable(run))]
        self._said_rules.ran(told, now)

    async def _search(self, name: str, rules: Sequence[Rule], at: float) -> Changes:
        entities = self._engine.ledger.entities
        memory = {rule.id: dict(entities.get(rule.id, {})) for rule in rules}
        unknown = {r: f for r, f in self.progress[name].unknown_fields.items() if r in memory}
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(
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
        except Exception as error:
            # Ours to mend, whatever it is: it must cost the one rule, not the daemon.
            log.exception("evaluation failed", source=name, rules=[r.id for r in rules])
            if len(rules) > 1:
                alone = [await self._search(name, [rule], at) for rule in rules]
                return Changes.joint(alone)
            words = f"sre-obs failed on this rule ({type(error).__name__}): please report it"
            run = RuleRun(rules[0].id, at, Outcome.MISCONFIGURED, error=words)
            return Changes(runs=(run,))

    def _note(self, name: str, runs: Sequence[RuleRun], now: float) -> None:
        """Whether the source can be read. A rule that fails while others are answered says
        nothing of it, nor does one that is wrong: it was answered, or never asked."""
        progress, failing = self.progress[name], self.progress[name].failing_rules
        # A clock that was set back must not make it patient until the hour comes again.
        back = max((progress.last_round or now) - now, 0.0)
        progress.last_round = now
        if progress.last_success is not None:
            progress.last_success -= back
        running = {rule.id for rule in self._running(name)}
        for rule, since in [*failing.items()]:
            failing[rule] = since - back
            if rule not in running:
                del failing[rule]
        searched = [run for run in runs if run.outcome is not Outcome.MISCONFIGURED]
        failed = [run for run in searched if unreadable(run)]
        for run in searched:
            if unreadable(run):
                failing.setdefault(run.rule, now)
            else:
                failing.pop(run.rule, None)
        if len(failed) < len(searched):
            progress.last_success, progress.failing_since = now, None
            progress.error = progress.remedy = ""
        elif failed:
            last = progress.last_success
            news = [since for since in failing.values() if last is None or since > last]
            progress.failing_since = min(news, default=None)
            if progress.failing_since is not None:
                progress.error, progress.remedy = failed[0].error, failed[0].remedy


def _without(changes: Changes, rules: Collection[str]) -> Changes:
    return replace(
        changes,
        alerts=tuple(a for a in changes.alerts if a.rule not in rules),
        entities=tuple(e for e in changes.entities if e.rule not in rules),
        runs=tuple(r for r in changes.runs if r.rule not in rules),
    )


def _as_before(
    readers: Sequence[tuple[Rule, Sequence[str]]],
    index: tuple[str, ...],
    before: Mapping[str, Unknown],
    unknown: dict[str, dict[tuple[str, ...], Sequence[str]]],
) -> None:
    """Of an index that can't be asked just now, what was known of it stays."""
    for rule, fields in readers:
        kept = tuple(name for name in before.get(rule.id, {}).get(index, ()) if name in fields)
        if kept:
            unknown.setdefault(rule.id, {})[index] = kept
