"""`sre-obs run`."""

from __future__ import annotations

import asyncio
import json

import click

from sre_obs.app.cli.settings import with_settings
from sre_obs.app.settings import Loaded


@click.command("run")
@with_settings
@click.option("--once", is_flag=True, help="Run each rule once, deliver what falls due, exit.")
@click.option("--dry-run", is_flag=True, help="Print instead of sending; keep no state.")
@click.option("--print-role", is_flag=True, help="Print the least Elasticsearch role; exit.")
def command(loaded: Loaded, once: bool, dry_run: bool, print_role: bool) -> None:
    """Run the daemon until SIGTERM; SIGHUP reloads rules and routes."""
    from sre_obs.app.usecases.role import role

    if print_role:
        click.echo(json.dumps(role(loaded.settings), indent=2))
        return
    from sre_obs.app.daemon.log import configure
    from sre_obs.app.usecases.run import run

    configure(loaded.settings.log.format, loaded.settings.log.level)
    asyncio.run(run(loaded.settings, once=once, dry_run=dry_run, say=_say))


def _say(line: str) -> None:
    click.echo(line, err=True)
