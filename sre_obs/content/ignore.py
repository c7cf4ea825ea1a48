"""``# sre-obs: ignore <slug>: <reason>``: a finding that somebody has looked at and wants to keep.

On the line of the finding, or the line above it; a text that goes over several lines counts as
one, since no comment can stand in it. Before the first key it is meant for the whole file.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence

from sre_obs.content.ignored import Ignore
from sre_obs.content.mistakes import shown
from sre_obs.content.yaml import Document, Map, Node, Scalar
from sre_obs.model.problem import Problem, Severity

WITHOUT_REASON = "check/ignore-without-reason"
UNKNOWN = "check/ignore-unknown"

# Comments of one file that count: each is held against each finding.
_MOST = 200
_COMMENT = re.compile(
    r"(?:^|(?<=[ \t]))#[ \t]*sre-obs:[ \t]*ignore\b[ \t]*([^\s:]*)[ \t]*:?[ \t]*([^\r\n]*)",
    re.MULTILINE,
)


def ignores(document: Document) -> tuple[Ignore, ...]:
    """The comments of a file in their order."""
    text = document.text
    if "sre-obs:" not in text or not isinstance(document.root, Map):
        return ()
    spans = sorted(_scalars(document.root), key=lambda span: span.start)
    starts = [span.start for span in spans]
    begin = document.location(document.root.start).line
    ends = _ends(document, document.root)
    found: list[Ignore] = []
    for match in _COMMENT.finditer(text):
        before = bisect_right(starts, match.start()) - 1
        if before >= 0 and _inside(text, spans[before], match.start()):
            continue  # it is part of a text
        place = document.location(match.start(), match.end())
        line = place.line
        alone = not text[text.rfind("\n", 0, match.start()) + 1 : match.start()].strip()
        if alone and line < begin:
            first, last = 1, len(text) + 1
        else:
            below = _next(text, match.end(), line) if alone else line
            first, last = line, max(below, ends.get(below, below))
        if len(found) == _MOST:
            break
        found.append(Ignore(match.group(1), match.group(2).strip(), first, last, place))
    return tuple(found)


def wrong_comments(
    document: Document, comments: Sequence[Ignore], known: Collection[str]
) -> list[Problem]:
    """Comments that can't work: without a reason, or on what is no check."""
    found = []
    for comment in comments:
        if comment.slug not in known:
            message = f"{shown(comment.slug)} is no check that can be ignored"
            remedy = "write its slug, as it stands in brackets behind the finding"
            slug, severity = UNKNOWN, Severity.WARNING
        elif not comment.reason:
            message = f"{comment.slug} is ignored without a reason"
            remedy = f"write # sre-obs: ignore {comment.slug}: <why>"
            slug, severity = WITHOUT_REASON, Severity.WARNING
        else:
            continue
        found.append(document.problem(slug, comment.place, message, remedy, severity))
    return found


def _inside(text: str, span: Scalar, at: int) -> bool:
    """Whether a character belongs to a text. A block reaches up to the next key, so what is
    indented less than its first line stands behind it."""
    if at >= span.end:
        return False
    if span.style not in ("|", ">"):
        return True
    if at < (text.find("\n", span.start) + 1 or len(text)):
        return False  # behind the sign that opens the block
    first = re.compile(r"[^\n]*\n(?:[ \t]*\r?\n)*( *)").match(text, span.start)
    indent = len(first.group(1)) if first else 0
    return at - (text.rfind("\n", 0, at) + 1) >= max(indent, 1)


def _scalars(node: Node) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
        return
    for inner in node.values() if isinstance(node, Map) else node:
        yield from _scalars(inner)


def _ends(document: Document, node: Node) -> dict[int, int]:
    """Line in which a key begins -> line in which its text ends."""
    found: dict[int, int] = {}
    if isinstance(node, Map):
        for name, inner in node.items():
            if isinstance(inner, Scalar):
                line = document.location(node.keys_at[name][0]).line
                last = document.text[inner.start : inner.end].rstrip()
                stop = document.location(inner.start + len(last)).line
                found[line] = max(stop, found.get(line, line))
            else:
                found |= _ends(document, inner)
    elif not isinstance(node, Scalar):
        for inner in node:
            found |= _ends(document, inner)
    return found


def _next(text: str, at: int, line: int) -> int:
    """The next line that is more than a comment."""
    for more, row in enumerate(text[at:].split("\n")[1:], start=1):
        stripped = row.strip()
        if stripped and not stripped.startswith("#"):
            return line + more
    return line
