"""Text for Slack's mrkdwn that can neither page, link nor format by itself.

Slack gives an escape for ``& < >`` alone (docs.slack.dev, formatting message text). So
values go into code spans, without backticks, and in prose the characters that format or
make an emoji where they stand are replaced by their look-alikes.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from sre_obs.notify.text import clean, cut

_FORMAT = re.compile(r"(?<![^\W_])([*_~])(?=\S)|(?<=\S)([*_~])(?![^\W_])")
_LOOK_ALIKE = {"*": "∗", "_": "＿", "~": "∼"}
# ":12:" of a time is no emoji: a name has a letter, but for these four.
_EMOJI = re.compile(r":(?=[\w+'-]*[^\W\d]|\+1:|-1:|100:|1234:)([\w+'-]+):")
_URL_MOST = 1_000


def escape(text: str) -> str:
    """``& < >`` as entities: all that Slack needs, and all that it knows."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escaped_size(text: str) -> int:
    """Characters of `text` once escaped."""
    return len(text) + 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))


def prose(text: str) -> str:
    """Foreign prose on one line, neither formatted nor emoji; not escaped yet."""
    flat = clean(text).replace("`", "")
    flat = _FORMAT.sub(lambda m: _LOOK_ALIKE[m[1] or m[2]], flat)
    return _EMOJI.sub(r"∶\1∶", flat)


def bare(text: str) -> str:
    """Foreign text for a code span or a code block; not escaped yet."""
    return clean(text.replace("`", ""))


def code(text: str, limit: int = 120) -> str:
    """A value as a code span, escaped and cut; a dash if nothing is left of it."""
    return f"`{escape(cut(bare(text), limit)) or '-'}`"


def link(url: str, label: str) -> str:
    """A link to `url` with `label` (escaped already), or the label alone if `url` is not
    an http(s) link that Slack can be given."""
    target = safe_url(url)
    return f"<{target}|{label}>" if target else label


def safe_url(url: str) -> str:
    """`url` as it may stand between ``< >``, empty if it is not a plain http(s) link."""
    if len(url) > _URL_MOST or not url.isprintable() or any(c in url for c in ' <>|`"\\'):
        return ""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        parts.port  # noqa: B018 (raises for a port that is none)
    except ValueError:
        return ""
    if parts.scheme.lower() not in ("http", "https") or not host or "@" in parts.netloc:
        return ""
    return url.replace("&", "&amp;")


def has_dotted_host(url: str) -> bool:
    """Whether a person who is not on this machine could follow links under `url`."""
    if not safe_url(url):
        return False
    host = urlsplit(url).hostname or ""
    return "." in host.strip(".") and not host.startswith("127.") and host != "0.0.0.0"  # noqa: S104


def moment(at: float, fallback: str) -> str:
    """Slack's local date token: each reader's own time, or `fallback`."""
    return f"<!date^{int(at)}^{{date_short_pretty}} {{time}}|{escape(fallback)}>"
