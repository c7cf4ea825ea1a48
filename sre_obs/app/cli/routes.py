"""`sre-obs routes show|explain`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from sre_obs.app.cli.errors import printable, problem_json, show_problems
from sre_obs.app.cli.parsing import HELP, Group, example, output_options
from sre_obs.app.cli.screen import Screen
from sre_obs.app.cli.settings import with_settings
from sre_obs.app.settings import Loaded

if TYPE_CHECKING:
    from sre_obs.model.routing import Route


@click.group(
    "routes", cls=Group, context_settings=HELP, epilog=example("sre-obs routes explain team=shop")
)
def command() -> None:
    """Who is told of what."""


@command.command("show", epilog=example("sre-obs routes show --routes routes.yml"))
@with_settings("routes", "slack.token_file")
@output_options
@click.pass_obj
def show(screen: Screen, loaded: Loaded) -> None:
    """Print the route tree, each route with its receiver and place."""
    from sre_obs.app.usecases.routes import tree

    routes, problems = tree(loaded.settings)
    if screen.as_json:
        rows = [
            {
                "route": route.id,
                "depth": depth,
                "receiver": route.receiver,
                "continue": route.continues,
                "place": _place(route),
            }
            for depth, route in routes
        ]
        screen.json({"routes": rows, "problems": [problem_json(p) for p in problems]})
        return
    show_problems(screen, problems)
    for depth, route in routes:
        more = ", goes on" if route.continues else ""
        receiver = printable(route.receiver)
        screen.out(f"{'  ' * depth}{_name(route)} -> {receiver}{more}  [{_place(route)}]")


@command.command(
    "explain",
    short_help="Say who is told of an alert with LABELS, and why.",
    epilog=example("sre-obs routes explain --routes routes.yml team=shop severity=critical"),
)
@with_settings("routes", "slack.token_file")
@click.argument("labels", nargs=-1, required=True)
@output_options
@click.pass_obj
def explain(screen: Screen, loaded: Loaded, labels: Sequence[str]) -> None:
    """Say which routes an alert with LABELS (name=value) takes, and why."""
    from sre_obs.app.usecases.routes import explain as explain_routes
    from sre_obs.query.matchers import format_matcher

    steps = explain_routes(loaded.settings, labels)
    if screen.as_json:
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
        screen.json({"steps": rows})
        return
    for step in steps:
        why = f"-> {printable(step.route.receiver)}" if step.taken else "matches; goes on below"
        if step.refused is not None:
            why = f"no: {printable(format_matcher(step.refused))} does not hold"
        screen.out(f"{'  ' * step.depth}{_name(step.route)}  {why}  [{_place(step.route)}]")


def _name(route: Route) -> str:
    from sre_obs.query.matchers import format_matcher

    return printable(" ".join(map(format_matcher, route.matchers)) or "(everything)")


def _place(route: Route) -> str:
    return f"{printable(route.location.file)}:{route.location.line}"
