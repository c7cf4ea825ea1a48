"""What is wrong with a value, said of the file, the variable or the flag that it came from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import IntEnum
from typing import Any, TypeAlias

from pydantic import ValidationError

from sre_obs.app.settings.key import keys
from sre_obs.model.errors import ContentError, SreObsError, UsageError
from sre_obs.model.problem import Location, Problem, Severity


class Layer(IntEnum):
    """Where a value came from; the later wins."""

    FILE = 1
    ENVIRONMENT = 2
    FLAG = 3


@dataclass(frozen=True, slots=True)
class Value:
    """A setting as written: a text or a list of them, and where it stands."""

    value: Any
    origin: str
    layer: Layer
    at: Location | None = None  # in the file
    line: str = ""  # its source line, empty if that may hold a secret


Values: TypeAlias = dict[str, Value]  # by path

_UNKNOWN = "no such setting"


def explain(error: ValidationError, values: Values) -> SreObsError:
    """All that pydantic found wrong: with the file a ContentError, else a UsageError."""
    wrong = []
    for each in error.errors():
        path = ".".join(str(part) for part in each["loc"])
        found = next((v for p, v in values.items() if p == path), None) or next(
            (v for p, v in values.items() if p.startswith(path + ".") or path.startswith(p + ".")),
            Value(None, path, Layer.FLAG),
        )
        wrong.append((found, path, *_words(each, path, values)))
    return refused(wrong)


def refused(wrong: list[tuple[Value, str, str, str]]) -> SreObsError:
    """An error about values: (value, path, what is wrong with it, what to do)."""
    problems = []
    for value, path, message, remedy in wrong:
        if value.at is None:
            return UsageError(message, where=value.origin or path, remedy=remedy)
        slug = "settings/unknown-key" if message == _UNKNOWN else "settings/wrong-value"
        text = f"{path}: {message}"
        problems.append(Problem(slug, Severity.ERROR, value.at, text, remedy, value.line))
    return ContentError(sorted(problems, key=lambda problem: problem.location))


def _words(error: Any, path: str, values: Values) -> tuple[str, str]:
    """pydantic's findings in our words, which never repeat a value that may be secret."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        known = [key.path for key in keys(source_names(values))]
        near = get_close_matches(path, known, n=1)
        listed = "sre-obs config describe lists all keys"
        return _UNKNOWN, f"write {near[0]}" if near else listed
    if kind == "value_error":
        message = str(context.get("error", "wrong"))
        what, colon, remedy = message.partition(": ")
        return (what, remedy) if colon else (message, "")
    if kind == "literal_error":
        choices = str(context.get("expected", "")).replace("'", "")
        return "no such choice", f"one of: {choices}"
    if kind.startswith("bool"):
        return "must be true or false", "write true or false"
    if kind.startswith("int"):
        return "must be a whole number", "write it in digits"
    if kind in ("greater_than", "greater_than_equal"):
        return "must be more than 0", "write a larger one"
    if kind.startswith("tuple"):
        return "must be a list", "write [a, b], or a line that begins with - for each"
    if kind.startswith(("model", "mapping", "dict")):
        return "must be name: value pairs", "indent them below it"
    return "must be a text", "write one value"


def source_names(paths: Iterable[str]) -> set[str]:
    """The sources that are named in these paths, and `default`."""
    parts = (path.split(".") for path in paths)
    return {p[1] for p in parts if p[0] == "sources" and len(p) > 1} | {"default"}
