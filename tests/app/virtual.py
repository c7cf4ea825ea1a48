"""The daemon's own parts on a virtual clock: no second of it takes a second.

`Loop` is an event loop whose time jumps to the next timer as soon as nothing is left to
do; `Clock` is read off it and can be set like a machine's. `Inline` runs a blocking call
at once. `Receivers` are senders that take notes. What is under test is real: Engine,
Courier, Evaluations and Pacemaker, over a store in memory or on disk.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from sre_obs.app.daemon.courier import Courier
from sre_obs.app.daemon.engine import Engine
from sre_obs.app.daemon.evaluations import Evaluations
from sre_obs.app.daemon.pacemaker import Pacemaker
from sre_obs.content.routes.load import parse_routes
from sre_obs.evaluate.ports import Source
from sre_obs.model.changes import Changes
from sre_obs.model.ledger import Ledger
from sre_obs.model.notification import Delivery
from sre_obs.model.outcome import Answer, MessageRef, Verdict
from sre_obs.model.routing import Routing
from sre_obs.model.rule import Rule
from sre_obs.model.store import Snapshot, Store, StoreHealth
from sre_obs.notify.notice import Notice, make_notice
from sre_obs.notify.ports import Found
from tests.evaluate.world import Text

P = ParamSpec("P")
T = TypeVar("T")


class _Selector(selectors.DefaultSelector):  # type: ignore[valid-type, misc]
    """Waits for nothing: the time that would have passed, has."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout is None:
            # Nothing to do and nothing to wait for: only another thread could help.
            ready = super().select(5.0)
            assert ready, "everything waits, and nothing will come"
        if not ready and timeout:
            self.passed += timeout
        return ready


class Loop(asyncio.SelectorEventLoop):
    """An event loop on virtual time."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.passed


class Clock:
    """Seconds since the epoch, from a loop's; `set` is what an operator or NTP does."""

    def __init__(self, start: float) -> None:
        self._offset = start

    def now(self) -> float:
        return self._offset + self.timer()

    def timer(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.0))

    async def until(self, at: float) -> None:
        """Let time pass up to `at`."""
        await self.sleep(at - self.now())

    def step(self, seconds: float) -> None:
        """Set the clock so much ahead, or back."""
        self._offset += seconds


def play(story: Coroutine[Any, Any, T]) -> T:
    """Run it on a loop of its own."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(story)


class Inline(Executor):
    """Runs what it is given before it returns."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 (it is the caller's)
            future.set_exception(error)
        return future


class Settled:
    """A store whose commits are through, or have failed, when they return: virtual time
    does not wait for threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def commit(self, changes: Changes) -> Future[None]:
        future = self._store.commit(changes)
        future.exception()
        return future

    def flushed(self) -> Future[None]:
        future = self._store.flushed()
        future.exception()
        return future

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def load(self) -> Snapshot:
        return self._store.load()

    def health(self) -> StoreHealth:
        return self._store.health()


@dataclass(frozen=True)
class Call:
    """One notification as it reached a receiver."""

    at: float
    delivery: Delivery
    firing: tuple[str, ...]  # the alerts' names
    resolved: tuple[str, ...]
    starts_at: Mapping[str, float]


@dataclass
class Receiver:
    """A sender; `answers` are for the next calls, `readable` if it can be asked."""

    clock: Clock
    readable: bool = True
    calls: list[Call] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    lose: Callable[[], bool] = lambda: False  # the message arrives, its answer does not

    def send(self, notice: Notice) -> Answer:
        answer = self.answers.pop(0) if self.answers else Answer(Verdict.DELIVERED)
        if answer.verdict in (Verdict.DELIVERED, Verdict.AMBIGUOUS):
            self._take(notice)
            answer = Answer(answer.verdict, message=MessageRef("C", notice.delivery.id))
        return Answer(Verdict.AMBIGUOUS) if self.lose() else answer

    def find(self, notice: Notice) -> Found:
        if not self.readable:
            return Found.cant_ask("it can't be read")
        if any(call.delivery.id == notice.delivery.id for call in self.calls):
            return Found.at(MessageRef("C", notice.delivery.id))
        return Found.not_found()

    def describe(self, now: float) -> str:
        return "a receiver"

    def _take(self, notice: Notice) -> None:
        self.calls.append(
            Call(
                self.clock.now(),
                notice.delivery,
                tuple(sorted(alert.name for alert in notice.firing)),
                tuple(sorted(alert.name for alert in notice.resolved)),
                {alert.name: alert.starts_at for alert in notice.alerts},
            )
        )

    @property
    def told(self) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """(firing, resolved) of each call."""
        return [(call.firing, call.resolved) for call in self.calls]


class Daemon:
    """The parts of one process, from a store's content; `kill` leaves only the disk."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        routing: Routing,
        receivers: Mapping[str, Receiver],
        *,
        rules: Sequence[Rule] = (),
        sources: Mapping[str, Source] | None = None,
        courier: type[Courier] = Courier,
    ) -> None:
        self.clock = clock
        self.store = store
        self.pacemaker = Pacemaker(clock)
        self.courier = courier(
            receivers, Inline(), clock, self._notice, lambda delivery, answer, seconds: None
        )
        self.engine = Engine(
            Ledger(store.load()),
            store,
            routing,
            depart=self.courier.depart,
            moved=self.pacemaker.moved,
            seed=1,
        )
        self.courier.engine = self.engine
        self.evaluations = Evaluations(
            rules,
            sources or {},
            Text(),
            engine=self.engine,
            pool=Inline(),
            clock=clock,
            observe=lambda rule, run: None,
            field_check=300.0,
        )
        self._tasks: list[asyncio.Task[Any]] = []

    async def start(self) -> Daemon:
        """As the daemon starts: what was under way is ambiguous, then all goes on."""
        await asyncio.wrap_future(self.engine.start(self.clock.now()))
        self._tasks = [
            asyncio.create_task(self.pacemaker.run(self.engine)),
            asyncio.create_task(self.evaluations.run()),
        ]
        return self

    async def kill(self) -> None:
        """Stop in the middle of everything."""
        tasks = [*self._tasks, *self.courier._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def check(self) -> None:
        """Raises what ended one of its tasks."""
        for task in self._tasks:
            if task.done():
                task.result()

    def _notice(self, delivery: Delivery) -> Notice:
        engine = self.engine
        return make_notice(delivery, engine.ledger, engine.routing, "", self.clock.now())


def routing(text: str) -> Routing:
    """Routes from their text."""
    found, problems = parse_routes(text)
    assert found is not None, problems
    return found
