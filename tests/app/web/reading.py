"""Reading a page: its words, and whether its markup is ours alone."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

from tests.app.web.night import RULES, World


def words(html: str) -> str:
    """What a person reads: no tags, white space as one blank and none before a stop."""
    text = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", html))).strip()
    return re.sub(r" (?=[,.;:])", "", text)


def said(world: World, path: str, **params: str) -> str:
    return words(world.get(path, **params))


# Never started by a page, whatever is in the store.
_SAFE_TAGS = {
    *("html", "head", "meta", "title", "link", "script", "noscript", "body", "a", "header", "nav"),
    *("main", "h1", "h2", "h3", "p", "div", "span", "b", "i", "small", "time", "ul", "ol", "li"),
    *("section", "details", "summary", "dl", "dt", "dd", "pre", "code", "table", "thead", "tbody"),
    *("tr", "th", "td", "form", "input", "label", "button", "fieldset", "legend", "br", "footer"),
}


class Reader(HTMLParser):
    """Checks each tag as it comes."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _SAFE_TAGS, tag
        given = dict(attrs)
        assert not [name for name in given if name.startswith("on") or name == "style"], given
        if tag == "script":
            assert str(given["src"]).startswith("/static/"), given
        if tag == "a":
            self.links.append(str(given["href"]))
        if tag == "form":
            assert str(given["action"]).startswith("/")


def check(html: str) -> Reader:
    """Only tags of ours, nothing inline, links to ourselves or http(s)."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    for link in reader.links:
        assert link.startswith(("/", "#", "http://", "https://")), link
    return reader


def paths(world: World) -> list[str]:
    """Every page there is for what the store holds."""
    store, ledger = world.store, world.engine.ledger
    alerts = {a.fingerprint for a in (*store.history(), *ledger.alerts.values())}
    return [
        *("/", "/history", "/rules", "/silences", "/silences/new", "/receivers"),
        *("/deliveries", "/about"),
        *("/index.json", "/history.json", "/rules.json", "/silences.json", "/receivers.json"),
        "/deliveries.json",
        *(f"/rules/{rule.id}" for rule in RULES),
        *(f"/alerts/{fingerprint}" for fingerprint in alerts),
    ]
