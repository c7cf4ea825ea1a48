"""How an error is printed: what, where, what to do."""

from __future__ import annotations

import unicodedata
from typing import Any

import click

from sre_obs.app.cli.screen import Screen
from sre_obs.model.errors import ContentError, SreObsError, UsageError
from sre_obs.model.problem import Problem, Severity

# A pipe crops nothing that a person wrote; a line of a megabyte is not shown as often as it
# holds problems.
_LONGEST = 1_000
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def show(screen: Screen, error: SreObsError) -> None:
    """Print `error`: words on stderr, or one JSON object on stdout."""
    if screen.as_json:
        screen.json({"error": body(error)})
        return
    if isinstance(error, ContentError):
        show_problems(screen, error.problems)
        return
    where = f"{error.where}: " if error.where else ""
    # Only what is about the command line has lines of its own: somebody typed it here.
    lines = error.message.split("\n") if error.slug == "usage" else [error.message]
    message = "\n".join(map(printable, lines))
    screen.err(f"{click.style('error', fg='red')}: {printable(where)}{message}")
    remedy = f"do: {printable(error.remedy)}  " if error.remedy else ""
    screen.err(f"  {remedy}[{error.slug}]")


def show_problems(screen: Screen, problems: Any) -> None:
    """Print problems, each with its line and a caret, as compilers do."""
    for problem in problems:
        show_problem(screen, problem)


def show_problem(screen: Screen, problem: Problem) -> None:
    """Print one problem."""
    for line in problem_lines(problem, screen.err_width):
        screen.err(line)


def problem_lines(problem: Problem, width: int | None) -> list[str]:
    """A problem as it is printed, its source cut to a terminal of `width` columns."""
    severity = click.style(str(problem.severity), fg=_COLOURS[problem.severity])
    lines = [f"{printable(str(problem.location))}: {severity}: {printable(problem.message)}"]
    if problem.source:
        number = str(problem.location.line)
        room = _LONGEST if width is None else width - len(number) - 4
        source, carets = excerpt(
            problem.source, problem.location.column - 1, problem.location.length, room
        )
        lines.append(f" {number} | {source}")
        lines.append(f" {' ' * len(number)} | {carets}")
    remedy = f"do: {printable(problem.remedy)}  " if problem.remedy else ""
    lines.append(f"  {remedy}[{problem.slug}]")
    return lines


def problem_json(problem: Problem) -> dict[str, str]:
    """A problem's facts, as JSON has them."""
    return {
        "slug": problem.slug,
        "severity": str(problem.severity),
        "message": problem.message,
        "where": str(problem.location),
        "remedy": problem.remedy,
    }


def from_click(error: click.ClickException, command: str) -> UsageError:
    """What click found wrong with the arguments, in our form; `command` is what was called,
    if click does not know."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else command
    near: list[str] = []
    message = error.format_message().rstrip(".")
    if isinstance(error, click.NoSuchOption):
        message, near = f"no such option: {error.option_name}", error.possibilities or []
    elif isinstance(error, NoSuchCommand):
        message, near = f"no such command: {error.name}", error.near
    elif isinstance(error, click.MissingParameter) and error.param is not None:
        # "--comment" for an option, "MATCHERS" for an argument.
        option = isinstance(error.param, click.Option)
        name = error.param.opts[0] if option else error.param.human_readable_name
        message = f"missing: {name}"
    else:
        message = message[:1].lower() + message[1:]
    remedy = f"{command} --help"
    if near:
        remedy = f"write {' or '.join(near)}; {remedy} shows all"
    return UsageError(message, where=command, remedy=remedy)


class NoSuchCommand(click.UsageError):
    """A command that does not exist, and the names that are near."""

    def __init__(self, name: str, near: list[str], context: click.Context) -> None:
        super().__init__(f"no such command: {name}", context)
        self.name = name
        self.near = near


def unexpected(error: BaseException) -> SreObsError:
    """A mistake of ours. Its own words may hold anything, secrets too: they stay out."""
    place = ""
    trace = error.__traceback__
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__", ""))
        if name.startswith("sre_obs."):
            place = f"{name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return SreObsError(
        f"sre-obs has a bug here ({type(error).__name__})",
        where=place,
        remedy="try again with --debug, and report what it prints",
    )


def printable(text: str) -> str:
    """`text` on one line with control characters escaped: foreign text can neither steer a
    terminal nor begin a line, which some that read our output take for a command."""
    return "".join(map(_shown, text))


def excerpt(line: str, start: int, length: int, room: int | None) -> tuple[str, str]:
    """A source line and the carets under characters `start` to `start + length`.

    Columns are display cells: a wide character takes two. With `room` cells the line is
    cut round the caret.
    """
    cells = [(_shown(c), _cells(c)) for c in line]
    stop = min(max(start + length, start + 1), max(len(cells), start + 1))
    first, last = 0, len(cells)
    if room is not None and sum(width for _, width in cells) > room:
        # Half of what is left goes in front of the caret, so that both sides are seen.
        inner = max(room - 2, 1)
        first = max(start - inner // 2, 0)
        used, last = 0, first
        while last < len(cells) and used + cells[last][1] <= inner:
            used += cells[last][1]
            last += 1
        while first > 0 and used + cells[first - 1][1] <= inner:
            first -= 1
            used += cells[first][1]
    head = "…" if first else ""
    tail = "…" if last < len(cells) else ""
    shown = head + "".join(text for text, _ in cells[first:last]) + tail
    before = len(head) + sum(width for _, width in cells[first:start])
    under = sum(width for _, width in cells[start : min(stop, last)])
    return shown, " " * before + "^" * max(under, 1)


def body(error: SreObsError) -> dict[str, Any]:
    """An error's facts, as JSON has them."""
    facts: dict[str, Any] = {
        "slug": error.slug,
        "message": error.message,
        "where": error.where,
        "remedy": error.remedy,
    }
    if isinstance(error, ContentError):
        facts["problems"] = [problem_json(problem) for problem in error.problems]
    return facts


def _shown(char: str) -> str:
    if char == "\t":
        return " "
    if char.isprintable() or unicodedata.category(char) in ("Zs", "Mn", "Mc", "Me"):
        return char
    return repr(char)[1:-1] if char not in ("'", "\\") else char


def _cells(char: str) -> int:
    shown = _shown(char)
    if len(shown) > 1:
        return len(shown)
    if unicodedata.combining(shown):
        return 0
    return 2 if unicodedata.east_asian_width(shown) in ("W", "F") else 1
