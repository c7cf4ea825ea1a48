"""The HTTP API: Alertmanager's v2, so that Prometheus, amtool and Karma work unchanged;
probes and reload.

Bodies are parsed here, in `intake` and in `content`, and nowhere deeper.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sre_obs.app.daemon.desk import Desk
from sre_obs.app.daemon.guard import BodyTooLarge
from sre_obs.app.daemon.intake import moment, read_alerts, within_years
from sre_obs.model.alert import Alert
from sre_obs.model.changes import AuditEntry
from sre_obs.model.errors import QueryError, StoreError
from sre_obs.model.matcher import Matcher, MatchOp
from sre_obs.model.problem import Problem
from sre_obs.model.silence import Silence, SilenceState
from sre_obs.query.matchers import compile_matchers, parse_matchers
from sre_obs.route.silence import expire, updated, validate

# What Alertmanager's own clients may write for false.
_FALSE = frozenset(("0", "f", "F", "false", "False", "FALSE"))

Handler = Callable[[Request], Any]
T = TypeVar("T")

# So many alerts are put into words in one turn of the loop, some milliseconds: to list
# 100,000 takes seconds, in which probes and POSTs go on.
TURN = 500


def routes(desk: Desk) -> list[Route]:
    """Every path of the API."""
    api = _Api(desk)
    return [
        Route("/api/v2/alerts", api.post_alerts, methods=["POST"]),
        Route("/api/v2/alerts", api.get_alerts, methods=["GET"]),
        Route("/api/v2/alerts/groups", api.get_groups, methods=["GET"]),
        Route("/api/v2/receivers", api.get_receivers, methods=["GET"]),
        Route("/api/v2/status", api.get_status, methods=["GET"]),
        Route("/api/v2/silences", api.post_silence, methods=["POST"]),
        Route("/api/v2/silences", api.get_silences, methods=["GET"]),
        Route("/api/v2/silence/{id}", api.get_silence, methods=["GET"]),
        # Alertmanager deletes under /silence/ID; people guess the plural.
        Route("/api/v2/silence/{id}", api.delete_silence, methods=["DELETE"]),
        Route("/api/v2/silences/{id}", api.delete_silence, methods=["DELETE"]),
        Route("/-/reload", api.post_reload, methods=["POST"]),
        *probes(desk),
    ]


def probes(desk: Desk) -> list[Route]:
    """What a kubelet asks: is it alive, is it ready."""

    async def healthy(_: Request) -> Response:
        return _probe(desk.unhealthy())

    async def ready(_: Request) -> Response:
        return _probe(desk.unhealthy() or desk.unready())

    return [Route("/-/healthy", healthy), Route("/-/ready", ready)]


def _problem(problem: Problem) -> str:
    text = f"{problem.location}: {problem.message}"
    return f"{text}; do: {problem.remedy}" if problem.remedy else text


class _Api:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def post_alerts(self, request: Request) -> Response:
        try:
            body = await request.body()
        except BodyTooLarge:
            return _error(413, "the body is too large: send fewer alerts at once")
        desk = self._desk
        now = desk.clock.now()
        taken = read_alerts(body, now, desk.engine.routing.resolve_timeout)
        desk.engine.counts["invalid"] += len(taken.problems)
        if len(taken.alerts) > TURN:
            await asyncio.sleep(0)  # a probe may come between reading so many and routing them
        if taken.alerts:
            try:
                await asyncio.wrap_future(desk.engine.accept(taken.alerts, now))
            except StoreError as error:
                return _error(503, f"not on disk yet, send again: {error.message}")
        if taken.problems:
            return _error(400, "; ".join(taken.problems[:10]))
        return _json({})

    async def get_alerts(self, request: Request) -> Response:
        try:
            chosen = await self._chosen(request)
        except QueryError as error:
            return _error(400, str(error))
        listed = [
            orjson.dumps(self._alert(alert)) async for some in _in_turns(chosen) for alert in some
        ]
        return _listed(listed)

    async def get_groups(self, request: Request) -> Response:
        try:
            chosen = {alert.fingerprint for alert in await self._chosen(request)}
        except QueryError as error:
            return _error(400, str(error))
        listed: list[bytes] = []
        told = 0
        for group in list(self._desk.engine.ledger.groups.values()):
            alerts = [
                self._alert(alert)
                for alert in self._desk.engine.ledger.members(group.key)
                if alert.fingerprint in chosen
            ]
            if alerts:
                shown = {
                    "labels": dict(group.labels),
                    "receiver": {"name": group.receiver},
                    "alerts": alerts,
                }
                listed.append(orjson.dumps(shown))
            told += len(alerts)
            if told >= TURN:
                told = 0
                await asyncio.sleep(0)
        return _listed(listed)

    async def get_receivers(self, _: Request) -> Response:
        return _json([{"name": r.name} for r in self._desk.engine.routing.receivers])

    async def get_status(self, _: Request) -> Response:
        desk = self._desk
        return _json(
            {
                "cluster": {"name": "", "status": "disabled", "peers": []},
                "versionInfo": {
                    "version": desk.version,
                    "revision": "",
                    "branch": "",
                    "buildUser": "",
                    "buildDate": "",
                    "goVersion": "",
                },
                "config": {"original": desk.engine.routing.text},
                "uptime": rfc3339(desk.started_at),
            }
        )

    async def post_silence(self, request: Request) -> Response:
        now = self._desk.clock.now()
        try:
            silence = _read_silence(orjson.loads(await request.body()), now)
        except BodyTooLarge:
            return _error(413, "the body is too large")
        except orjson.JSONDecodeError as error:
            return _error(400, f"not JSON: {error}")
        except (ValueError, QueryError) as error:
            return _error(400, str(error))
        known = self._desk.engine.ledger.silences.get(silence.id) if silence.id else None
        if silence.id and known is None:
            return _error(404, f"no silence {silence.id}")
        problems = validate(silence, now)
        if problems:
            return _error(400, "; ".join(problems))
        added: list[Silence] = []
        if known is None:
            added.append(replace(silence, id=str(uuid.uuid4())))
        else:
            added.extend(updated(known, silence, now, str(uuid.uuid4())))
        for each in added:
            if failed := await self._write(each, "silence.add", now):
                return failed
        return _json({"silenceID": added[-1].id})

    async def get_silences(self, request: Request) -> Response:
        now = self._desk.clock.now()
        try:
            matchers = _matchers(request.query_params.getlist("filter"))
        except QueryError as error:
            return _error(400, str(error))
        order = [SilenceState.ACTIVE, SilenceState.PENDING, SilenceState.EXPIRED]
        chosen = [
            silence
            for silence in self._desk.engine.ledger.silences.values()
            if all(_about(silence, matcher) for matcher in matchers)
        ]
        chosen.sort(key=lambda s: (order.index(s.state(now)), s.ends_at))
        return _json([silence_json(silence, now) for silence in chosen])

    async def get_silence(self, request: Request) -> Response:
        silence = self._desk.engine.ledger.silences.get(request.path_params["id"])
        if silence is None:
            return _error(404, "no such silence")
        return _json(silence_json(silence, self._desk.clock.now()))

    async def delete_silence(self, request: Request) -> Response:
        now = self._desk.clock.now()
        silence = self._desk.engine.ledger.silences.get(request.path_params["id"])
        if silence is None:
            return _error(404, "no such silence")
        if silence.state(now) is SilenceState.EXPIRED:
            return _json({})
        return await self._write(expire(silence, now), "silence.expire", now) or _json({})

    async def post_reload(self, _: Request) -> Response:
        problems = await self._desk.reload()
        if not self._desk.reload_ok:
            lines = [_problem(p) for p in problems[:20]]
            return _error(500, f"{self._desk.reload_trouble()}: " + "; ".join(lines))
        return _json({"problems": [_problem(p) for p in problems]})

    async def _write(self, silence: Silence, action: str, now: float) -> Response | None:
        entry = AuditEntry(now, silence.created_by, action, silence.id, silence.comment)
        try:
            await asyncio.wrap_future(self._desk.engine.silence(silence, entry, now))
        except StoreError as error:
            return _error(503, f"not on disk yet: {error.message}")
        return None

    async def _chosen(self, request: Request) -> Sequence[Alert]:
        params = request.query_params
        want = {n: params.get(n) not in _FALSE for n in ("active", "silenced", "inhibited")}
        matches = compile_matchers(_matchers(params.getlist("filter")))
        pattern = params.get("receiver") or ".*"
        receiver = compile_matchers((Matcher("receiver", MatchOp.REGEX, pattern),))
        engine, now = self._desk.engine, self._desk.clock.now()
        chosen: list[Alert] = []
        async for some in _in_turns(list(engine.ledger.alerts.values())):
            for alert in some:
                if not alert.firing(now) or not matches(alert.labels):
                    continue
                silenced = bool(engine.silences.silenced_by(alert.labels, now))
                if not want["silenced" if silenced else "active"]:
                    continue
                if any(receiver({"receiver": name}) for name in self._receivers(alert)):
                    chosen.append(alert)
        return sorted(chosen, key=lambda alert: alert.fingerprint)

    def _receivers(self, alert: Alert) -> list[str]:
        matched = self._desk.engine.router.match(alert.labels, alert.fingerprint)
        return [route.receiver for route in matched]

    def _alert(self, alert: Alert) -> dict[str, Any]:
        now = self._desk.clock.now()
        silenced = self._desk.engine.silences.silenced_by(alert.labels, now)
        return {
            "fingerprint": alert.fingerprint,
            "labels": dict(alert.labels),
            "annotations": dict(alert.annotations),
            "receivers": [{"name": name} for name in self._receivers(alert)],
            "startsAt": rfc3339(alert.starts_at),
            "updatedAt": rfc3339(alert.updated_at),
            # Readers of the API expect an end; one that is not known is re-promised.
            "endsAt": rfc3339(
                now + self._desk.engine.routing.resolve_timeout
                if alert.ends_at is None
                else alert.ends_at
            ),
            "generatorURL": alert.generator_url,
            "status": {
                "state": "suppressed" if silenced else "active",
                "silencedBy": [silence.id for silence in silenced],
                "inhibitedBy": [],
                "mutedBy": [],
            },
        }


def silence_json(silence: Silence, now: float) -> dict[str, Any]:
    """A silence as the API shows it."""
    return {
        "id": silence.id,
        "status": {"state": str(silence.state(now))},
        "matchers": [
            {
                "name": m.name,
                "value": m.value,
                "isRegex": m.op in (MatchOp.REGEX, MatchOp.NOT_REGEX),
                "isEqual": m.op in (MatchOp.EQUAL, MatchOp.REGEX),
            }
            for m in silence.matchers
        ],
        "startsAt": rfc3339(silence.starts_at),
        "endsAt": rfc3339(silence.ends_at),
        "updatedAt": rfc3339(silence.updated_at),
        "createdBy": silence.created_by,
        "comment": silence.comment,
    }


def rfc3339(at: float) -> str:
    """A time as the API writes it, to the millisecond."""
    # A store may hold what an older version took: it must not break what reads it.
    at = within_years(at)
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _read_silence(data: Any, now: float) -> Silence:
    if not isinstance(data, dict):
        raise ValueError("an object is expected")
    raw = data.get("matchers")
    if not isinstance(raw, list):
        raise ValueError("matchers: a list is expected")
    return Silence(
        id=str(data.get("id") or ""),
        matchers=tuple(_read_matcher(item) for item in raw),
        starts_at=_read_time(data, "startsAt", now),
        ends_at=_read_time(data, "endsAt", None),
        created_by=str(data.get("createdBy") or ""),
        comment=str(data.get("comment") or ""),
        updated_at=now,
    )


def _read_matcher(item: Any) -> Matcher:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        raise ValueError("matchers: each needs name, value, isRegex")
    value = item.get("value")
    if not isinstance(value, str):
        raise ValueError(f"matcher {item['name']!r}: the value must be text")
    regex, equal = _read_flag(item, "isRegex", False), _read_flag(item, "isEqual", True)
    ops = {
        (False, True): MatchOp.EQUAL,
        (False, False): MatchOp.NOT_EQUAL,
        (True, True): MatchOp.REGEX,
        (True, False): MatchOp.NOT_REGEX,
    }
    return Matcher(item["name"], ops[regex, equal], value)


def _read_flag(item: dict[str, Any], name: str, default: bool) -> bool:
    # null is as if absent, as Alertmanager reads it; a guess would silence other alerts.
    value = item.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise ValueError(f"matcher {item['name']!r}: {name} must be true or false")
    return value


def _read_time(data: dict[str, Any], name: str, default: float | None) -> float:
    value = data.get(name)
    if value is None and default is not None:
        return default
    return moment(str(value), name)


def _matchers(filters: Iterable[str]) -> tuple[Matcher, ...]:
    return tuple(matcher for text in filters for matcher in parse_matchers(text))


def _about(silence: Silence, wanted: Matcher) -> bool:
    # As amtool asks: a silence is found by the matchers it has.
    labels = {m.name: m.value for m in silence.matchers}
    return compile_matchers((wanted,))(labels)


async def _in_turns(items: Sequence[T]) -> AsyncIterator[Sequence[T]]:
    """`items` in parts, others having their turn after each."""
    for at in range(0, len(items), TURN):
        yield items[at : at + TURN]
        await asyncio.sleep(0)


def _listed(items: Sequence[bytes]) -> Response:
    return Response(b"[" + b",".join(items) + b"]", media_type="application/json")


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")


def _error(status: int, text: str) -> Response:
    # Alertmanager answers a bare string; its clients print it as it is.
    return Response(orjson.dumps(text), status, media_type="application/json")


def _probe(problem: str) -> Response:
    return Response(problem or "OK", 503 if problem else 200, media_type="text/plain")
