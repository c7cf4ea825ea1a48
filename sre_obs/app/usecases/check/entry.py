"""What is known of one file when it was looked at: all that a cache keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sre_obs.content.ignored import Ignore
from sre_obs.model.problem import Location, Problem, Severity

# Findings of one file that are told; what has more is broken as a whole.
MOST = 200
# Characters of a source line that are kept round a finding's place.
_AROUND = 1_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What other files are held against: a rule's identity, what it asks, its labels (None
    for one whose value its documents decide), and the line that stands for it. `known`: the
    contract has every stream that it reads."""

    id: str
    slug: str
    same: str
    near: str
    labels: Mapping[str, str | None]
    place: Location
    source: str
    known: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """One file. `problems` are those that no comment is about; `used` are the numbers of
    the comments that were about one."""

    problems: tuple[Problem, ...]
    facts: Facts | None = None
    ignores: tuple[Ignore, ...] = ()
    used: frozenset[int] = frozenset()
    loaded: bool = False


def bounded(problems: list[Problem]) -> tuple[Problem, ...]:
    """The first findings, in order of their places, with what is shown of their lines."""
    ordered = sorted(problems, key=lambda p: (p.location.line, p.location.column, p.slug))
    found = [_cut(problem) for problem in ordered[:MOST]]
    if len(ordered) > MOST:
        last = found[-1].location
        found.append(
            Problem(
                "check/more",
                Severity.INFO,
                Location(last.file, last.line, last.column),
                f"{len(ordered) - MOST:,} more findings in this file",
                "mend these first",
            )
        )
    return tuple(found)


def _cut(problem: Problem) -> Problem:
    """A line of a megabyte is kept once for each of its findings: keep what lies around.

    A finding's column counts from the line's begin, so that is kept as far as it goes.
    """
    column = problem.location.column
    if len(problem.source) <= column + _AROUND:
        return problem
    source = problem.source[: column + _AROUND] if column <= 4 * _AROUND else ""
    return replace(problem, source=source)
