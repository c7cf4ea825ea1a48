"""`sre-obs routes show|explain`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from sre_obs.app.cli.errors import printable, show_problem
from sre_obs.app.cli.settings import with_settings
from sre_obs.app.settings import Loaded

if TYPE_CHECKING:
    from sre_obs.model.routing import Route


@click.group("routes")
def command() -> None:
    """Who is told of what."""


@command.command("show")
@with_settings
def show(loaded: Loaded) -> None:
    """Print the route tree, each route with its receiver and place."""
    from sre_obs.app.usecases.routes import tree

    routes, problems = tree(loaded.settings)
    for problem in problems:
        show_problem(problem)
    for depth, route in routes:
        more = ", goes on" if route.continues else ""
        click.echo(f"{'  ' * depth}{_name(route)} -> {route.receiver}{more}  [{_place(route)}]")


@command.command("explain")
@with_settings
@click.argument("labels", nargs=-1, required=True)
@click.option("--output", "-o", type=click.Choice(["text", "json"]), default="text")
def explain(loaded: Loaded, labels: Sequence[str], output: str) -> None:
    """Say which routes an alert with LABELS (name=value) takes, and why."""
    from sre_obs.app.usecases.routes import explain as explain_routes
    from sre_obs.query.matchers import format_matcher

    _, steps = explain_routes(loaded.settings, labels)
    if output == "json":
        rows = [
            {
                "route": step.route.id,
                "receiver": step.route.receiver,
                "place": _place(step.route),
                "matched": step.matched,
                "taken": step.taken,
                "refused": format_matcher(step.refused) if step.refused else "",
            }
            for step in steps
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for step in steps:
        why = f"-> {step.route.receiver}" if step.taken else "matches; goes on below"
        if step.refused is not None:
            why = f"no: {printable(format_matcher(step.refused))} does not hold"
        click.echo(f"{'  ' * step.depth}{_name(step.route)}  {why}  [{_place(step.route)}]")


def _name(route: Route) -> str:
    from sre_obs.query.matchers import format_matcher

    return printable(" ".join(map(format_matcher, route.matchers)) or "(everything)")


def _place(route: Route) -> str:
    return f"{route.location.file}:{route.location.line}"
