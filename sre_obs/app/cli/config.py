"""`sre-obs config show|describe`."""

from __future__ import annotations

import click

from sre_obs.app.cli.errors import printable
from sre_obs.app.cli.parsing import HELP, Group, example, output_options
from sre_obs.app.cli.screen import Screen
from sre_obs.app.cli.settings import with_settings
from sre_obs.app.settings import Key, Loaded, describe


@click.group("config", cls=Group, context_settings=HELP, epilog=example("sre-obs config show"))
def command() -> None:
    """The settings: what there is to set, and what is in force."""


@command.command(
    "show",
    short_help="Print each setting, and where its value is from.",
    epilog=example("sre-obs config show --config sre-obs.yml"),
)
@with_settings()
@output_options
@click.pass_obj
def show(screen: Screen, loaded: Loaded) -> None:
    """Each setting, its value (secrets masked) and where it comes from."""
    rows = list(loaded.rows())
    if screen.as_json:
        screen.json({key: {"value": value, "origin": origin} for key, value, origin in rows})
        return
    width = max(len(key) for key, _, _ in rows)
    for key, value, origin in rows:
        screen.out(f"{key:<{width}}  {printable(value) or '-'}  ({printable(origin)})")


@command.command(
    "describe",
    short_help="Print every setting as a Markdown table.",
    epilog=example("sre-obs config describe > settings.md"),
)
@output_options
@click.pass_obj
def explain(screen: Screen) -> None:
    """Every setting there is, its default and what it is for, as a Markdown table."""
    found = list(describe())
    if screen.as_json:
        screen.json(
            {
                key.path: {
                    "default": key.default,
                    "help": key.help,
                    "variable": key.variable,
                    "flag": "" if key.secret else key.flag,
                }
                for key in found
            }
        )
        return
    screen.out(markdown(found))


def markdown(found: list[Key]) -> str:
    """The table, as the README has it."""
    lines = ["| Setting | Default | What it is |", "|---|---|---|"]
    for key in found:
        default = f"`{key.default}`" if key.default else ""
        secret = "; a secret, never a flag" if key.secret else ""
        lines.append(f"| `{key.path}` | {default} | {key.help}{secret} |")
    return "\n".join(lines)
