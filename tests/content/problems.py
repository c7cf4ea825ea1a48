"""How the tests of this room write a problem: one line that has all that a user sees."""

from __future__ import annotations

from collections.abc import Iterable

from sre_obs.model.problem import Problem


def lines(problems: Iterable[Problem]) -> list[str]:
    """``line:column+length slug: message | remedy``, one each."""
    return [line(problem) for problem in problems]


def line(problem: Problem) -> str:
    """One problem; a warning says so."""
    place = problem.location
    warning = "" if problem.severity == "error" else f" ({problem.severity})"
    text = f"{place.line}:{place.column}+{place.length} {problem.slug}{warning}: {problem.message}"
    return f"{text} | {problem.remedy}" if problem.remedy else text


def pointed(problem: Problem) -> str:
    """The characters that the caret is under."""
    begin = problem.location.column - 1
    return problem.source[begin : begin + problem.location.length]
