"""How the answer is printed: text or JSON, with colour or without, how wide.

Results go to stdout, everything else to stderr. In a pipe there is no colour and nothing is
wrapped or cut. Colour only ever falls on words that say the same without it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

import click

# A terminal's width as it is used: lines longer than that are hard to read.
NARROWEST, WIDEST = 60, 100


@dataclass(frozen=True, slots=True)
class Screen:
    """What the arguments, the environment and the two streams say of printing."""

    as_json: bool = False
    debug: bool = False
    colour: bool = False  # of stdout
    err_colour: bool = False  # of stderr
    err_width: int | None = None  # columns of the terminal that stderr is, None for a pipe
    width: int | None = None  # the same of stdout

    @classmethod
    def of(cls, arguments: Sequence[str], environ: Mapping[str, str]) -> Screen:
        """Read from the raw arguments, since those that are wrong must be told of as well."""
        when = _value(arguments, ("--color",)) or "auto"
        return cls(
            as_json=_value(arguments, ("--output", "-o")) == "json",
            debug="--debug" in arguments,
            colour=coloured(when, environ, _is_terminal(sys.stdout)),
            err_colour=coloured(when, environ, _is_terminal(sys.stderr)),
            err_width=_width(sys.stderr),
            width=_width(sys.stdout),
        )

    def out(self, text: str) -> None:
        """A line of the result."""
        click.echo(text, color=self.colour)

    def err(self, text: str) -> None:
        """A line of anything else: progress, warnings, what to do next."""
        click.echo(text, err=True, color=self.err_colour)

    def json(self, value: Any) -> None:
        """The result as the one document."""
        click.echo(json.dumps(value, indent=2, ensure_ascii=False), color=False)

    def warn(self, text: str) -> None:
        """Something that is probably not as meant; the work goes on."""
        self.err(f"{click.style('warning', fg='yellow')}: {text}")


def coloured(when: str, environ: Mapping[str, str], terminal: bool) -> bool:
    """Whether to colour: ``--color`` > NO_COLOR > FORCE_COLOR, CLICOLOR_FORCE > terminal."""
    if when in ("always", "never"):
        return when == "always"
    if environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return terminal and environ.get("TERM") != "dumb"


def _value(arguments: Sequence[str], names: tuple[str, ...]) -> str:
    """The last value given to an option: ``--output json``, ``--output=json``, ``-ojson``."""
    found = ""
    for place, argument in enumerate(arguments):
        if argument == "--":
            break
        for name in names:
            if argument == name:
                found = arguments[place + 1] if place + 1 < len(arguments) else found
            elif name.startswith("--") and argument.startswith(name + "="):
                found = argument.partition("=")[2]
            elif not name.startswith("--") and argument.startswith(name):
                found = argument.removeprefix(name)
    return found


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 alert, 2 alerts."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _width(stream: TextIO | None) -> int | None:
    if stream is None or not _is_terminal(stream):
        return None
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return min(max(columns or 80, NARROWEST), WIDEST)
