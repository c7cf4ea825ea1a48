"""Start, run, reload, drain, stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sre_obs.app.daemon import api
from sre_obs.app.daemon.blind import unwatched
from sre_obs.app.daemon.callers import ImpatientProtocol
from sre_obs.app.daemon.courier import Courier
from sre_obs.app.daemon.desk import Desk
from sre_obs.app.daemon.engine import Engine
from sre_obs.app.daemon.evaluations import Evaluations
from sre_obs.app.daemon.guard import App, Guard
from sre_obs.app.daemon.heartbeat import beat
from sre_obs.app.daemon.journal import MOST
from sre_obs.app.daemon.kibana import Follower
from sre_obs.app.daemon.metrics import Metrics
from sre_obs.app.daemon.pacemaker import Pacemaker
from sre_obs.app.settings import split_address
from sre_obs.app.usecases.load import keep_old
from sre_obs.app.wiring import Parts
from sre_obs.evaluate.kibana.follow import orphaned
from sre_obs.evaluate.kibana.standing import Options
from sre_obs.evaluate.retire import retire
from sre_obs.model.changes import AuditEntry, Changes
from sre_obs.model.errors import ContentError, SreObsError, UsageError
from sre_obs.model.ledger import Ledger
from sre_obs.model.notification import Delivery
from sre_obs.model.outcome import Answer
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.rule import RuleState
from sre_obs.notify.notice import Notice, make_notice

log = structlog.get_logger("daemon")

# What is under way when we are told to stop gets so long to be answered.
DRAIN = 8.0
# A blocking call holds a thread: searches and sends have their own, so that a slow
# Elasticsearch never keeps a message from going out.
SEARCH_THREADS = 8
# Made only when needed: as many as are under way to thirty receivers that all hang.
SEND_THREADS = 128


@dataclass(frozen=True, slots=True)
class Listening:
    """The addresses in use, for the start line and tests that asked for port 0."""

    api: str
    probes: str = ""


class Daemon:
    """One process's worth. `parts` come from `wiring`; `pages` are extra HTML pages."""

    def __init__(
        self,
        parts: Parts,
        *,
        ready: Callable[[Desk, Listening], Awaitable[None] | None] | None = None,
        web: Callable[[Desk], Sequence[BaseRoute]] | None = None,
        stopping: Callable[[Desk], None] = lambda _: None,
    ) -> None:
        self._parts = parts
        self._ready = ready
        self._web = web
        self._on_stop = stopping
        self._stopping: asyncio.Event | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def stop(self) -> None:
        """Begin to drain; from the loop's thread."""
        if self._stopping is not None:
            self._stopping.set()

    async def run(self) -> None:
        """Serve until told to stop, then drain. Raises SreObsError if it can't start."""
        _spare_the_collector()
        parts = self._parts
        clock, settings = parts.clock, parts.settings
        self._stopping = asyncio.Event()
        self._reloading = asyncio.Lock()
        pacemaker = Pacemaker(clock)
        self._searches = ThreadPoolExecutor(SEARCH_THREADS, "search")
        sends = ThreadPoolExecutor(SEND_THREADS, "send")
        self._metrics = metrics = Metrics()
        sockets = [_listen(settings.listen)]
        if settings.probe_listen:
            sockets.append(_listen(settings.probe_listen))

        self._courier = courier = Courier(
            parts.senders, sends, clock, self._notice, self._delivered
        )
        ledger = Ledger(parts.store.load())
        self._engine = engine = Engine(
            ledger,
            parts.store,
            parts.content.routing,
            depart=courier.depart,
            decided=metrics.decided,
            moved=pacemaker.moved,
            retention=settings.retention,
        )
        courier.engine = engine
        evaluations = Evaluations(
            parts.content.rules,
            parts.sources,
            parts.renderer,
            engine=engine,
            pool=self._searches,
            clock=clock,
            observe=metrics.evaluated,
            field_check=settings.field_check,
        )
        followers = [self._follower(name) for name in parts.kibanas]
        # The page, the probes and the heartbeat ask of every source how it does.
        evaluations.progress.update({one.name: one.progress for one in followers})
        now = clock.now()
        self._desk = desk = Desk(
            settings,
            parts.version,
            clock,
            engine,
            parts.store,
            evaluations,
            self._reload,
            started_at=now,
            problems=parts.content.problems,
            reload_at=now,
        )
        metrics.attach(desk)
        await asyncio.wrap_future(engine.start(now))
        await asyncio.wrap_future(self._retire_removed())

        # What was loaded lives long: out of the collector's way for good.
        gc.freeze()
        servers = [_Server(self._main_app(desk), sockets[0], settings.max_body)]
        if len(sockets) > 1:
            servers.append(_Server(Starlette(routes=self._probes(desk)), sockets[1], 2**16))
        with _signals(self.stop, self._on_hangup):
            running = [
                asyncio.create_task(server.serve(sockets=[server.socket])) for server in servers
            ]
            self._spawn(pacemaker.run(engine))
            self._spawn(self._prune())
            self._spawn(evaluations.run())
            for follower in followers:
                self._spawn(follower.run())
            if parts.heartbeat is not None:
                self._spawn(
                    beat(
                        parts.heartbeat,
                        self._trouble,
                        metrics.heartbeat,
                        interval=settings.heartbeat.interval,
                        clock=clock,
                        pool=sends,
                    )
                )
            listening = Listening(*(_name(s) for s in sockets))
            if self._ready is not None:
                said = self._ready(desk, listening)
                if said is not None:
                    await said
            stopped = asyncio.create_task(self._stopping.wait())
            await asyncio.wait(
                {stopped, *running, *self._tasks}, return_when=asyncio.FIRST_COMPLETED
            )
            failed = [t for t in self._tasks if t.done() and not t.cancelled() and t.exception()]
            self._on_stop(desk)
            await self._drain(servers, running)
        self._searches.shutdown(wait=False, cancel_futures=True)
        sends.shutdown(wait=False, cancel_futures=True)
        parts.close()
        for task in failed:
            task.result()

    async def _drain(self, servers: list[_Server], running: list[asyncio.Task[None]]) -> None:
        self._desk.draining = True
        self._engine.hold()
        log.info("stopping")
        for task in self._tasks:
            task.cancel()
        for server in servers:
            server.should_exit = True
        left = await self._courier.drain(DRAIN)
        await asyncio.wait(running, timeout=2.0)
        if left:
            log.warning("stopped with deliveries unanswered", count=left)
        waiting = len(self._engine.ledger.deliveries)
        log.info(f"stopped, {waiting} deliveries waiting")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)

    async def _prune(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._parts.clock.sleep(3600.0)
            before = self._parts.clock.now() - self._parts.settings.retention
            try:
                await loop.run_in_executor(self._searches, self._parts.store.prune, before)
            except SreObsError as error:
                log.error("history not pruned", error=error.message)

    def _notice(self, delivery: Delivery) -> Notice:
        engine = self._engine
        return make_notice(
            delivery,
            engine.ledger,
            engine.routing,
            self._parts.settings.external_url,
            self._parts.clock.now(),
        )

    def _delivered(self, delivery: Delivery, answer: Answer, seconds: float) -> None:
        self._metrics.delivered(delivery, answer, seconds, self._parts.clock.now())
        self._parts.delivered(delivery, answer, seconds)

    def _trouble(self) -> str:
        blind = [
            f"{name}: {progress.error}"
            for name, progress in self._desk.evaluations.progress.items()
            if progress.failing_since is not None
        ]
        return self._desk.unhealthy() or self._desk.unready() or "; ".join(blind)

    def _retire_removed(self) -> Future[None]:
        """End what rules that no longer run have left behind."""
        now, ledger = self._parts.clock.now(), self._engine.ledger
        rules = self._parts.content.rules
        running = {rule.id for rule in rules if rule.state is not RuleState.DISABLED}
        retired = retire(running, ledger.entities, ledger.alerts.values(), now)
        read = {rule.source for rule in rules if rule.id in running}
        kibanas = set(self._parts.kibanas)
        watched = (read & set(self._parts.sources)) | kibanas
        blind = unwatched(ledger.alerts.values(), watched, now)
        lost = orphaned(ledger.alerts.values(), kibanas, now)
        return self._engine.conclude(Changes.joint([retired, Changes(alerts=(*blind, *lost))]), now)

    def _follower(self, name: str) -> Follower:
        source = self._parts.settings.sources[name]
        return Follower(
            self._parts.kibanas[name],
            Options(
                name,
                url=source.kibana_url,
                spaces=source.spaces,
                severity=source.severity,
                stale_after=source.stale_after,
                security_ttl=source.security_ttl,
            ),
            poll=source.poll,
            engine=self._engine,
            pool=self._searches,
            clock=self._parts.clock,
        )

    def _on_hangup(self) -> None:
        self._spawn_reload = asyncio.create_task(self._log_reload())

    async def _log_reload(self) -> None:
        await self._reload()

    async def _reload(self) -> Sequence[Problem]:
        """Load everything anew; keep what is running if any of it is wrong. One at a time."""
        async with self._reloading:
            return await self._load_anew()

    async def _load_anew(self) -> Sequence[Problem]:
        desk, loop = self._desk, asyncio.get_running_loop()
        try:
            content = await loop.run_in_executor(self._searches, self._parts.load)
        except SreObsError as error:
            return self._refused(_problems(error))
        except Exception as error:
            # Ours to mend; meanwhile nobody may take the old configuration for the new.
            log.exception("reload failed")
            words = f"sre-obs failed to load it ({type(error).__name__}): please report it"
            return self._refused(
                [Problem("reload/failed", Severity.ERROR, Location("reload"), words)]
            )
        errors = [p for p in content.problems if p.severity is Severity.ERROR]
        if any(p.location.file not in content.left_out for p in errors):
            return self._refused(content.problems)
        content = keep_old(content, self._parts.content)
        now = self._parts.clock.now()
        self._parts.replace(content)
        self._courier.replace(self._parts.senders)
        await asyncio.wrap_future(self._engine.reload(content.routing, now))
        desk.evaluations.reload(content.rules)
        await asyncio.wrap_future(self._retire_removed())
        for name in desk.evaluations.sources:
            await desk.evaluations.check_fields(name)
        entry = AuditEntry(now, "-", "reload", f"{len(content.rules)} rules")
        await asyncio.wrap_future(self._engine.conclude(Changes(audit=(entry,)), now))
        desk.reload_at, desk.problems = now, content.problems
        desk.reload_ok, desk.broken = not errors, len(content.left_out)
        for problem in errors[:MOST]:
            words = f"reload: {problem.location}: {problem.message}"
            log.error(f"{words}; its old rule runs on, if there was one", **_remedy(problem))
        for problem in content.problems[:MOST]:
            if problem.severity is Severity.WARNING:
                log.warning(f"reload: {problem.location}: {problem.message}", **_remedy(problem))
        log.info("reloaded", rules=len(content.rules))
        return content.problems

    def _refused(self, problems: Sequence[Problem]) -> Sequence[Problem]:
        self._desk.reload_ok, self._desk.problems = False, problems
        self._desk.broken = 0
        errors = [p for p in problems if p.severity is Severity.ERROR]
        for problem in errors[:MOST]:
            words = f"reload refused: {problem.location}: {problem.message}"
            log.error(words, **_remedy(problem))
        log.error("reload refused; the old configuration runs on", problems=len(errors))
        return problems

    def _main_app(self, desk: Desk) -> App:
        pages = list(self._web(desk)) if self._web is not None else []
        app = Starlette(routes=[*api.routes(desk), self._metrics_route(), *pages])
        settings = self._parts.settings
        hosts = [*settings.allowed_hosts, split_address(settings.listen)[0]]
        if settings.external_url:
            hosts.append(settings.external_url.partition("://")[2].partition("/")[0].split(":")[0])
        return Guard(app, hosts=hosts, token=self._parts.token, max_body=settings.max_body)

    def _probes(self, desk: Desk) -> list[Route]:
        return [*api.probes(desk), self._metrics_route()]

    def _metrics_route(self) -> Route:
        async def metrics(request: Request) -> Response:
            body, kind = self._metrics.render(request.headers.get("accept", ""))
            return Response(body, media_type=kind)

        return Route("/metrics", metrics)


def _problems(error: SreObsError) -> Sequence[Problem]:
    """What is wrong with the files; a secret's file that can't be read is one of them."""
    if isinstance(error, ContentError):
        return error.problems
    where = Location(error.where or "-")
    return (Problem(error.slug, Severity.ERROR, where, error.message, error.remedy),)


def _remedy(problem: Problem) -> dict[str, str]:
    return {"remedy": problem.remedy} if problem.remedy else {}


def _spare_the_collector() -> None:
    """Keep the cycle collector from looking at alerts again and again.

    Nouns hold no cycles and are freed by counting; yet with the defaults a fifth of an
    ingest's time was spent on looking at all of them anew, in pauses that grow with their
    number.
    """
    gc.set_threshold(20_000, 20, 100)


class _Server(uvicorn.Server):
    """uvicorn on a socket of ours; signals are the daemon's."""

    def __init__(self, app: Any, sock: socket.socket, max_body: int) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                http=ImpatientProtocol,
                ws="none",
                loop="none",
                server_header=False,
                date_header=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=2,
                backlog=1024,
            )
        )
        self.socket = sock
        self.max_body = max_body

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def _listen(address: str) -> socket.socket:
    host, port = split_address(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, since asyncio sets TCP_NODELAY only where it is: without it an
    # answer's body waits 40 ms for the acknowledgement of its headers.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise UsageError(
            f"can't listen on {address}: {error.strerror}",
            where="listen",
            remedy="stop what uses that port, or give --listen 127.0.0.1:0",
        ) from None
    # Listening from here on, so that "ready" is true before the server's first turn.
    sock.listen(1024)
    sock.setblocking(False)
    return sock


def _name(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextlib.contextmanager
def _signals(stop: Callable[[], None], hangup: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    handlers = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: hangup}
    try:
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
    except (RuntimeError, ValueError):  # not the main thread: a test runs us
        handlers = {}
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)
