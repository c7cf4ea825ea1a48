"""An approximation of Elasticsearch's standard analyzer: lower-cased words.

Words follow Unicode's word boundaries as far as logs need them: letters, digits and ``_``
together; ``.`` ``'`` ``:`` between letters and ``.`` ``,`` ``;`` between digits stay inside;
each Chinese character, Hiragana and emoji is a word of its own. Other analyzers are refused.
"""

from __future__ import annotations

import re
import unicodedata

_ASCII = re.compile(r"(?:[A-Za-z0-9_]|(?<=[A-Za-z])[.':](?=[A-Za-z])|(?<=[0-9])[.,;'](?=[0-9]))+")
_LETTER, _DIGIT, _JOIN, _ALONE, _KATAKANA, _EXTEND, _NONE = range(7)
_MID_LETTER = frozenset(
    ".':\u2019\u00b7\u2018\u2024\u2027\ufe13\ufe52\uff07\uff0e\uff1a\u05f4\u0387"
)
_MID_NUMBER = frozenset(
    ".',;\u2019\u2018\u2024\u037e\u0589\u060c\u060d\u066c\u07f8\u2044\ufe10\ufe14\ufe50\ufe54\uff0c\uff1b\uff07\uff0e\ufe52"
)
_MAX_WORD = 255


def words(text: str) -> list[str]:
    """The tokens of a text, in order."""
    if text.isascii():
        found = [w for w in _ASCII.findall(text) if w.strip("_") or "_" in w]
        found = [w.lower() for w in found]
    else:
        found = [_lower(w) for w in _unicode_words(text)]
    if any(len(w) > _MAX_WORD for w in found):
        found = [w[i : i + _MAX_WORD] for w in found for i in range(0, len(w), _MAX_WORD)]
    return found


def normalize(text: str) -> str:
    """What the analyzer does to a term with wildcards: lower case."""
    return _lower(text)


def _lower(text: str) -> str:
    if text.isascii():
        return text.lower()
    return "".join(
        "i" if c == "\u0130" else (c.lower() if len(c.lower()) == 1 else c) for c in text
    )


def _class(char: str) -> int:
    if char.isascii():
        if char.isalpha():
            return _LETTER
        return _DIGIT if char.isdigit() else (_JOIN if char == "_" else _NONE)
    category = unicodedata.category(char)
    if category in ("Mn", "Mc", "Me") or char in "\u200d\u00ad":
        return _EXTEND
    if category == "Nd":
        return _DIGIT
    if category == "Pc":
        return _JOIN
    code = ord(char)
    if category in ("Lo", "Lm", "Nl", "So"):
        if 0x3041 <= code <= 0x309F or 0x3400 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF:
            return _ALONE
        if 0x20000 <= code <= 0x3FFFF:
            return _ALONE
        if 0x30A1 <= code <= 0x30FF or 0x31F0 <= code <= 0x31FF or 0xFF66 <= code <= 0xFF9D:
            return _KATAKANA
    if category[0] == "L" or category == "Nl":
        return _LETTER
    if category == "So" and (0x1F300 <= code <= 0x1FAFF or 0x2600 <= code <= 0x27BF):
        return _ALONE
    return _NONE


def _unicode_words(text: str) -> list[str]:
    found: list[str] = []
    current: list[str] = []
    last = _NONE  # the class of the last character of the current word
    size = len(text)

    def close() -> None:
        nonlocal last
        if current:
            found.append("".join(current))
            current.clear()
        last = _NONE

    for position, char in enumerate(text):
        kind = _class(char)
        if kind == _EXTEND:
            if current:
                current.append(char)
        elif kind == _ALONE:
            close()
            current.append(char)
            last = _ALONE
        elif kind == _KATAKANA:
            if last not in (_KATAKANA, _JOIN):
                close()
            current.append(char)
            last = kind
        elif kind in (_LETTER, _DIGIT, _JOIN):
            if last == _ALONE or (last == _KATAKANA and kind != _JOIN):
                close()
            current.append(char)
            last = kind
        else:
            after = _class(text[position + 1]) if position + 1 < size else _NONE
            inside = (last == _LETTER == after and char in _MID_LETTER) or (
                last == _DIGIT == after and char in _MID_NUMBER
            )
            if inside:
                current.append(char)
            else:
                close()
    close()
    return found
