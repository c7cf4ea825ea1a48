"""`sre-obs config show`."""

from __future__ import annotations

import json

import click

from sre_obs.app.cli.settings import with_settings
from sre_obs.app.settings import Loaded


@click.group("config")
def command() -> None:
    """The settings in force."""


@command.command("show")
@with_settings
@click.option("--output", "-o", type=click.Choice(["text", "json"]), default="text")
def show(loaded: Loaded, output: str) -> None:
    """Each setting, its value (secrets masked) and where it comes from."""
    rows = list(loaded.rows())
    if output == "json":
        click.echo(json.dumps({k: {"value": v, "origin": o} for k, v, o in rows}, indent=2))
        return
    width = max(len(key) for key, _, _ in rows)
    for key, value, origin in rows:
        click.echo(f"{key:<{width}}  {value or '-'}  ({origin})")
