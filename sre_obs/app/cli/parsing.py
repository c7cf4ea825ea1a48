"""What every command shares: groups that help, examples, how to print."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, TypeVar

import click

from sre_obs.app.cli.errors import NoSuchCommand

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

HELP = {"help_option_names": ["-h", "--help"]}


class Group(click.Group):
    """A group that shows its help when it is called alone, and knows what is near a typo."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Help instead of an error when there is nothing to parse."""
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help(), color=False)
            ctx.exit()
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command called so. Raises NoSuchCommand with the nearest names."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            raise NoSuchCommand(name, get_close_matches(name, self.list_commands(ctx)), ctx)
        return super().resolve_command(ctx, args)


def example(*lines: str) -> str:
    """The end of a command's help."""
    return "\n".join(("\b", "Example:", *(f"  {line}" for line in lines)))


def colour_option(command: Decorated) -> Decorated:
    """Add ``--color``; `Screen` has read it already."""
    return click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        expose_value=False,
        help="Colour the words; auto asks NO_COLOR, FORCE_COLOR and the terminal.",
    )(command)


def output_options(command: Decorated) -> Decorated:
    """Add ``--output`` and ``--color``; `Screen` has read them already."""
    command = colour_option(command)
    return click.option(
        "--output",
        "-o",
        type=click.Choice(["text", "json"]),
        default="text",
        expose_value=False,
        help="For people, or one JSON document.",
    )(command)
