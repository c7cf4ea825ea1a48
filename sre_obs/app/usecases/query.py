"""A query's text -> the DSL that Elasticsearch is asked with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sre_obs.model.errors import QueryError
from sre_obs.model.problem import Location, Problem, Severity

LANGUAGES = ("kql", "lucene")


def compile_text(text: str, language: str, types: Mapping[str, str] | None = None) -> Any:
    """The DSL of a query in kql or lucene. `types` (field -> type) make it more precise.

    Raises QueryError with the position.
    """
    if language == "kql":
        from sre_obs.query.kql import compile_kql
        from sre_obs.query.kql import parse as parse_kql

        return compile_kql(parse_kql(text), types)
    from sre_obs.query.lucene import compile_lucene
    from sre_obs.query.lucene import parse as parse_lucene

    return compile_lucene(parse_lucene(text), types)


def problem_of(error: QueryError, text: str, name: str) -> Problem:
    """The error as a problem of the text, which is called `name`: line, column, caret."""
    at = min(error.offset, len(text))
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    source = text[start : end if end >= 0 else len(text)]
    line = text.count("\n", 0, at) + 1
    length = max(min(error.length, len(source) - (at - start)), 1)
    location = Location(name, line, at - start + 1, length)
    return Problem(
        error.slug, Severity.ERROR, location, error.message, remedy=error.remedy, source=source
    )
