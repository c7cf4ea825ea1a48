"""Foreign text made harmless for where people read it, and cut at a word.

Labels, annotations and documents come from telemetry: they may hold escape sequences,
right-to-left overrides, lone surrogates or a whole novel. Each renderer starts from what
these functions return and then escapes for its own medium.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

ELLIPSIS = "…"

# Letters in some scripts need the two joiners; every other invisible formatting character
# (bidi overrides, zero-width spaces, tags) can only mislead here.
_JOINERS = "\u200c\u200d"
# A terminal's own language: what is left of a sequence without its first character would
# be noise ("[31m").
_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -~]?"
)
_BREAKS = frozenset(" -._/:@,;|")


def clean(text: str) -> str:
    """`text` as one line without control sequences, invisible and undefined characters.

    White space of any kind becomes single blanks; what can't be encoded becomes U+FFFD.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept: list[str] = []
    for char in _SEQUENCE.sub("", text):
        category = unicodedata.category(char)
        if char.isspace():
            kept.append(" ")
        elif category in ("Cs", "Cn", "Co"):
            kept.append("\ufffd")
        elif category == "Cf":
            kept.append(char if char in _JOINERS else "")
        elif category != "Cc":
            kept.append(char)
    return " ".join("".join(kept).split())


def cut(text: str, limit: int, size: Callable[[str], int] = len) -> str:
    """At most `limit` of `text` as `size` counts it, ended by an ellipsis if cut.

    It ends at a word, or inside one where that would cost more than a third.
    """
    if size(text) <= limit:
        return text
    low, high = 0, min(len(text), max(limit, 0))
    while low < high:  # the longest start that fits together with the ellipsis
        middle = (low + high + 1) // 2
        if size(text[:middle]) + size(ELLIPSIS) <= limit:
            low = middle
        else:
            high = middle - 1
    if low == 0:
        return ELLIPSIS if size(ELLIPSIS) <= limit else ""
    end = low
    if text[low] not in _BREAKS:
        floor = low * 2 // 3
        end = next((i for i in range(low, floor, -1) if text[i - 1] in _BREAKS), low)
    return text[:end].rstrip(" -._/:@,;|") + ELLIPSIS
