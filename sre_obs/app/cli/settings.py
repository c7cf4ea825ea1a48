"""The flags that set settings, the same for every command that reads them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sre_obs.app.cli.screen import Screen
from sre_obs.app.settings import keys, load
from sre_obs.model.errors import UsageError


def with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--config``, ``--set`` and a flag a key; the command gets `loaded`.

    Secrets have no flag: others can read a command line. Their `..._file` twins do.
    """
    flags = {key.flag[2:].replace("-", "_"): key for key in keys() if not key.secret}

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        given = {key.path: (kwargs.pop(name), key.flag) for name, key in flags.items()}
        given = {path: pair for path, pair in given.items() if pair[0] is not None}
        for text in kwargs.pop("assignments"):
            path, equals, value = text.partition("=")
            if not equals:
                # What stands there may be a secret that lacks its name.
                raise UsageError("write --set KEY=VALUE", where="--set")
            given[path] = (value, f"--set {path}")
        config: Path | None = kwargs.pop("config")
        loaded = load(config, os.environ, given)
        if command.__name__ != "run":  # the daemon logs them
            screen = click.get_current_context().find_object(Screen)
            for warning in loaded.warnings:
                (screen or Screen()).warn(warning)
        return command(*args, loaded=loaded, **kwargs)

    for name, key in reversed(flags.items()):
        wrapped = click.option(
            key.flag, name, help=f"{key.help}.", type=str, metavar="VALUE", hidden="." in key.path
        )(wrapped)
    wrapped = click.option(
        "--set",
        "assignments",
        multiple=True,
        metavar="KEY=VALUE",
        help="Set any key that sre-obs config describe lists.",
    )(wrapped)
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Settings file [sre-obs.yml].",
    )(wrapped)
