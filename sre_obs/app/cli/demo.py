"""`sre-obs demo`."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict

import click

from sre_obs.model.errors import UsageError


@click.command("demo")
@click.option("--exit-after", default="", help="End by itself, for example after 20s.")
@click.option("--speed", default=12.0, show_default=True, help="How much faster than life.")
@click.option("--listen", default="", help="Address of the page [127.0.0.1:9093].")
@click.option("--output", "-o", type=click.Choice(["text", "json"]), default="text")
def command(exit_after: str, speed: float, listen: str, output: str) -> None:
    """Watch recorded incidents go from documents to Slack; needs nothing else."""
    from sre_obs.app.daemon.log import configure
    from sre_obs.app.demo.demo import demo
    from sre_obs.content.duration import parse_duration

    if speed <= 0:
        raise UsageError("a clock's speed must be above zero", where="--speed")
    try:
        seconds = parse_duration(exit_after) if exit_after else None
    except ValueError as error:
        raise UsageError(str(error), where="--exit-after", remedy="write 20s") from None
    configure("text", "error")
    summary = asyncio.run(
        demo(
            speed=speed,
            exit_after=seconds,
            listen=listen,
            terminal=sys.stderr if output == "json" else sys.stdout,
            say=lambda line: click.echo(line, err=True),
        )
    )
    if output == "json":
        click.echo(json.dumps(asdict(summary)))
        return
    click.echo(
        f"Ended: {summary.documents} documents, {summary.rules} rules, {summary.fired} fired, "
        f"{summary.resolved} resolved, {summary.delivered} delivered."
    )
    click.echo("next: read the README, write a rule, and sre-obs run", err=True)
