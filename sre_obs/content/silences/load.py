"""A silences file -> silences, and what is wrong with it."""

from __future__ import annotations

from sre_obs.content.shape import error_free, find, read_shape
from sre_obs.content.silences.schema import WORDS, SilencesShape
from sre_obs.content.yaml import Document, Map
from sre_obs.model.errors import QueryError
from sre_obs.model.matcher import Matcher
from sre_obs.model.problem import Problem, Severity
from sre_obs.model.silence import Silence
from sre_obs.query.matchers import compile_matchers, parse_matchers


def read_silences(
    document: Document, problems: list[Problem]
) -> tuple[tuple[Silence, ...], list[Problem]]:
    """The silences of a text that was read, and all that is wrong."""
    shape, wrong = read_shape(document, SilencesShape, WORDS)
    problems = problems + wrong
    if shape is None or not isinstance(document.root, Map):
        return (), problems
    found = []
    for i, silence in enumerate(shape.silences):
        matchers, wrong = _matchers(document, i, silence.matchers)
        if silence.ends <= silence.starts:
            place = document.place(find(document.root, ("silences", i, "ends")))
            message = "it ends before it starts"
            wrong.append(document.problem("silences/times", place, message, "mend one of them"))
        problems += wrong
        if error_free(wrong):
            found.append(
                Silence(
                    id=f"{document.file}#{i}",
                    matchers=matchers,
                    starts_at=silence.starts,
                    ends_at=silence.ends,
                    created_by=silence.created_by,
                    comment=silence.comment,
                    updated_at=silence.starts,
                )
            )
    return tuple(found), problems


def _matchers(
    document: Document, number: int, texts: list[str]
) -> tuple[tuple[Matcher, ...], list[Problem]]:
    assert document.root is not None
    found: list[Matcher] = []
    problems: list[Problem] = []
    for i, text in enumerate(texts):
        node = find(document.root, ("silences", number, "matchers", i))
        try:
            found += parse_matchers(text)
        except QueryError as error:
            place = document.place(node, error.offset, error.length)
            problems.append(
                document.problem("silences/matcher-syntax", place, error.message, error.remedy)
            )
    if not problems and compile_matchers(found)({}):
        place = document.place(find(document.root, ("silences", number, "matchers")))
        message = "it silences every alert, also those that have none of these labels"
        remedy = 'name a value: alertname="pg-silent"'
        problems.append(
            document.problem("silences/everything", place, message, remedy, Severity.ERROR)
        )
    return tuple(found), problems
