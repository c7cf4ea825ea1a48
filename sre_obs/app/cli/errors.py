"""How an error is printed: what, where, what to do."""

from __future__ import annotations

import json

import click

from sre_obs.model.errors import ContentError, SreObsError
from sre_obs.model.problem import Problem, Severity


def show(error: SreObsError, *, as_json: bool) -> None:
    """Print `error`: words on stderr, or one JSON object on stdout."""
    if as_json:
        body = {
            "slug": error.slug,
            "message": error.message,
            "where": error.where,
            "remedy": error.remedy,
        }
        click.echo(json.dumps({"error": body}))
        return
    if isinstance(error, ContentError):
        for problem in error.problems:
            show_problem(problem)
        return
    where = f"{error.where}: " if error.where else ""
    click.echo(f"{click.style('error', fg='red')}: {where}{printable(error.message)}", err=True)
    if error.remedy:
        click.echo(f"  do: {printable(error.remedy)}", err=True)
    click.echo(f"  [{error.slug}]", err=True)


def show_problem(problem: Problem) -> None:
    """Print one problem with its line and a caret, as compilers do."""
    colour = {Severity.ERROR: "red", Severity.WARNING: "yellow"}.get(problem.severity, "cyan")
    severity = click.style(str(problem.severity), fg=colour)
    click.echo(f"{problem.location}: {severity}: {printable(problem.message)}", err=True)
    if problem.source:
        number = str(problem.location.line)
        click.echo(f" {number} | {printable(problem.source)}", err=True)
        indent = " " * (len(number) + 4 + problem.location.column - 1)
        click.echo(indent + "^" * problem.location.length, err=True)
    remedy = f"do: {printable(problem.remedy)}  " if problem.remedy else ""
    click.echo(f"  {remedy}[{problem.slug}]", err=True)


def printable(text: str) -> str:
    """`text` with control characters escaped, so that foreign text can't steer a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in text)
