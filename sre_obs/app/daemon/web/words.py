"""What the page says beyond `notify.wording`: seconds and ages, links, hostile text."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from sre_obs.model.matcher import Matcher
from sre_obs.model.routing import Integration, Route
from sre_obs.notify import wording
from sre_obs.query.matchers import format_matcher

GLYPHS = {
    wording.State.CRITICAL: "octagon",
    wording.State.WARNING: "triangle",
    wording.State.INFO: "info",
    wording.State.STALE: "hourglass",
    wording.State.RESOLVED: "tick",
    wording.State.DRILL: "tube",
}

# Beyond this a text is a mistake or an attack, and would only make the page slow.
LONGEST = 20_000

# Control characters but for the line's end and the tab; directions and invisible marks, with
# which a text can pose as another; lone surrogates, which can't be sent.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as a page shows it: ``03:12:12 UTC``, ``4 min ago``."""

    text: str
    iso: str
    age: str  # without a direction
    ago: str  # "4 min ago", "in 4 min"


def moment(at: float | None, now: float) -> Moment | None:
    """`at` to the second, with the date if it is another day's."""
    if at is None:
        return None
    then, today = utc(at), utc(now)
    if then is None:
        return Moment("an unknown time", "", "unknown", "")
    same_day = today is not None and then.date() == today.date()
    text = then.strftime("%H:%M:%S UTC" if same_day else "%Y-%m-%d %H:%M:%S UTC")
    age = span(abs(now - at))
    return Moment(
        text, f"{then:%Y-%m-%dT%H:%M:%SZ}", age, f"in {age}" if at - now >= 1 else f"{age} ago"
    )


def utc(at: float) -> datetime | None:
    """`at` as a date, or None if no calendar has it."""
    try:
        return datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def local(at: float, minutes: int) -> str:
    """`at` where clocks are `minutes` ahead of UTC: ``09:00 UTC+2``."""
    then = utc(at)
    if then is None:
        return "an unknown time"
    there = then.astimezone(timezone(timedelta(minutes=minutes)))
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    zone = "UTC" if not minutes else f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "")
    return (
        f"{there:%Y-%m-%d %H:%M} {zone}" if there.date() != then.date() else f"{there:%H:%M} {zone}"
    )


def span(seconds: float) -> str:
    """A duration in words; a telemetry's nonsense does not stop the page."""
    return wording.duration(seconds) if math.isfinite(seconds) else "unknown"


def milliseconds(seconds: float) -> str:
    """``412 ms``, ``0.4 ms``; from ten seconds on in words: ``5 min``."""
    if not abs(seconds) < 10:
        return span(seconds)
    return f"{seconds * 1000:,.0f} ms" if abs(seconds) >= 0.001 else f"{seconds * 1000:.1g} ms"


def link(text: str) -> str:
    """`text` if it is an http(s) address, else nothing: no other scheme becomes a link."""
    text = text.strip()
    return text if re.match(r"https?://[^\s/?#]", text, re.IGNORECASE) else ""


def pretty(text: str) -> str:
    """JSON with indents, for reading; other text as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def visible(text: str) -> str:
    """`text` with what can't be seen or sent replaced by U+FFFD, and not endless."""
    if len(text) > LONGEST:
        text = text[:LONGEST] + _more(len(text) - LONGEST)
    return text if text.isascii() and text.isprintable() else _UNSEEN.sub("\ufffd", text)


def _more(left: int) -> str:
    """How a cut text ends."""
    return f"… and {left:,} characters more"


def count(number: int, noun: str) -> str:
    """``1 rule``, ``1,200 rules``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def named(names: Iterable[str], most: int = 5) -> str:
    """``a, b (3), c and 4 more``: each name once, how often in brackets."""
    tally: dict[str, int] = {}
    for name in names:
        tally[name] = tally.get(name, 0) + 1
    shown = [f"{name} ({n})" if n > 1 else name for name, n in list(tally.items())[:most]]
    more = f" and {len(tally) - most} more" if len(tally) > most else ""
    return ", ".join(shown) + more


def target(integration: Integration | None, receiver: str) -> str:
    """Where a person looks for the message: a channel, else the receiver."""
    return getattr(integration, "channel", "") or receiver


def place(route: Route) -> str:
    """``routes.yml:14``: the file's name will do, since there is one such file."""
    return f"{route.location.file.rpartition('/')[2]}:{route.location.line}"


def matchers(each: Iterable[Matcher]) -> str:
    """``team="shop" severity!="info"``."""
    return " ".join(map(format_matcher, each))
