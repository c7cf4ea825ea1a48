"""Findings that a comment is about, and comments that are about none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sre_obs.model.problem import Location, Problem, Severity

UNUSED = "check/ignore-unused"


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
