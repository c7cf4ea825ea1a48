"""Paths: the store is read in a thread, then a view is built on the loop."""

from __future__ import annotations

import asyncio
import base64
import binascii
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias, TypeVar
from urllib.parse import parse_qsl

from starlette.datastructures import MultiDict
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sre_obs.app.daemon.desk import Desk
from sre_obs.app.daemon.guard import BodyTooLarge
from sre_obs.app.daemon.web import about, firing, receivers, render, rules, silences, story, words
from sre_obs.app.daemon.web.firing import Card
from sre_obs.app.daemon.web.health import health
from sre_obs.app.daemon.web.receivers import ReceiverLine, TellLine
from sre_obs.app.daemon.web.silences import Form
from sre_obs.model.changes import AuditEntry
from sre_obs.model.errors import QueryError, StoreError
from sre_obs.model.notification import Delivery
from sre_obs.model.silence import SilenceState
from sre_obs.model.store import Store
from sre_obs.query.matchers import compile_matchers
from sre_obs.route.silence import expire, validate

T = TypeVar("T")
Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
# Deliveries that are looked through for when each receiver was last reached.
_RECENT = 500


def pages(desk: Desk) -> list[BaseRoute]:
    """Every page and form."""
    web = _Web(desk)
    gets = {
        "/": web.firing,
        "/index.json": web.firing_json,
        "/alerts/{id}": web.story,
        "/history": web.history,
        "/history.json": web.history_json,
        "/rules": web.rules,
        "/rules.json": web.rules_json,
        "/rules/{id:path}": web.rule,
        "/silences": web.silences,
        "/silences.json": web.silences_json,
        "/silences/new": web.new_silence,
        "/receivers": web.receivers,
        "/receivers.json": web.receivers_json,
        "/deliveries": web.deliveries,
        "/deliveries.json": web.deliveries_json,
        "/about": web.about,
        "/static/{name}": web.static,
    }
    posts = {
        "/silences": web.add_silence,
        "/silences/{id}/expire": web.expire_silence,
    }
    return [
        *(Route(path, web.readable(handler)) for path, handler in gets.items()),
        *(Route(path, web.readable(handler), methods=["POST"]) for path, handler in posts.items()),
    ]


