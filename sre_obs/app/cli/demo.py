"""`sre-obs demo`."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

import click

from sre_obs.app.cli.errors import printable
from sre_obs.app.cli.parsing import example, output_options
from sre_obs.app.cli.screen import Screen, counted
from sre_obs.model.errors import UsageError

_WORDS = {"FIRING": "red", "RESOLVED": "green", "DELIVERED": "cyan", "WAITS": "yellow"}


@click.command(
    "demo",
    epilog=example("sre-obs demo", "sre-obs demo --exit-after 20s --output json"),
)
@click.option("--exit-after", default="", metavar="DURATION", help="End by itself, as in 20s.")
@click.option("--speed", default=15.0, show_default=True, help="How much faster than life.")
@click.option("--listen", default="", metavar="ADDRESS", help="Of the page [127.0.0.1:9093].")
@output_options
@click.pass_obj
def command(screen: Screen, exit_after: str, speed: float, listen: str) -> None:
    """Watch recorded incidents go from documents to Slack; needs nothing else."""
    from sre_obs.app.daemon.log import configure
    from sre_obs.app.demo.demo import Voice, demo
    from sre_obs.content.duration import parse_duration

    if not 0 < speed <= 1000:
        raise UsageError("a speed is above 0 and at most 1000", where="--speed")
    try:
        seconds = parse_duration(exit_after) if exit_after else None
    except ValueError as error:
        raise UsageError(str(error), where="--exit-after") from None
    configure("text", "error", screen.err_colour)

    def event(line: str) -> None:
        text = printable(line)
        for word, colour in _WORDS.items():
            text = text.replace(f" {word} ", f" {click.style(word, fg=colour)} ", 1)
        (screen.err if screen.as_json else screen.out)(text)

    voice = Voice(head=lambda line: screen.err(printable(line)), event=event)
    summary, lasted = asyncio.run(demo(speed=speed, exit_after=seconds, listen=listen, voice=voice))
    if screen.as_json:
        screen.json(asdict(summary))
        return
    screen.out(
        f"Ended after {lasted:.0f} s: {counted(summary.documents, 'document')}, "
        f"{counted(summary.rules, 'rule')}, "
        f"{summary.fired} fired, {summary.resolved} resolved, {summary.delivered} delivered."
    )
    screen.err("next: sre-obs run --rules bundled --routes routes.yml, see the README")
