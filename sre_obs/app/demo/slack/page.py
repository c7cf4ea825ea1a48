"""The messages as a person would see them: one HTML page, without script.

It stands under a content security policy that allows nothing but its own style, from a
path or by a nonce: no script, no picture, no style attribute. Colours are the web page's tokens.
Messages are data of strangers: all of it goes through `mrkdwn` or `html.escape`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from importlib import resources
from typing import Any

from sre_obs.app.demo.slack import mrkdwn
from sre_obs.app.demo.slack.workspace import BOT, Channel, Message

_NONCE = re.compile(r"[A-Za-z0-9+/_=-]{8,128}")


def stylesheet() -> str:
    """The page's CSS."""
    return resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")


def page(
    channels: Sequence[tuple[Channel, Sequence[Message]]], style: str, *, refresh: int = 5
) -> str:
    """The page; `style` is what `linked_style` or `inline_style` gave, `refresh` seconds,
    0 for never. Newest message first: a page without script can't scroll to its end."""
    names = {c.id: c.name for c, _ in channels}
    shown = _Shown(lambda id_: names.get(id_, id_))
    busy_first = sorted(channels, key=lambda entry: (not entry[1], entry[0].name))
    links = "".join(
        f'<a href="#{escape(c.id)}">#{escape(c.name)} <span class="muted">{len(m)}</span></a>'
        for c, m in busy_first
    )
    body = "".join(shown.channel(c, m) for c, m in busy_first)
    again = f'<meta http-equiv="refresh" content="{refresh:d}">' if refresh else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark">{again}'
        f"<title>Slack stand-in</title>{style}</head><body>"
        '<a class="skip" href="#messages">Skip to the messages</a>'
        "<header><h1>Slack stand-in</h1>"
        '<p class="muted">What people would see in Slack. Nothing left this computer.</p>'
        f'<nav aria-label="Channels">{links}</nav></header>'
        f'<main id="messages">{body}</main></body></html>'
    )


def linked_style(path: str) -> str:
    """The CSS from `path`, where the page's host serves `stylesheet()`."""
    return f'<link rel="stylesheet" href="{escape(path)}">'


def inline_style(nonce: str) -> str:
    """The CSS in the page, under a nonce. Raises ValueError for one that is none."""
    if not _NONCE.fullmatch(nonce):
        raise ValueError("a nonce is 8 to 128 characters of base64")
    return f'<style nonce="{nonce}">{stylesheet()}</style>'


class _Shown:
    """Messages and blocks as HTML; `name` gives the name of a channel id."""

    def __init__(self, name: Callable[[str], str]) -> None:
        self._name = name

    def channel(self, channel: Channel, messages: Sequence[Message]) -> str:
        replies: dict[str, list[Message]] = {}
        tops: list[Message] = []
        for message in messages:
            root = str(message.get("thread_ts", message["ts"]))
            if root == message["ts"]:
                tops.append(message)
                continue
            replies.setdefault(root, []).append(message)
            if message.get("subtype") == "thread_broadcast":
                tops.append(message)
        inner = "".join(self._message(m, replies.get(m["ts"], ())) for m in reversed(tops))
        empty = '<p class="muted">No messages yet.</p>'
        return (
            f'<section id="{escape(channel.id)}" aria-labelledby="{escape(channel.id)}-name">'
            f'<h2 id="{escape(channel.id)}-name">#{escape(channel.name)}</h2>'
            f"{inner or empty}</section>"
        )

    def _message(self, message: Message, replies: Sequence[Message]) -> str:
        thread = ""
        if replies:
            count = "1 reply" if len(replies) == 1 else f"{len(replies)} replies"
            inner = "".join(self._one(r, "reply") for r in replies)
            thread = f'<div class="thread"><p class="count">{count}</p>{inner}</div>'
        return self._one(message, "message", thread)

    def _one(self, message: Message, kind: str, thread: str = "") -> str:
        bot = message.get("bot_id") == BOT["bot_id"]
        author = "sre-obs" if bot else str(message.get("user", ""))
        badge = ' <span class="badge">APP</span>' if bot else ""
        broadcast = kind == "message" and message.get("subtype") == "thread_broadcast"
        note = '<p class="muted">replied to a thread</p>' if broadcast else ""
        blocks = message.get("blocks")
        text = str(message.get("text", ""))
        body = (
            "".join(map(self._block, blocks))
            if blocks
            else f'<div class="block">{mrkdwn.html(text, self._name)}</div>'
        )
        if message.get("attachments"):
            body += '<p class="muted">(an attachment, which this page does not show)</p>'
        # A phone's lock screen and a screen reader get `text`, not the blocks.
        toast = (
            f'<details class="toast"><summary>Notification</summary>{mrkdwn.plain(text)}</details>'
            if blocks
            else ""
        )
        anchor = f"{kind}-{message['ts']}" if not broadcast else f"broadcast-{message['ts']}"
        return (
            f'<article class="{kind}" id="{escape(anchor)}"><p class="by"><b>{escape(author)}</b>'
            f"{badge} {_time(message['ts'])}</p>{note}{body}{toast}{thread}</article>"
        )

    def _block(self, block: Mapping[str, Any]) -> str:
        kind = block.get("type")
        if kind == "section":
            fields = "".join(f"<div>{self._text(f)}</div>" for f in block.get("fields", ()))
            text = f"<div>{self._text(block['text'])}</div>" if "text" in block else ""
            accessory = _element(block["accessory"]) if "accessory" in block else ""
            grid = f'<div class="fields">{fields}</div>' if fields else ""
            return f'<div class="block">{text}{grid}{accessory}</div>'
        if kind == "header":
            return f"<h3>{self._text(block['text'])}</h3>"
        if kind == "context":
            inner = "".join(f"<div>{self._text(e)}</div>" for e in block["elements"])
            return f'<div class="context">{inner}</div>'
        if kind == "actions":
            return f'<p class="actions">{"".join(map(_element, block["elements"]))}</p>'
        if kind == "divider":
            return "<hr>"
        return f'<p class="muted">({escape(str(kind))} block, which this page does not show)</p>'

    def _text(self, text: Mapping[str, Any]) -> str:
        if text.get("type") == "mrkdwn":
            return mrkdwn.html(str(text["text"]), self._name)
        if text.get("type") == "plain_text":
            return mrkdwn.plain(str(text["text"]))
        return escape(str(text.get("alt_text", "")))


def _element(element: Mapping[str, Any]) -> str:
    """A button that does nothing, as nobody answers clicks here."""
    if element.get("type") != "button":
        return f'<span class="muted">({escape(str(element.get("type")))})</span>'
    return f'<button type="button" disabled>{mrkdwn.plain(str(element["text"]["text"]))}</button>'


def _time(ts: str) -> str:
    at = datetime.fromtimestamp(int(ts.partition(".")[0]), UTC)
    return f'<time datetime="{at:%Y-%m-%dT%H:%M:%SZ}">{at:%H:%M:%S} UTC</time>'
