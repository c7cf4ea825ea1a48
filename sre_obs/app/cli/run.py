"""`sre-obs run`."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict

import click

from sre_obs.app.cli.errors import printable
from sre_obs.app.cli.parsing import example, output_options
from sre_obs.app.cli.screen import Screen
from sre_obs.app.cli.settings import with_settings
from sre_obs.app.settings import Loaded


@click.command(
    "run",
    epilog=example(
        "sre-obs run --config sre-obs.yml",
        "sre-obs run --routes routes.yml --data state --listen 127.0.0.1:9093",
        "sre-obs run --rules rules --once --dry-run",
    ),
)
@with_settings(
    *("data", "rules", "overrides", "routes", "listen", "probe_listen", "external_url"),
    *("allowed_hosts", "token_file", "retention", "sources.default.hosts", "slack.token_file"),
    warn=False,
)
@click.option("--once", is_flag=True, help="Run each rule once, deliver what falls due, exit.")
@click.option("--dry-run", is_flag=True, help="Print instead of sending; keep no state.")
@click.option("--print-role", is_flag=True, help="Print the least Elasticsearch role; exit.")
@output_options
@click.pass_obj
def command(screen: Screen, loaded: Loaded, once: bool, dry_run: bool, print_role: bool) -> None:
    """Run the daemon until SIGTERM; SIGHUP reloads rules and routes."""
    if print_role:
        from sre_obs.app.usecases.role import roles

        for warning in loaded.warnings:
            screen.warn(warning)
        found = roles(loaded.settings)
        # One cluster is the common case and looks like one: a body to send as it is.
        screen.json(found if len(found) > 1 else next(iter(found.values())))
        return
    from sre_obs.app.daemon.log import configure
    from sre_obs.app.usecases.run import run

    log = configure(loaded.settings.log.format, loaded.settings.log.level, screen.err_colour)

    def say(line: str, level: str = "info") -> None:
        """A start line: as it is in a terminal, an event where a machine reads the log."""
        if log.as_json:
            log.say(line, level)
        else:
            screen.err(printable(line))

    for warning in loaded.warnings:
        say(f"warning: {warning}", "warning")
    # With JSON the one document has stdout for itself.
    terminal = sys.stderr if screen.as_json else sys.stdout
    done = asyncio.run(run(loaded.settings, once=once, dry_run=dry_run, say=say, terminal=terminal))
    if screen.as_json and done is not None:
        screen.json(asdict(done))
