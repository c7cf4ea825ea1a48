"""`sre-obs check`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sre_obs.app.cli.parsing import colour_option, example
from sre_obs.app.cli.reports import report_options, write_report
from sre_obs.app.cli.screen import Screen
from sre_obs.model.errors import UsageError

if TYPE_CHECKING:
    from sre_obs.app.usecases.check.run import Report
    from sre_obs.evaluate.ports import Source

FINDINGS = 2
# Seconds until a person wants to know what is going on, and between two signs of it.
_PATIENCE, _BEAT = 0.3, 0.1


@click.command(
    "check",
    epilog=example(
        "sre-obs check rules",
        "sre-obs check rules --output text --output sarif:check.sarif",
        "sre-obs check --explain rules/raw-counter",
    ),
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--explain", default="", metavar="SLUG", help="Print what a finding means.")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings file: which indices rules may read, on which sources.",
)
@click.option(
    "--source",
    "source_name",
    default="",
    metavar="NAME",
    help="Ask this source of the settings which fields it has.",
)
@click.option("--no-cache", is_flag=True, help="Check everything anew.")
@report_options("text", "json", "junit", "sarif", "github")
@colour_option
@click.pass_obj
def command(
    screen: Screen,
    paths: Sequence[Path],
    explain: str,
    config: Path | None,
    source_name: str,
    no_cache: bool,
    outputs: Mapping[str, Path | None],
) -> int:
    """Find what is wrong with rules, routes, silences, overrides and tests.

    PATH is a folder, or one file, anywhere. Nothing is run, and no cluster asked unless
    --source names one. Exit code 2: something was found.
    """
    if explain:
        from sre_obs.app.usecases.check.pages import page

        screen.out(page(explain).rstrip("\n"))
        return 0
    if not paths:
        raise UsageError(
            "missing: PATH...", where="sre-obs check", remedy="write sre-obs check rules"
        )
    from sre_obs.adapters.clock import SystemClock
    from sre_obs.app.usecases.check.cache import Cache, cache_folder
    from sre_obs.app.usecases.check.run import check

    timer = SystemClock().timer
    began = timer()
    folder = None if no_cache else cache_folder(os.environ)
    progress = _Progress(screen, timer)
    try:
        report = check(
            paths,
            cache=Cache(folder) if folder is not None else None,
            tell=progress.tell,
            **_of_settings(config, source_name),
        )
    finally:
        progress.end()
    _tell(screen, report, outputs, timer() - began)
    return FINDINGS if report.findings else 0


def _of_settings(config: Path | None, name: str) -> dict[str, Any]:
    """What the settings say of indices and sources; nothing where they are not asked for."""
    if config is None and not name:
        return {}
    from sre_obs.app.settings import load
    from sre_obs.app.usecases.load import allowed, no_source

    settings = load(config, os.environ, {}).settings
    found: dict[str, Any] = {"allow": allowed(settings)}
    if name:
        from sre_obs.app.wiring import make_sources

        sources: Mapping[str, Source] = make_sources(settings)
        if name not in sources:
            raise no_source(settings, name, "--source")
        found["source"] = sources[name]
    return found


def _tell(
    screen: Screen, report: Report, outputs: Mapping[str, Path | None], seconds: float
) -> None:
    from sre_obs.app.cli import findings

    writers: Mapping[str, Callable[[int | None], str]] = {
        "text": lambda width: findings.as_text(report, seconds, width),
        "json": lambda _: findings.as_json(report),
        "junit": lambda _: findings.as_junit(report, seconds),
        "sarif": lambda _: findings.as_sarif(report),
        "github": lambda _: findings.as_github(report),
    }
    for name, path in outputs.items():
        if path is not None:
            write_report(path, click.unstyle(writers[name](None)))
        elif name == "text":
            screen.out(writers[name](screen.width).rstrip("\n"))
        else:
            click.echo(writers[name](None), nl=False, color=False)


class _Progress:
    """How far it is, in a terminal, once it takes longer than a moment."""

    def __init__(self, screen: Screen, timer: Callable[[], float]) -> None:
        self._terminal = screen.err_width is not None and not screen.as_json
        self._timer = timer
        self._next = timer() + _PATIENCE
        self._shown = False

    def tell(self, done: int, files: int) -> None:
        """One more file is done."""
        if not self._terminal or self._timer() < self._next:
            return
        self._next = self._timer() + _BEAT
        self._shown = True
        click.echo(f"\rchecking: {done} of {files} files", err=True, nl=False)

    def end(self) -> None:
        """Leave nothing of it."""
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)
