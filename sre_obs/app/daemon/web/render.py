"""A view -> an answer: a page from its template, or JSON; compressed where that helps."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from sre_obs.app.daemon.web.words import visible
from sre_obs.notify.text import cut

HERE = Path(__file__).parent
MEDIA = {"style.css": "text/css", "page.js": "text/javascript", "form.js": "text/javascript"}
_PAGES = (
    ("/", "Firing"),
    ("/rules", "Rules"),
    ("/silences", "Silences"),
    ("/receivers", "Receivers"),
    ("/history", "History"),
    ("/about", "About"),
)
# A packet or so: below, compressing costs more than it saves.
_SMALL = 1_400


def html(request: Request, template: str, view: Mapping[str, Any], status: int = 200) -> Response:
    """The page of `template`."""
    text = environment().get_template(template).render(view)
    # What is left of lone surrogates (in a template's own constants) must not be a 500.
    body = text.encode("utf-8", "replace")
    return _answer(request, body, "text/html; charset=utf-8", status)


def data(request: Request, value: Any, status: int = 200) -> Response:
    """`value` as JSON."""
    try:
        body = orjson.dumps(value)
    except TypeError:  # a lone surrogate in foreign text, an integer beyond 64 bits
        body = json.dumps(value, default=_plain).encode()
    return _answer(request, body, "application/json", status)


def static(name: str) -> Response | None:
    """A file of `static/`, kept by browsers until its address changes."""
    if name not in MEDIA:
        return None
    headers = {"cache-control": "max-age=31536000, immutable"}
    return Response(_file(name), media_type=MEDIA[name], headers=headers)


@cache
def environment() -> Environment:
    """Jinja with everything escaped; what can't be seen is made visible on the way out."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    made.globals["pages"] = _PAGES
    made.globals["static"] = _address
    made.filters["short"] = cut
    made.filters["urlencode"] = _quoted  # Jinja's own fails on half a surrogate pair
    return made


def _finalize(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value


def _quoted(text: str) -> str:
    return quote(text, safe="/", errors="replace")


@cache
def _file(name: str) -> bytes:
    return (HERE / "static" / name).read_bytes()


@cache
def _address(name: str) -> str:
    return f"/static/{name}?v={hashlib.sha256(_file(name)).hexdigest()[:8]}"


def _answer(request: Request, body: bytes, kind: str, status: int) -> Response:
    headers = {"cache-control": "no-store", "vary": "accept-encoding"}
    accepted = request.headers.get("accept-encoding", "")
    if len(body) > _SMALL and "gzip" in accepted:
        body = gzip.compress(body, 5, mtime=0)
        headers["content-encoding"] = "gzip"
    return Response(body, status, headers, media_type=kind)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return dict(value) if isinstance(value, Mapping) else str(value)
