"""The command line: parses, calls one use case, renders, exits.

Each command is a module, imported when it is called: `--help` costs little more than the
interpreter. Results go to stdout; progress, prompts, logs and `next:` to stderr. Exit
codes: 0 fine or nothing to change, 1 could not do it, 2 done with changes or findings.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import click

# command -> (module, one line for --help). Kept here so that help imports no command.
COMMANDS = {
    "demo": ("demo", "Watch an incident from document to Slack, on this computer alone."),
    "run": ("run", "Run the daemon: evaluate rules, route alerts, deliver."),
    "alert-test": ("alert_test", "Send a marked drill through the whole path; prove it came."),
    "silence": ("silence", "Add, query and expire silences of a running daemon."),
    "routes": ("routes", "Show the routes, and who would be told of an alert."),
    "config": ("config", "Show each setting with where its value comes from."),
}


class _Commands(click.Group):
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


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the stack of an error.")
@click.version_option(package_name="sre-obs", prog_name="sre-obs")
def root(debug: bool) -> None:
    """Alerting for the Elastic stack's free licence: rules as code, delivered once."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of `sre-obs`: runs, maps errors to words and an exit code, exits."""
    args = list(sys.argv[1:] if arguments is None else arguments)
    from sre_obs.model.errors import SreObsError

    try:
        code = root.main(args=args, prog_name="sre-obs", standalone_mode=False)
    except click.ClickException as error:
        # click's own 2 means findings here: a usage error is a 1.
        error.show()
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(130)
    except SreObsError as error:
        if "--debug" in args:
            raise
        from sre_obs.app.cli.errors import show

        show(error, as_json="json" in _output(args))
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader went away (`| head`): nothing to say, and nobody to say it to.
        sys.stderr.close()
        sys.exit(141)
    sys.exit(code if isinstance(code, int) else 0)


def _output(args: Sequence[str]) -> str:
    for place, arg in enumerate(args):
        if arg in ("--output", "-o") and place + 1 < len(args):
            return args[place + 1]
        if arg.startswith("--output="):
            return arg.partition("=")[2]
    return "text"