class _Web:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def readable(self, handler: Handler) -> Handler:
        """`handler`, but a store that can't be read is said rather than a bare 500."""

        async def handle(request: Request) -> Response:
            try:
                return await handler(request)
            except StoreError as error:
                wrong = {"wrong": error.message, "remedy": error.remedy}
                return self._page(request, "unreadable.html", "Not readable", wrong, 503)

        return handle

    async def firing(self, request: Request) -> Response:
        text, wrong = request.query_params.get("q", ""), ""
        recent = await self._recent()
        try:
            view = firing.firing(self._desk, text)
        except QueryError as error:
            wrong = f"{error.message} (at character {error.offset + 1})"
            view = firing.firing(self._desk, "")
        more = {"query": text, "wrong": wrong, "health": health(self._desk, recent)}
        return self._page(request, "firing.html", "Firing", {**view, **more})

    async def firing_json(self, request: Request) -> Response:
        recent = await self._recent()
        try:
            view = firing.firing(self._desk, request.query_params.get("q", ""))
        except QueryError as error:
            return render.data(request, {"error": error.message}, 400)
        return render.data(request, {**view, "health": health(self._desk, recent)})

    async def story(self, request: Request) -> Response:
        id_ = request.path_params["id"]
        episodes = await self._read(lambda s: s.history(alert=id_, limit=story.EPISODES))
        told = await self._read(lambda s: s.deliveries(alert=id_, limit=story.DELIVERIES))
        view = story.story(self._desk, id_, episodes, told)
        if view is None:
            return self._missing(request, "alert")
        return self._page(request, "story.html", view["card"].title, view)

    async def history(self, request: Request) -> Response:
        cards = await self._history()
        return self._page(request, "history.html", "History", {"episodes": cards})

    async def history_json(self, request: Request) -> Response:
        return render.data(request, await self._history())

    async def rules(self, request: Request) -> Response:
        return self._page(request, "rules.html", "Rules", await self._rules())

    async def rules_json(self, request: Request) -> Response:
        return render.data(request, await self._rules())

    async def rule(self, request: Request) -> Response:
        episodes = await self._read(lambda store: store.history(limit=rules.EPISODES))
        view = rules.rule(self._desk, request.path_params["id"], episodes)
        if view is None:
            return self._missing(request, "rule")
        return self._page(request, "rule.html", view["rule"].title, view)

    async def silences(self, request: Request) -> Response:
        view = {"silences": silences.silences(self._desk)}
        return self._page(request, "silences.html", "Silences", view)

    async def silences_json(self, request: Request) -> Response:
        return render.data(request, silences.silences(self._desk))

    async def new_silence(self, request: Request) -> Response:
        form = silences.read(request.query_params, _author(request))
        return await self._silence_form(request, form)

    async def add_silence(self, request: Request) -> Response:
        try:
            form = silences.read(_fields(await request.body()), _author(request))
        except (BodyTooLarge, ValueError):
            return self._missing(request, "form: it is too large or no form", 413)
        now = self._desk.clock.now()
        try:
            silence = silences.silence_of(form, str(uuid.uuid4()), now)
        except (QueryError, ValueError) as error:
            return await self._silence_form(request, form, str(error))
        if problems := validate(silence, now):
            return await self._silence_form(request, form, "; ".join(map(_plain, problems)))
        alerts = firing.fires_now(self._desk)
        matches = compile_matchers(silence.matchers)
        count = sum(matches(alert.labels) for alert in alerts)
        why = silences.guard(silence.matchers, count, len(alerts))
        if why and not silences.counted(form, count):
            wrong = f"{why}: type how many alerts it hides now, {count}"
            return await self._silence_form(request, form, wrong)
        entry = AuditEntry(now, silence.created_by, "silence.add", silence.id, silence.comment)
        try:
            await asyncio.wrap_future(self._desk.engine.silence(silence, entry, now))
        except StoreError as error:
            wrong = f"in force, but not on disk yet: {error.message}"
            return await self._silence_form(request, form, wrong, 503)
        return RedirectResponse(f"/silences#s-{silence.id}", 303)

    async def expire_silence(self, request: Request) -> Response:
        silence = self._desk.engine.ledger.silences.get(request.path_params["id"])
        if silence is None:
            return self._missing(request, "silence")
        now = self._desk.clock.now()
        if silence.state(now) is not SilenceState.EXPIRED:
            who = _author(request) or "page"
            entry = AuditEntry(now, who, "silence.expire", silence.id, silence.comment)
            written = self._desk.engine.silence(expire(silence, now), entry, now)
            await asyncio.wrap_future(written)
        return RedirectResponse(f"/silences#s-{silence.id}", 303)

    async def receivers(self, request: Request) -> Response:
        view = {"receivers": await self._receivers()}
        return self._page(request, "receivers.html", "Receivers", view)

    async def receivers_json(self, request: Request) -> Response:
        return render.data(request, await self._receivers())

    async def deliveries(self, request: Request) -> Response:
        view = {"told": await self._deliveries(request), "rows": firing.ROWS}
        return self._page(request, "deliveries.html", "Deliveries", view)

    async def deliveries_json(self, request: Request) -> Response:
        return render.data(request, await self._deliveries(request))

    async def about(self, request: Request) -> Response:
        audit = await self._read(lambda store: store.audit(limit=about.AUDIT))
        return self._page(request, "about.html", "About", about.about(self._desk, audit))

    async def static(self, request: Request) -> Response:
        found = render.static(request.path_params["name"])
        return found if found is not None else self._missing(request, "file")

    async def _recent(self) -> Sequence[Delivery]:
        """For the front page, which memory alone can show: it stays when the disk does not."""
        try:
            return await self._read(lambda store: store.deliveries(limit=_RECENT))
        except StoreError:
            return ()

    async def _history(self) -> list[Card]:
        episodes = await self._read(lambda store: store.history(limit=firing.ROWS))
        return firing.history(self._desk, episodes)

    async def _rules(self) -> dict[str, Any]:
        episodes = await self._read(lambda store: store.history(limit=rules.EPISODES))
        return rules.rules(self._desk, episodes)

    async def _receivers(self) -> list[ReceiverLine]:
        recent = await self._read(lambda store: store.deliveries(limit=_RECENT))
        return receivers.receivers(self._desk, recent)

    async def _deliveries(self, request: Request) -> list[TellLine]:
        alert = request.query_params.get("alert", "")
        recent: Any = await self._read(
            lambda store: store.deliveries(alert=alert, limit=firing.ROWS)
        )
        return [receivers.tell_line(delivery, self._desk) for delivery in recent]

    async def _silence_form(
        self, request: Request, form: Form, wrong: str = "", status: int = 400
    ) -> Response:
        episodes = await self._read(lambda store: store.history(limit=silences.EPISODES))
        shown = silences.preview(form, self._desk, episodes)
        blank = not (form.offered or form.extra)
        view = {
            "form": form,
            "preview": shown,
            "wrong": wrong or ("" if blank else shown.wrong),
            "durations": silences.DURATIONS,
            "zone": words.local(self._desk.clock.now(), form.zone).rsplit(" ", 1)[-1],
        }
        return self._page(request, "silence.html", "New silence", view, status if wrong else 200)

    def _missing(self, request: Request, what: str, status: int = 404) -> Response:
        return self._page(request, "missing.html", f"No such {what}", {"what": what}, status)

    def _page(
        self, request: Request, template: str, title: str, view: dict[str, Any], status: int = 200
    ) -> Response:
        now = self._desk.clock.now()
        values = {
            "title": title,
            "path": request.url.path,
            "now": words.moment(now, now),
            # A page that is not the front page still says when we are blind.
            "health": view.get("health") or health(self._desk),
            "empty": not any(view.get("counts", {"": 1}).values()),
        }
        return render.html(request, template, {**view, **values}, status)

    async def _read(self, ask: Callable[[Store], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, ask, self._desk.store)


def _fields(body: bytes) -> MultiDict:
    """A posted form. Raises ValueError for one that nobody can have filled in.

    By hand: starlette's own reader wants a package for uploads, which no form of ours has.
    """
    text = body.decode("utf-8")
    return MultiDict(parse_qsl(text, keep_blank_values=True, max_num_fields=500))


def _author(request: Request) -> str:
    """The name in HTTP basic authentication (its password is the token), if there is one."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[0].strip()[:100]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _plain(problem: str) -> str:
    """The API's field names as the form calls them."""
    return problem.replace(" (createdBy)", "").replace(" (comment)", "")
