"""How Slack cuts lists into pages: `limit`, `cursor`, `oldest`, `latest`, `inclusive`.

As documented for conversations.history: newest first; the pages go back from `latest`,
but forward from `oldest` if that alone is given. `inclusive` counts only with one of
them. A cursor is opaque to callers.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sre_obs.app.demo.slack.limits import Refused

_TS = re.compile(r"\d{1,12}(\.\d{1,9})?")
_MOST = 999


def history(
    messages: Sequence[dict[str, Any]], args: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """One page of `messages` (oldest first), newest first, and the keys that say whether
    there is more."""
    found, forward = _between(messages, args), bool(args.get("oldest")) and not args.get("latest")
    ordered = found if forward else found[::-1]
    page, more = _cut(ordered, args, 100)
    return (page[::-1] if forward else page), more


def replies(
    thread: Sequence[dict[str, Any]], args: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """One page of a thread, its parent first, then replies oldest first."""
    return _cut([thread[0], *_between(thread[1:], args)], args, _MOST)


def plain(
    items: Sequence[dict[str, Any]], args: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """One page of a list that is not ordered by time; only `next_cursor` says more."""
    page, more = _cut(items, args, 100)
    more.pop("has_more")
    return page, {"response_metadata": {"next_cursor": ""}, **more}


def _between(messages: Sequence[dict[str, Any]], args: Mapping[str, Any]) -> list[dict[str, Any]]:
    oldest, latest = _ts(args, "oldest"), _ts(args, "latest")
    inclusive = str(args.get("inclusive")).lower() in ("1", "true")
    found = []
    for message in messages:
        at = _number(message["ts"])
        after = oldest is None or at > oldest or (inclusive and at == oldest)
        before = latest is None or at < latest or (inclusive and at == latest)
        if after and before:
            found.append(message)
    return found


def _cut(
    items: Sequence[dict[str, Any]], args: Mapping[str, Any], usual: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The page that starts at the cursor's item, which is named by its ts or id, so that
    messages that come in meanwhile do not shift it."""
    start, cursor = 0, str(args.get("cursor") or "")
    if cursor:
        names = [_name(item) for item in items]
        try:
            start = names.index(base64.b64decode(cursor, validate=True).decode())
        except (ValueError, binascii.Error):
            raise Refused("invalid_cursor") from None
    end = start + _limit(args, usual)
    more: dict[str, Any] = {"has_more": end < len(items)}
    if end < len(items):
        next_cursor = base64.b64encode(_name(items[end]).encode()).decode()
        more["response_metadata"] = {"next_cursor": next_cursor}
    return list(items[start:end]), more


def _name(item: Mapping[str, Any]) -> str:
    return f"next:{item.get('ts') or item.get('id')}"


def _limit(args: Mapping[str, Any], usual: int) -> int:
    given = args.get("limit")
    if given in (None, "", 0, "0"):
        return usual
    try:
        limit = int(str(given))
    except ValueError:
        raise Refused("invalid_limit") from None
    if limit < 1:
        raise Refused("invalid_limit")
    return min(limit, _MOST)


def _ts(args: Mapping[str, Any], name: str) -> int | None:
    given = str(args.get(name) or "")
    if given in ("", "0", "now"):
        return None
    if not _TS.fullmatch(given):
        raise Refused(f"invalid_ts_{name}")
    return _number(given)


def _number(ts: str) -> int:
    """Microseconds: a float could not tell two messages of one microsecond apart."""
    seconds, _, fraction = ts.partition(".")
    return int(seconds) * 1_000_000 + int(fraction.ljust(6, "0")[:6] or 0)
