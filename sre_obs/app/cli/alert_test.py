"""`sre-obs alert-test`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

import click

from sre_obs.app.cli.errors import printable
from sre_obs.app.cli.parsing import example, output_options
from sre_obs.app.cli.screen import Screen
from sre_obs.app.cli.settings import with_settings
from sre_obs.app.cli.silence import login
from sre_obs.app.settings import Loaded
from sre_obs.model.errors import UsageError

_NO_ROUTES = "no routes file: the drill went to the built-in terminal"
_NO_ROUTES_REMEDY = "give --routes FILE, as sre-obs run has it"


@click.command(
    "alert-test",
    epilog=example(
        "sre-obs alert-test --match team=payments",
        "sre-obs alert-test --receiver pay-slack",
        "sre-obs alert-test --rule pg-deadlocks --rules bundled",
    ),
)
@with_settings(
    "routes", "rules", "overrides", "environment", "sources.default.hosts", "slack.token_file"
)
@click.option(
    "--match",
    "-m",
    "match",
    multiple=True,
    metavar="LABEL=VALUE",
    help="Give the drill a label, to take a route.",
)
@click.option("--receiver", default="", metavar="NAME", help="Send straight to this receiver.")
@click.option(
    "--rule",
    default="",
    metavar="SLUG",
    help="Send the alert that this rule makes of its own test.",
)
@click.option("--source", default="default", metavar="NAME", help="Start in this cluster.")
@click.option("--index", default="", help="Of the document [logs-sre_obs.drill-default].")
@click.option(
    "--patience",
    default="20s",
    show_default=True,
    metavar="DURATION",
    help="A hop may take so long.",
)
@output_options
@click.pass_obj
def command(
    screen: Screen,
    loaded: Loaded,
    match: Sequence[str],
    receiver: str,
    rule: str,
    source: str,
    index: str,
    patience: str,
) -> int:
    """Send a marked drill through document, rule, route and receiver; prove that it came."""
    from sre_obs.app.daemon.log import configure
    from sre_obs.app.usecases.drill import INDEX, Hop, Order, drill
    from sre_obs.content.duration import parse_duration

    try:
        seconds = parse_duration(patience)
    except ValueError as error:
        raise UsageError(str(error), where="--patience") from None
    # What a hop has to say it says itself.
    configure("text", "error", screen.err_colour)

    def told(hop: Hop) -> None:
        if screen.as_json:
            return
        detail = printable(hop.detail)
        if hop.ok:
            mark = click.style("ok  ", fg="green")
            screen.out(f"  {mark} {hop.name:<9} {detail:<38} {hop.seconds:>5.2f} s")
        else:
            screen.out(f"  {click.style('FAIL', fg='red')} {hop.name:<9} {detail}")
        if hop.remedy:
            screen.out(f"  do: {printable(hop.remedy)}")

    order = Order(
        labels=_labels(match),
        by=login(),
        receiver=receiver,
        rule=rule,
        source=source,
        index=index or INDEX,
        patience=seconds,
    )
    # The built-in terminal is there for whoever types, and for nobody who is to be woken.
    proof = loaded.settings.routes is not None
    walk = asyncio.run(drill(loaded.settings, order, terminal=sys.stderr, told=told))
    warnings = [walk.warning] if walk.warning else []
    warnings += [] if proof else [f"{_NO_ROUTES}: {_NO_ROUTES_REMEDY}"]
    failed = next((place for place, hop in enumerate(walk.hops, 1) if not hop.ok), 0)
    if screen.as_json:
        hops = [
            {
                "hop": hop.name,
                "ok": hop.ok,
                "detail": hop.detail,
                "seconds": round(hop.seconds, 3),
                "remedy": hop.remedy,
            }
            for hop in walk.hops
        ]
        screen.json(
            {
                "arrived": not failed and proof,
                "seconds": round(walk.seconds, 3),
                "hops": hops,
                "warning": "; ".join(warnings),
            }
        )
    elif failed:
        screen.out(f"Stopped at hop {failed} of {max(walk.planned, failed)}.")
    elif not proof:
        screen.out(f"Printed here in {walk.seconds:.2f} s: no proof that anybody is told.")
        screen.warn(_NO_ROUTES)
        screen.err(f"  do: {_NO_ROUTES_REMEDY}")
    else:
        screen.out(f"Arrived in {walk.seconds:.2f} s.")
    if walk.warning and not screen.as_json:
        screen.warn(walk.warning)
    return 1 if failed else 0


def _labels(pairs: Sequence[str]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name or not value:
            raise UsageError(f"{pair} is no label", where="--match", remedy="write LABEL=VALUE")
        labels[name] = value.strip('"')
    return labels
