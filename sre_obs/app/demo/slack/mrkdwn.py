"""Slack's mrkdwn as HTML, as its clients show it. Everything is escaped; links http(s) only.

As documented on docs.slack.dev/messaging/formatting-message-text: ``*bold*``, ``_italic_``,
``~strike~``, code spans and blocks, quotes, ``<url|label>``, mentions, ``:emoji:``, dates.
Works in one pass over each line, so that no text makes it slow.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from urllib.parse import urlsplit

EMOJI = {
    "octagonal_sign": "\N{OCTAGONAL SIGN}",
    "warning": "\N{WARNING SIGN}\ufe0f",
    "information_source": "\N{INFORMATION SOURCE}\ufe0f",
    "eyes": "\N{EYES}",
    "white_check_mark": "\N{WHITE HEAVY CHECK MARK}",
    "hourglass": "\N{HOURGLASS}",
    "test_tube": "\N{TEST TUBE}",
}

Named = Callable[[str], str]

_PIECE = re.compile(
    r"```(?P<block>.+?)```|`(?P<code>[^`\n]+)`|<(?P<angle>[^<>\n]*)>|:(?P<emoji>[a-z0-9_+-]+):",
    re.DOTALL,
)
_TAGS = {"*": "b", "_": "i", "~": "s"}
_BESIDE_PIECE = "\0"  # a code span or a link: neither a letter nor a space
_DATE = re.compile(r"!date\^(\d{1,12})\^([^^]*)(?:\^[^^]*)?")


def html(text: str, channel_name: Named = lambda id_: id_) -> str:
    """`text` as HTML that needs neither style attributes nor scripts. `channel_name`
    gives the name of a channel id."""
    parts: list[_Part] = []
    at = 0
    for match in _PIECE.finditer(text):
        parts.append(_Part(text[at : match.start()]))
        parts.append(_piece(match, channel_name))
        at = match.end()
    parts.append(_Part(text[at:]))
    return _lines(parts)


def plain(text: str) -> str:
    """A `plain_text` object as HTML: emoji names are shown as emoji, nothing else is."""
    parts: list[str] = []
    at = 0
    for match in re.finditer(r":([a-z0-9_+-]+):", text):
        if match[1] in EMOJI:
            parts += [escape(text[at : match.start()]), _emoji(match[1])]
            at = match.end()
    return "".join([*parts, escape(text[at:])]).replace("\n", "<br>")


@dataclass(frozen=True, slots=True)
class _Part:
    """Text that may still hold styles or, with `html`, a piece that is done."""

    text: str
    html: str | None = None
    block: bool = False


def _piece(match: re.Match[str], channel_name: Named) -> _Part:
    if match["block"] is not None:
        return _Part("", f"<pre>{_escaped(match['block'].strip(chr(10)))}</pre>", block=True)
    if match["code"] is not None:
        return _Part("", f"<code>{_escaped(match['code'])}</code>")
    if match["emoji"] is not None:
        known = match["emoji"] in EMOJI
        return _Part("", _emoji(match["emoji"])) if known else _Part(match[0])
    return _Part("", _angle(match["angle"], channel_name))


def _angle(inner: str, channel_name: Named) -> str:
    target, _, label = inner.partition("|")
    if date := _DATE.fullmatch(target):
        return _date(int(date[1]), date[2], label)
    if target.startswith("#"):
        return _mention("#" + (label or channel_name(target[1:])))
    if target.startswith("@"):
        return _mention("@" + (label or target[1:]))
    if target.startswith("!subteam^"):
        return _mention(label or "@" + target.removeprefix("!subteam^"))
    if target.startswith("!"):
        return _mention("@" + target[1:])
    if _is_link(_unescaped(target)):
        href = escape(_unescaped(target))
        rel = 'rel="noreferrer noopener nofollow"'
        return f'<a href="{href}" {rel}>{_escaped(label or target)}</a>'
    return _escaped(label or target)


def _is_link(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _mention(text: str) -> str:
    return f'<span class="mention">{_escaped(text)}</span>'


def _emoji(name: str) -> str:
    words = name.replace("_", " ")
    return f'<span role="img" aria-label="{words}" title=":{name}:">{EMOJI[name]}</span>'


_FORMATS = {
    "{date_num}": "%Y-%m-%d",
    "{date}": "%B %-d, %Y",
    "{date_short}": "%b %-d, %Y",
    "{date_long}": "%A, %B %-d, %Y",
    "{date_pretty}": "%B %-d, %Y",
    "{date_short_pretty}": "%b %-d, %Y",
    "{date_long_pretty}": "%A, %B %-d, %Y",
    "{time}": "%H:%M",
    "{time_secs}": "%H:%M:%S",
}


def _date(seconds: int, form: str, fallback: str) -> str:
    """A date token. Slack shows the reader's local time; a server does not know it, so
    this is UTC and says so."""
    try:
        at = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return _escaped(fallback)
    shown = re.sub(
        r"\{[a-z_]+\}", lambda m: at.strftime(_FORMATS[m[0]]) if m[0] in _FORMATS else m[0], form
    )
    return f'<time datetime="{at:%Y-%m-%dT%H:%M:%SZ}">{_escaped(shown)} UTC</time>'


def _lines(parts: list[_Part]) -> str:
    """The parts joined; styles end with their line, a line that opens with > is a quote."""
    lines: list[list[_Part]] = [[]]
    for part in parts:
        if part.html is not None:
            lines[-1].append(part)
            continue
        first, *more = part.text.split("\n")
        lines[-1].append(_Part(first))
        lines += [[_Part(line)] for line in more]
    out: list[str] = []
    quoted = False
    for number, line in enumerate(lines):
        quote = line[0].html is None and line[0].text.startswith(("&gt;", ">"))
        if quote:
            line[0] = _Part(line[0].text.removeprefix("&gt;").removeprefix(">").lstrip(" "))
        if quote != quoted:
            out.append("<blockquote>" if quote else "</blockquote>")
        elif number and not (out and out[-1].endswith("</pre>")):
            out.append("<br>")
        out.append(_styled(line))
        quoted = quote
    if quoted:
        out.append("</blockquote>")
    return "".join(out)


def _styled(line: list[_Part]) -> str:
    """Bold, italic and strike of one line: a marker that opens follows no word character
    and no space follows it; one that closes the other way round. What is opened first is
    closed last, so the tags always nest."""
    out: list[str] = []
    opened: dict[str, tuple[int, int, int]] = {}  # marker: its part, column, place in `out`
    for index, part in enumerate(line):
        if part.html is not None:
            out.append(part.html)
            continue
        text, start = part.text, 0
        for at, marker in enumerate(text):
            if marker not in _TAGS:
                continue
            before = text[at - 1] if at else (_BESIDE_PIECE if index else " ")
            last = at + 1 == len(text)
            after = (_BESIDE_PIECE if index + 1 < len(line) else " ") if last else text[at + 1]
            out += [_escaped(text[start:at]), marker]
            start = at + 1
            if marker in opened:
                place = opened[marker]
                if not before.isspace() and not after.isalnum() and place[:2] != (index, at - 1):
                    out[place[2]], out[-1] = f"<{_TAGS[marker]}>", f"</{_TAGS[marker]}>"
                    opened = {m: p for m, p in opened.items() if p < place}
            elif not before.isalnum() and not after.isspace():
                opened[marker] = (index, at, len(out) - 1)
        out.append(_escaped(text[start:]))
    return "".join(out)


def _unescaped(text: str) -> str:
    """Slack's three entities, in the order that turns ``&amp;lt;`` into ``&lt;``."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _escaped(text: str) -> str:
    return escape(_unescaped(text))
