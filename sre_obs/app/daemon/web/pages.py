"""Paths, forms and the JSON twins of the lists."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sre_obs.app.daemon.desk import Desk
from sre_obs.app.daemon.web import views
from sre_obs.content.duration import parse_duration
from sre_obs.model.changes import AuditEntry
from sre_obs.model.errors import QueryError, StoreError
from sre_obs.model.silence import Silence
from sre_obs.notify import wording
from sre_obs.query.matchers import compile_matchers, parse_matchers
from sre_obs.route.silence import expire, validate

HERE = Path(__file__).parent
_STATIC = {"style.css": "text/css", "page.js": "text/javascript"}


def pages(desk: Desk) -> list[BaseRoute]:
    """Every page and form."""
    web = _Web(desk)
    return [
        Route("/", web.firing),
        Route("/index.json", web.firing_json),
        Route("/alerts/{id}", web.story),
        Route("/history", web.history),
        Route("/rules", web.rules),
        Route("/rules.json", web.rules_json),
        Route("/rules/{id:path}", web.rule),
        Route("/silences", web.silences, methods=["GET"]),
        Route("/silences", web.add_silence, methods=["POST"]),
        Route("/silences/new", web.new_silence),
        Route("/silences/{id}/expire", web.expire_silence, methods=["POST"]),
        Route("/receivers", web.receivers),
        Route("/deliveries", web.deliveries),
        Route("/about", web.about),
        Route("/static/{name}", web.static),
    ]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["pages"] = [
        ("/", "Firing"),
        ("/rules", "Rules"),
        ("/silences", "Silences"),
        ("/receivers", "Receivers"),
        ("/history", "History"),
        ("/about", "About"),
    ]
    return environment


class _Web:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def firing(self, request: Request) -> Response:
        text = request.query_params.get("q", "")
        wrong = ""
        try:
            view = views.firing(self._desk, text)
        except QueryError as error:
            wrong = f"{error.message} (at character {error.offset + 1})"
            view = views.firing(self._desk, "")
        return self._page("firing.html", "Firing", {**view, "query": text, "wrong": wrong})

    async def firing_json(self, request: Request) -> Response:
        try:
            return _json(views.firing(self._desk, request.query_params.get("q", "")))
        except QueryError as error:
            return _json({"error": error.message}, 400)

    async def story(self, request: Request) -> Response:
        view = await _in_thread(lambda: views.story(self._desk, request.path_params["id"]))
        if view is None:
            return self._missing("alert")
        return self._page("story.html", view["card"].title, view)

    async def history(self, request: Request) -> Response:
        alerts = await _in_thread(lambda: self._desk.store.history(limit=views.ROWS))
        cards = [views.card(alert, self._desk) for alert in alerts]
        return self._page("history.html", "History", {"episodes": cards})

    async def rules(self, request: Request) -> Response:
        return self._page("rules.html", "Rules", {"rules": views.rules(self._desk)})

    async def rules_json(self, request: Request) -> Response:
        return _json(views.rules(self._desk))

    async def rule(self, request: Request) -> Response:
        id_ = request.path_params["id"]
        rule = next((r for r in self._desk.evaluations.rules if r.id == id_), None)
        if rule is None:
            return self._missing("rule")
        now = self._desk.clock.now()
        run = self._desk.engine.ledger.runs.get(rule.id)
        alerts = [
            views.card(alert, self._desk)
            for alert in self._desk.engine.ledger.alerts.values()
            if alert.rule == id_ and alert.firing(now)
        ]
        line = views.rule_line(rule, run, now)
        view = {"rule": rule, "line": line, "run": views.run_line(run, now), "alerts": alerts}
        return self._page("rule.html", rule.title, view)

    async def silences(self, request: Request) -> Response:
        return self._page("silences.html", "Silences", {"silences": views.silences(self._desk)})

    async def new_silence(self, request: Request) -> Response:
        return self._silence_form(request.query_params, "")

    async def add_silence(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        now = self._desk.clock.now()
        try:
            silence = Silence(
                id=str(uuid.uuid4()),
                matchers=parse_matchers(form.get("m", "")),
                starts_at=now,
                ends_at=now + parse_duration(form.get("for", "2h") or "2h"),
                created_by=form.get("by", "").strip(),
                comment=form.get("comment", "").strip(),
                updated_at=now,
            )
        except (QueryError, ValueError) as error:
            return self._silence_form(form, str(error))
        problems = validate(silence, now)
        if problems:
            return self._silence_form(form, "; ".join(problems))
        count = self._hidden(silence)
        # Whoever hides more than half of what fires must say how much, so that one stray
        # matcher does not switch the pager off.
        if self._broad(silence, count) and form.get("count", "").strip() != str(count):
            return self._silence_form(
                form, f"this hides {count} alerts, more than half: type the number", count
            )
        entry = AuditEntry(now, silence.created_by, "silence.add", silence.id, silence.comment)
        try:
            await asyncio.wrap_future(self._desk.engine.silence(silence, entry, now))
        except StoreError as error:
            return self._silence_form(form, f"not on disk: {error.message}")
        return RedirectResponse("/silences", 303)

    async def expire_silence(self, request: Request) -> Response:
        silence = self._desk.engine.ledger.silences.get(request.path_params["id"])
        if silence is None:
            return self._missing("silence")
        now = self._desk.clock.now()
        entry = AuditEntry(now, "page", "silence.expire", silence.id)
        await asyncio.wrap_future(self._desk.engine.silence(expire(silence, now), entry, now))
        return RedirectResponse("/silences", 303)

    async def receivers(self, request: Request) -> Response:
        recent = await _in_thread(lambda: self._desk.store.deliveries(limit=500))
        rows = views.receivers(self._desk, recent)
        return self._page("receivers.html", "Receivers", {"receivers": rows})

    async def deliveries(self, request: Request) -> Response:
        recent = await _in_thread(lambda: self._desk.store.deliveries(limit=views.ROWS))
        told = [views.told_line(delivery, self._desk) for delivery in recent]
        return self._page("deliveries.html", "Deliveries", {"told": told})

    async def about(self, request: Request) -> Response:
        return self._page("about.html", "About", views.about(self._desk))

    async def static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _STATIC:
            return self._missing("file")
        body = (HERE / "static" / name).read_bytes()
        headers = {"cache-control": "max-age=3600"}
        return Response(body, media_type=_STATIC[name], headers=headers)

    def _silence_form(
        self, given: Mapping[str, str], wrong: str, count: int | None = None
    ) -> Response:
        view: dict[str, Any] = {
            "given": {name: given.get(name, "") for name in ("m", "by", "comment")},
            "duration": given.get("for", "2h"),
            "wrong": wrong,
            "count": count,
            "hides": None,
            "names": [],
        }
        try:
            matches = compile_matchers(parse_matchers(given.get("m", "")))
        except QueryError as error:
            view["wrong"] = wrong or f"{error.message} (at character {error.offset + 1})"
        else:
            now = self._desk.clock.now()
            alerts = [
                alert
                for alert in self._desk.engine.ledger.alerts.values()
                if given.get("m") and alert.firing(now) and matches(alert.labels)
            ]
            view["hides"] = len(alerts)
            view["names"] = sorted({alert.name for alert in alerts})[:5]
        return self._page("silence.html", "Silence", view, 400 if wrong else 200)

    def _hidden(self, silence: Silence) -> int:
        now, matches = self._desk.clock.now(), compile_matchers(silence.matchers)
        alerts = self._desk.engine.ledger.alerts.values()
        return sum(alert.firing(now) and matches(alert.labels) for alert in alerts)

    def _broad(self, silence: Silence, count: int) -> bool:
        now = self._desk.clock.now()
        all_firing = sum(a.firing(now) for a in self._desk.engine.ledger.alerts.values())
        return all_firing > 3 and count * 2 > all_firing

    def _missing(self, what: str) -> Response:
        return self._page("missing.html", f"No such {what}", {"what": what}, 404)

    def _page(
        self, template: str, title: str, view: Mapping[str, Any], status: int = 200
    ) -> Response:
        now = wording.clock(self._desk.clock.now(), self._desk.clock.now())
        # A page that is not the front page still says when we are blind.
        values = {"health": views.health(self._desk), **view}
        html = (
            _environment()
            .get_template(template)
            .render(title=title, now=now, slack="/slack" in self._desk.pages, **values)
        )
        headers = {"cache-control": "no-store"}
        return Response(html, status, headers, media_type="text/html; charset=utf-8")


async def _in_thread(call: Callable[[], Any]) -> Any:
    return await asyncio.get_running_loop().run_in_executor(None, call)


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")
