"""`sre-obs run`."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from sre_obs.app.cli.errors import body, printable, problem_json
from sre_obs.app.cli.parsing import example, output_options
from sre_obs.app.cli.screen import Screen, counted
from sre_obs.app.cli.settings import with_settings
from sre_obs.app.settings import Loaded
from sre_obs.model.errors import SreObsError

if TYPE_CHECKING:
    from sre_obs.app.usecases.once import Round

_COLOURS = {"misconfigured": "red", "not run": "red", "stale": "yellow", "firing": "red"}


@click.command(
    "run",
    epilog=example(
        "sre-obs run --config sre-obs.yml",
        "sre-obs run --routes routes.yml --data state --listen 127.0.0.1:9093",
        "sre-obs run --rules rules --once --dry-run",
    ),
)
@with_settings(
    *("data", "rules", "overrides", "environment", "routes"),
    *("listen", "probe_listen", "external_url"),
    *("allowed_hosts", "token_file", "retention", "sources.default.hosts", "slack.token_file"),
    warn=False,
)
@click.option("--once", is_flag=True, help="Run each rule once, deliver what falls due, exit.")
@click.option("--dry-run", is_flag=True, help="Print instead of sending; keep no state.")
@click.option("--print-role", is_flag=True, help="Print the least Elasticsearch role; exit.")
@output_options
@click.pass_obj
def command(screen: Screen, loaded: Loaded, once: bool, dry_run: bool, print_role: bool) -> int:
    """Run the daemon until SIGTERM; SIGHUP reloads rules and routes."""
    if print_role:
        from sre_obs.app.usecases.role import roles

        for warning in loaded.warnings:
            screen.warn(warning)
        found = roles(loaded.settings)
        # One cluster is the common case and looks like one: a body to send as it is.
        screen.json(found if len(found) > 1 else next(iter(found.values())))
        return 0
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
    return 0 if done is None else _told(screen, done)


def _told(screen: Screen, done: Round) -> int:
    """Print what a round came to; the exit code."""
    error = None
    if done.unread:
        error = SreObsError(
            f"not every rule could be searched for: {'; '.join(done.unread)}", remedy=done.remedy
        )
    if screen.as_json:
        document: dict[str, Any] = {
            "rules": done.rules,
            "firing": done.firing,
            "waiting": done.waiting,
            "outcomes": [asdict(ran) for ran in done.ran],
            "left_out": [problem_json(problem) for problem in done.left_out],
        }
        screen.json(document if error is None else {**document, "error": body(error)})
        return 1 if error else 2 * done.findings
    width = max((len(ran.rule) for ran in done.ran), default=0)
    for ran in done.ran:
        outcome = click.style(f"{ran.outcome:<13}", fg=_COLOURS.get(ran.outcome, "green"))
        facts = [counted(ran.firing, "alert")] if ran.firing else []
        facts += [f"{ran.pending} pending"] if ran.pending else []
        facts += [ran.state] if ran.state != "live" else []
        facts += [ran.error] if ran.error else []
        line = f"{ran.rule:<{width}}  {', '.join(facts)}"
        screen.out(f"{outcome} {printable(line)}".rstrip())
        if ran.remedy:
            screen.out(f"  do: {printable(ran.remedy)}")
    for problem in done.left_out:
        words = click.style(f"{'left out':<13}", fg="red")
        screen.out(f"{words} {printable(f'{problem.location}: {problem.message}')}")
        if problem.remedy:
            screen.out(f"  do: {printable(problem.remedy)}")
    screen.out(
        f"Ran {counted(done.rules, 'rule')}: {counted(done.firing, 'alert')} firing, "
        f"{counted(done.waiting, 'message')} waiting."
    )
    if error is not None:
        raise error
    return 2 * done.findings
