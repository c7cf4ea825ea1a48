"""`sre-obs rules list|show`."""

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
    from sre_obs.model.problem import Problem


@click.group(
    "rules", cls=Group, context_settings=HELP, epilog=example("sre-obs rules show pg-deadlocks")
)
def command() -> None:
    """The rules as they are in force: files, overrides, environment."""


@command.command(
    "list",
    short_help="Print each rule, how it stands and how much of it is tuned.",
    epilog=example("sre-obs rules list --rules rules --overrides overrides.yml"),
)
@with_settings("rules", "overrides", "environment")
@output_options
@click.pass_obj
def list_(screen: Screen, loaded: Loaded) -> int:
    """Each rule: state, severity, owner, and how many of its values an override sets."""
    from sre_obs.app.usecases.rules import listed

    rules, problems = listed(loaded.settings)
    if screen.as_json:
        rows = [
            {
                "id": rule.id,
                "title": rule.title,
                "kind": rule.kind,
                "state": rule.state,
                "severity": rule.severity,
                "owner": rule.owner,
                "file": rule.location.file,
                "tuned": sorted(rule.origins),
            }
            for rule in rules
        ]
        screen.json({"rules": rows, "problems": [problem_json(p) for p in problems]})
        return _code(problems)
    show_problems(screen, problems)
    lines = [
        (rule.id, rule.kind.value, rule.state.value, rule.severity, rule.owner or "-",
         f"{len(rule.origins)} tuned" if rule.origins else "")
        for rule in rules
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (f"{printable(cell):<{width}}" for cell, width in zip(line, widths, strict=True))
        screen.out("  ".join(cells).rstrip())
    return _code(problems)


@command.command(
    "show",
    short_help="Print each value of the rule ID, and where it is from.",
    epilog=example("sre-obs rules show postgresql/pg-deadlocks --overrides overrides.yml"),
)
@with_settings("rules", "overrides", "environment")
@click.argument("id_", metavar="ID")
@output_options
@click.pass_obj
def show(screen: Screen, loaded: Loaded, id_: str) -> int:
    """Each value of the rule ID (an id or a slug) with the file and line that set it."""
    from sre_obs.app.usecases.rules import shown

    rule, values, problems = shown(loaded.settings, id_)
    if screen.as_json:
        rows = {v.key: {"value": v.text, "origin": v.origin} for v in values}
        told = [problem_json(p) for p in problems]
        screen.json({"id": rule.id, "values": rows, "problems": told})
        return _code(problems)
    show_problems(screen, problems)
    width = max(len(value.key) for value in values)
    for value in values:
        text = printable(value.text.strip()) or "-"
        screen.out(f"{printable(value.key):<{width}}  {text}  ({printable(value.origin)})")
    return _code(problems)


def _code(problems: Sequence[Problem]) -> int:
    from sre_obs.model.problem import Severity

    return 2 if any(p.severity is Severity.ERROR for p in problems) else 0
