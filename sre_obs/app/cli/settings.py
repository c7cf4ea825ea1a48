"""The flags that set settings, the same for every command that reads them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import click

from sre_obs.app.cli.screen import Screen
from sre_obs.app.settings import keys, load
from sre_obs.model.errors import UsageError

Command: TypeAlias = Callable[..., Any]


def with_settings(*shown: str, warn: bool = True) -> Callable[[Command], Command]:
    """Add ``--config``, ``--set`` and a flag a key; the command gets `loaded`.

    `shown` are the keys whose flags its help lists: those that it is likely to be given.
    Secrets have no flag: others can read a command line. Their `..._file` twins do.
    What is odd is printed, unless the command does it itself (`warn`).
    """
    flags = {key.flag[2:].replace("-", "_"): key for key in keys() if not key.secret}

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            given = {key.path: (kwargs.pop(name), key.flag) for name, key in flags.items()}
            given = {path: pair for path, pair in given.items() if pair[0] is not None}
            given |= _assigned(kwargs.pop("assignments"))
            config: Path | None = kwargs.pop("config")
            loaded = load(config, os.environ, given)
            screen = click.get_current_context().find_object(Screen) or Screen()
            for warning in loaded.warnings if warn else ():
                screen.warn(warning)
            return command(*args, loaded=loaded, **kwargs)

        for name, key in reversed(flags.items()):
            wrapped = click.option(
                key.flag,
                name,
                help=f"{key.help[:1].upper()}{key.help[1:]}.",
                type=str,
                metavar="VALUE",
                hidden=key.path not in shown,
            )(wrapped)
        wrapped = click.option(
            "--set",
            "assignments",
            multiple=True,
            metavar="KEY=VALUE",
            help="Any key that sre-obs config describe lists.",
        )(wrapped)
        return click.option(
            "--config",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Settings file [sre-obs.yml].",
        )(wrapped)

    return decorate


def _assigned(texts: Sequence[str]) -> dict[str, tuple[str, str]]:
    given = {}
    for text in texts:
        path, equals, value = text.partition("=")
        if not equals:
            # What stands there may be a secret that lacks its name: it is not repeated.
            raise UsageError("no = in it", where="--set", remedy="write --set KEY=VALUE")
        given[path] = (value, f"--set {path}")
    return given
