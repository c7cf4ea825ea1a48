"""`sre-obs init`."""

from __future__ import annotations

from pathlib import Path

import click

from sre_obs.app.cli.errors import printable
from sre_obs.app.cli.parsing import example, output_options
from sre_obs.app.cli.screen import Screen, counted


@click.command("init", epilog=example("sre-obs init my-rules"))
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@output_options
@click.pass_obj
def command(screen: Screen, folder: Path) -> None:
    """Begin a repository of rules in DIR: three rules with tests, routes, overrides, CI.

    Nothing is overwritten.
    """
    from sre_obs.app.usecases.init import begin

    begun = begin(folder)
    if screen.as_json:
        screen.json({"folder": str(folder), "written": begun.written, "kept": begun.kept})
        return
    for path in begun.written:
        screen.out(f"  + {path}")
    for path in begun.kept:
        screen.out(f"  = {path}  is there, kept")
    name = printable(str(folder))
    screen.out(f"{counted(len(begun.written), 'file')} written to {name}")
    screen.err(f"next: cd {name} && sre-obs check . && sre-obs test .")
