"""The command line: parses, calls one use case, renders, exits.

Each command is a module, imported when it is called: `--help` costs little more than the
interpreter. Results go to stdout; progress, prompts, logs and `next:` to stderr. Exit
codes: 0 fine or nothing to change, 1 could not do it, 2 done with changes or findings.

    parsing     groups, examples and options that every command shares
    screen      text or JSON, colour, width
    errors      how an error and a problem are printed
    settings    the flags that set settings
    demo, run, init, test, rules, alert_test, silence, routes, query, search, config
                one command each
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import cast

import click

from sre_obs.app.cli.parsing import HELP, Group, example
from sre_obs.app.cli.screen import Screen

# command -> (module, one line for --help). Kept here so that help imports no command.
COMMANDS = {
    "demo": ("demo", "Watch an incident from document to Slack, on this computer alone."),
    "run": ("run", "Run the daemon: evaluate rules, route alerts, deliver."),
    "init": ("init", "Begin a repository of rules: three with tests, routes, overrides, CI."),
    "check": ("check", "Find what is wrong with rules, routes, silences, overrides and tests."),
    "test": ("test", "Run the tests of rules: every case, through the daemon's own evaluation."),
    "rules": ("rules", "List the rules; show each value of one with where it comes from."),
    "alert-test": ("alert_test", "Send a marked drill through the whole path; prove it came."),
    "silence": ("silence", "Add, query and expire silences of a running daemon."),
    "routes": ("routes", "Show the routes, and who would be told of an alert."),
    "query": ("query", "Print the Elasticsearch DSL of a query in KQL or Lucene's syntax."),
    "search": ("search", "Answer a search over documents as Elasticsearch would, without one."),
    "config": ("config", "Show each setting with where its value comes from."),
}

# As a shell says it of a process that a signal ended.
INTERRUPTED = 130
NO_READER = 141

# What a shell sets to ask for completions, by click's rule for the name.
_COMPLETE = "_SRE_OBS_COMPLETE"


class _Commands(Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"sre_obs.app.cli.{COMMANDS[cmd_name][0]}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=_Commands,
    context_settings=HELP,
    epilog=example("sre-obs demo", "sre-obs run --rules bundled --routes routes.yml"),
)
@click.option("--debug", is_flag=True, help="Show the stack of an error.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    expose_value=False,
    help="Colour the words; auto asks NO_COLOR, FORCE_COLOR and the terminal.",
)
@click.version_option(package_name="sre-obs", prog_name="sre-obs", message="%(prog)s %(version)s")
def root(debug: bool) -> None:
    """Alerting for the Elastic stack's free licence: rules as code, delivered once."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of `sre-obs`: runs, maps errors to words and an exit code, exits."""
    args = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character gets its escape, not a crash.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    screen = Screen.of(args, os.environ)
    if instruction := os.environ.get(_COMPLETE):
        from click.shell_completion import shell_complete

        sys.exit(shell_complete(root, {}, "sre-obs", _COMPLETE, instruction))
    try:
        code = _run(args, screen)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader went away (`| head`): nothing to say, and nobody to say it to.
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(AttributeError, OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        code = NO_READER
    sys.exit(code)


def _run(args: list[str], screen: Screen) -> int:
    from sre_obs.model.errors import SreObsError

    try:
        # Not `root.main`: it would answer a broken pipe and Ctrl-C in its own way.
        with root.make_context("sre-obs", args, obj=screen) as context:
            code = root.invoke(context)
    except BrokenPipeError:
        raise
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        screen.err("stopped")
        return INTERRUPTED
    except click.ClickException as error:
        # click's own 2 means findings here: a usage error is a 1.
        from sre_obs.app.cli.errors import from_click, show

        show(screen, from_click(error, _called(args)))
        return 1
    except Exception as error:
        if screen.debug:
            raise
        from sre_obs.app.cli.errors import show, unexpected

        known = error if isinstance(error, SreObsError) else unexpected(error)
        show(screen, known)
        return known.exit_code
    return code if isinstance(code, int) else 0


def _called(args: Sequence[str]) -> str:
    """The command that was meant, as far as the arguments name one."""
    path, command = ["sre-obs"], cast(click.Group, root)
    for name in args:
        known = command.get_command(click.Context(command), name)
        if known is None:
            break
        path.append(name)
        if not isinstance(known, click.Group):
            break
        command = known
    return " ".join(path)
