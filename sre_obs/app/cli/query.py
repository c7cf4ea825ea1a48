"""`sre-obs query`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sre_obs.app.cli.errors import problem_json, show_problem
from sre_obs.app.cli.parsing import example, output_options
from sre_obs.app.cli.screen import Screen
from sre_obs.model.errors import QueryError, UsageError

_MOST = 1_000_000  # bytes of a text on stdin


@click.command(
    "query",
    epilog=example(
        "sre-obs query --language kql 'service.name: shop and not event.outcome: success'",
        "sre-obs query --language lucene 'level:(error OR fatal) AND message:/disk.*/'",
        "sre-obs query --language lucene - < query.txt",
    ),
)
@click.argument("text")
@click.option(
    "--language",
    type=click.Choice(["kql", "lucene"]),
    default="kql",
    show_default=True,
    help="What TEXT is written in.",
)
@click.option(
    "--mappings",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Mappings as Elasticsearch has them (JSON), whose types make the DSL more precise.",
)
@output_options
@click.pass_obj
def command(screen: Screen, text: str, language: str, mappings: Path | None) -> int:
    """Print the Elasticsearch DSL of the query TEXT as JSON; with - of the text on stdin.

    A syntax error ends with 2, its place and a caret. Put -- before a TEXT that begins with -.
    """
    from sre_obs.app.usecases.query import compile_text, problem_of

    name = "TEXT"
    if text == "-":
        text, name = _stdin(), "stdin"
    types = None
    if mappings is not None:
        from sre_obs.app.usecases.search import read_types

        types = read_types(mappings)
    try:
        found = compile_text(text, language, types)
    except QueryError as error:
        problem = problem_of(error, text, name)
        if screen.as_json:
            screen.json({"problems": [problem_json(problem)]})
        else:
            show_problem(screen, problem)
        return 2
    screen.json(found)
    return 0


def _stdin() -> str:
    """All of stdin, without the line end that an editor or echo puts there."""
    stream = getattr(sys.stdin, "buffer", None)
    raw = sys.stdin.read(_MOST + 1).encode() if stream is None else stream.read(_MOST + 1)
    if len(raw) > _MOST:
        raise UsageError(f"a query of more than {_MOST} bytes", where="stdin")
    try:
        return raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"byte {error.start} is not UTF-8", where="stdin", remedy="save the text as UTF-8"
        ) from None
