"""`sre-obs alert-test`."""

from __future__ import annotations

import asyncio
import getpass
import json
from collections.abc import Sequence

import click

from sre_obs.app.cli.errors import printable
from sre_obs.app.cli.settings import with_settings
from sre_obs.app.settings import Loaded
from sre_obs.model.errors import UsageError


@click.command("alert-test")
@with_settings
@click.option(
    "--match",
    "-m",
    "match",
    multiple=True,
    metavar="LABEL=VALUE",
    help="Give the drill a label, to take a route.",
)
@click.option("--receiver", default="", help="Send straight to this receiver.")
@click.option("--patience", default=20.0, show_default=True, help="Seconds a hop may take.")
@click.option("--output", "-o", type=click.Choice(["text", "json"]), default="text")
def command(
    loaded: Loaded, match: Sequence[str], receiver: str, patience: float, output: str
) -> int:
    """Send a marked drill through document, rule, route and receiver; prove that it came."""
    from sre_obs.app.daemon.log import configure
    from sre_obs.app.usecases.drill import Hop, drill

    configure("text", "error")

    def told(hop: Hop) -> None:
        if output == "text":
            mark = click.style("  ok ", fg="green") if hop.ok else click.style("  FAIL", fg="red")
            click.echo(f"{mark} {hop.name:<9} {printable(hop.detail):<38} {hop.seconds:.2f} s")
            if hop.remedy:
                click.echo(f"  do: {printable(hop.remedy)}")

    hops = asyncio.run(
        drill(
            loaded.settings,
            labels=_labels(match),
            receiver=receiver,
            by=getpass.getuser(),
            patience=patience,
            told=told,
        )
    )
    arrived = bool(hops) and all(hop.ok for hop in hops)
    total = sum(hop.seconds for hop in hops)
    if output == "json":
        click.echo(
            json.dumps(
                {
                    "arrived": arrived,
                    "seconds": round(total, 3),
                    "hops": [
                        {
                            "hop": h.name,
                            "ok": h.ok,
                            "detail": h.detail,
                            "seconds": round(h.seconds, 3),
                            "remedy": h.remedy,
                        }
                        for h in hops
                    ],
                }
            )
        )
    elif arrived:
        click.echo(f"Arrived in {total:.2f} s.")
    else:
        failed = next(i for i, hop in enumerate(hops, 1) if not hop.ok)
        click.echo(f"Stopped at hop {failed} of {len(hops)}.")
    return 0 if arrived else 1


def _labels(pairs: Sequence[str]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name or not value:
            raise UsageError(f"--match {pair}: write LABEL=VALUE", where="--match")
        labels[name] = value.strip('"')
    return labels
