"""The flags that set settings, the same for every command that reads them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sre_obs.app.settings import environment, keys, load
from sre_obs.model.errors import UsageError


def with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--config``, ``--set`` and a flag a key; the command gets `loaded`.

    Secrets have no flag: others can read a command line. Their `..._file` twins do.
    """
    flags = {key.flag[2:].replace("-", "_"): key for key in keys() if not key.secret}

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        given = {key.path: kwargs.pop(name) for name, key in flags.items()}
        given = {path: value for path, value in given.items() if value is not None}
        for text in kwargs.pop("assignments"):
            path, equals, value = text.partition("=")
            if not equals:
                raise UsageError(f"--set {text}: write --set KEY=VALUE", where="--set")
            given[path] = value
        config: Path | None = kwargs.pop("config")
        return command(*args, loaded=load(config, environment(), given), **kwargs)

    for name, key in reversed(flags.items()):
        wrapped = click.option(
            key.flag, name, help=key.description, type=str, hidden="." in key.path
        )(wrapped)
    wrapped = click.option(
        "--set",
        "assignments",
        multiple=True,
        metavar="KEY=VALUE",
        help="Set any key, for example sources.logs.hosts=https://es:9200.",
    )(wrapped)
    return click.option(
        "--config", type=click.Path(path_type=Path), help="Settings file [sre-obs.yml]."
    )(wrapped)
