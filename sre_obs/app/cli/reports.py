"""`--output FORMAT[:FILE]`, more than once: reports of one run, one of them to stdout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from sre_obs.model.errors import UsageError

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def report_options(*formats: str) -> Callable[[Decorated], Decorated]:
    """Add ``--output``; the command gets `outputs`: format -> file, None for stdout.

    Where every report goes to a file, text goes to stdout.
    """

    def read(context: click.Context, _: click.Parameter, texts: Sequence[str]) -> Any:
        return parse_outputs(texts, formats)

    def decorate(command: Decorated) -> Decorated:
        return click.option(
            "--output",
            "-o",
            "outputs",
            multiple=True,
            callback=read,
            metavar="|".join(formats) + "[:FILE]",
            help="For people or for a program; with :FILE into a file. Again for another.",
        )(command)

    return decorate


def parse_outputs(texts: Sequence[str], formats: Sequence[str]) -> dict[str, Path | None]:
    """``junit:report.xml`` -> {"junit": Path("report.xml")}. Raises UsageError."""
    found: dict[str, Path | None] = {}
    for text in texts:
        name, colon, file = text.partition(":")
        if name not in formats:
            raise UsageError(
                f"no such format: {name}", where="--output", remedy=f"one of: {', '.join(formats)}"
            )
        if colon and not file:
            raise UsageError("a file is missing", where="--output", remedy=f"write {name}:FILE")
        if name in found:
            raise UsageError(f"{name} twice", where="--output", remedy="keep one of them")
        found[name] = Path(file) if file else None
    here = [name for name, path in found.items() if path is None]
    if len(here) > 1:
        raise UsageError(
            f"{' and '.join(here)} can't share one output",
            where="--output",
            remedy=f"write {here[-1]}:FILE",
        )
    return found if here else {"text": None, **found}


def write_report(path: Path, text: str) -> None:
    """A report into its file. Raises UsageError where that can't be."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"can't write the report: {error.strerror or type(error).__name__}",
            where=str(path),
            remedy="check folder and rights",
        ) from None
