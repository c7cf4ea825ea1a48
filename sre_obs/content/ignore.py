"""``# sre-obs: ignore <slug>: <reason>``: a finding that somebody has looked at and wants to keep.

On the line of the finding, or the line above it; a text that goes over several lines counts as
one, since no comment can stand in it. Before the first key it is meant for the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sre_obs.content.mistakes import shown
from sre_obs.content.yaml import Document, Map, Node, Scalar
from sre_obs.model.problem import Location, Problem, Severity

WITHOUT_REASON = "check/ignore-without-reason"
UNKNOWN = "check/ignore-unknown"
UNUSED = "check/ignore-unused"

_COMMENT = re.compile(
    r"(?:^|(?<=[ \t]))#[ \t]*sre-obs:[ \t]*ignore\b[ \t]*([^\s:]*)[ \t]*:?[ \t]*([^\r\n]*)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Ignore:
    """One comment: the findings of `slug` in the lines `first` to `last` are not told."""

    slug: str
    reason: str
    first: int
    last: int
    place: Location

    def covers(self, problem: Problem) -> bool:
        """Whether it is about this finding."""
        return problem.slug == self.slug and self.first <= problem.location.line <= self.last


def ignores(document: Document) -> tuple[Ignore, ...]:
    """The comments of a file in their order."""
    text = document.text
    if "sre-obs:" not in text or not isinstance(document.root, Map):
        return ()
    spans = list(_scalars(document.root))
    begin = document.location(document.root.start).line
    ends = _ends(document, document.root)
    found = []
    for match in _COMMENT.finditer(text):
        if any(span.start <= match.start() < span.end for span in spans):
            continue  # it is part of a text
        place = document.location(match.start(), match.end())
        line = place.line
        alone = not text[text.rfind("\n", 0, match.start()) + 1 : match.start()].strip()
        if alone and line < begin:
            first, last = 1, len(text) + 1
        else:
            below = _next(text, match.end(), line) if alone else line
            first, last = line, max(below, ends.get(below, below))
        found.append(Ignore(match.group(1), match.group(2).strip(), first, last, place))
    return tuple(found)


def kept(
    problems: Iterable[Problem], comments: Sequence[Ignore], used: set[Ignore]
) -> list[Problem]:
    """The findings that no comment with a reason is about; `used` gets those that were."""
    if not comments:
        return list(problems)
    found = []
    for problem in problems:
        about = [comment for comment in comments if comment.covers(problem)]
        used.update(about)
        if not any(comment.reason for comment in about):
            found.append(problem)
    return found


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


def unused(comment: Ignore, source: str) -> Problem:
    """The comment that nothing is ignored by any more."""
    return Problem(
        UNUSED,
        Severity.INFO,
        comment.place,
        f"nothing here is {comment.slug} any more",
        "remove the comment",
        source,
    )


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
