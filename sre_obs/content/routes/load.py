"""A routes file, or its text, -> `Routing` and problems.

No secret leaves this room in a problem: source lines and `Routing.text` have ``<secret>``
where one stands, in a file that YAML can't read as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sre_obs.content import yaml
from sre_obs.content.routes.build import PUBLIC_KEYS, Builder, SlackDefaults, hide_secrets
from sre_obs.content.routes.schema import WORDS, RoutesShape
from sre_obs.content.shape import read_shape
from sre_obs.model.problem import Problem, Severity
from sre_obs.model.routing import Routing

__all__ = ["SlackDefaults", "load_routes", "parse_routes"]

_SUSPECT = re.compile(r"token|secret|pass|cred|url|xox", re.IGNORECASE)
_KEY_AND_VALUE = re.compile(r"(\s*(?:- +)*)([A-Za-z_]\w*)(\s*:\s*)(.*)", re.DOTALL)


def load_routes(
    path: Path,
    *,
    slack: SlackDefaults | None = None,
    read_file: Callable[[Path], str] | None = None,
    name: str = "",
) -> tuple[Routing | None, list[Problem]]:
    """Load a file. None if it has an error; warnings alone don't keep it from being used.

    `slack` is the bot for receivers that name none. `read_file` reads what ``..._file`` keys
    name, paths meant from the routes file's folder; it may raise OSError or ValueError.
    """
    folder = path.parent

    def beside(file: Path) -> str:
        if read_file is None:
            raise OSError(0, "files are not read here")
        return read_file(folder / file)

    return _routing(*yaml.load(path, name=name), slack or SlackDefaults(), beside)


def parse_routes(
    text: str | bytes,
    *,
    slack: SlackDefaults | None = None,
    read_file: Callable[[Path], str] | None = None,
    name: str = "routes.yml",
) -> tuple[Routing | None, list[Problem]]:
    """Load a text."""

    def refused(_: Path) -> str:
        raise OSError(0, "files are not read here")

    document, problems = yaml.parse(text, name)
    return _routing(document, problems, slack or SlackDefaults(), read_file or refused)


def _routing(
    document: yaml.Document,
    problems: list[Problem],
    slack: SlackDefaults,
    read_file: Callable[[Path], str],
) -> tuple[Routing | None, list[Problem]]:
    hide_secrets(document)
    # These were found before it was known where secrets stand.
    problems = [replace(p, source=_masked(p.source)) for p in problems]
    shape, wrong = read_shape(document, RoutesShape, WORDS)
    problems += wrong
    if shape is None:
        return None, problems
    builder = Builder(document, shape, slack, read_file)
    routing = builder.build()
    problems += builder.problems
    broken = any(p.severity is Severity.ERROR for p in problems)
    return (None if broken else routing), sorted(problems, key=lambda p: p.location)


def _masked(line: str) -> str:
    """A line of a file that may not be readable as YAML, without what may be a secret."""
    match = _KEY_AND_VALUE.fullmatch(line)
    if match is None:
        return ""
    start, key, colon, value = match.groups()
    if value and (key not in PUBLIC_KEYS or _SUSPECT.search(value)):
        value = "<secret>"
    return f"{start}{key}{colon}{value}"
