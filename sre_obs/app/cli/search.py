"""`sre-obs search`."""

from __future__ import annotations

from pathlib import Path

import click

from sre_obs.app.cli.errors import show
from sre_obs.app.cli.parsing import example, output_options
from sre_obs.app.cli.screen import Screen
from sre_obs.model.errors import SourceError, UnsupportedError


@click.command(
    "search",
    epilog=example(
        "sre-obs search --documents docs.ndjson --mappings mappings.json \\",
        "    --request request.json --now 2026-01-15T10:00:00Z",
    ),
)
@click.option(
    "--documents",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="NDJSON: one document a line, or {_index, _id, _source}.",
)
@click.option(
    "--mappings",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help='JSON: {"properties": ...}, {"mappings": ...}, or these by index.',
)
@click.option(
    "--request",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="JSON: the body of a _search.",
)
@click.option(
    "--now", required=True, metavar="TIME", help="What now is: ISO 8601, or epoch seconds."
)
@output_options
@click.pass_obj
def command(screen: Screen, documents: Path, mappings: Path, request: Path, now: str) -> int:
    """Print what Elasticsearch would answer to a search over these documents.

    In process, without a server: the engine that rule tests run on. What it does not have is
    named with its place in the request, and ends with 2; a request that Elasticsearch would
    refuse ends with 1.
    """
    from sre_obs.app.usecases.search import answer, read_time

    try:
        screen.json(answer(documents, mappings, request, read_time(now)))
    except UnsupportedError as error:
        show(screen, error)
        return 2
    except SourceError as error:
        if not screen.as_json:
            screen.json({"error": {"reason": error.message}, "status": error.status})
        show(screen, error)
        return 1
    return 0
