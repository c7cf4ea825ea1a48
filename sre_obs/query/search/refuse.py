"""The two ways a request ends without an answer.

What we do not have is *unsupported*: raised, never guessed. What Elasticsearch itself
answers with HTTP 400 is the request's own fault, and raised as the server's error is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sre_obs.model.errors import Blame, SourceError, UnsupportedError


class DocumentError(SourceError):
    """Elasticsearch would refuse to index document `number` of `index`, for `reason`."""

    def __init__(self, index: str, number: int, reason: str) -> None:
        super().__init__(
            f"Elasticsearch refuses document {number} of {index}: {reason}",
            Blame.REQUEST,
            status=400,
            where=index,
        )
        self.index = index
        self.number = number
        self.reason = reason


def unsupported(construct: str, where: str) -> UnsupportedError:
    """`construct` is not in the in-process search; `where` is its path in the body."""
    return UnsupportedError(
        construct,
        where=where,
        remedy="run it against Elasticsearch, or write it with what the in-process search has",
    )


def wrong(message: str, where: str) -> SourceError:
    """Elasticsearch answers this request with 400."""
    return SourceError(message, Blame.REQUEST, status=400, where=where)


def only(body: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    """Raises for the first option of `body` that is not known, and for a boost that is no
    number: all queries have one."""
    for key, value in body.items():
        if key not in known:
            raise unsupported(f"option '{key}'", f"{where}.{key}")
        if key == "boost":
            _check_boost(value, f"{where}.boost")


def _check_boost(value: Any, where: str) -> None:
    try:
        if isinstance(value, (int, float, str)) and not isinstance(value, bool):
            if float(value) < 0:
                raise wrong("a boost below zero", where)
            return
    except (ValueError, OverflowError):
        pass
    raise wrong("a boost is a number", where)


def flag(value: Any, where: str) -> bool:
    """`value` if it is true or false, as JSON or as a text."""
    if isinstance(value, bool) or (isinstance(value, str) and value in ("true", "false")):
        return value is True or value == "true"
    raise wrong("true or false should be here", where)


def scalar(value: Any, where: str) -> Any:
    """`value` if it is one value: a text, a number, true or false."""
    if value is None or isinstance(value, (list, dict)):
        raise wrong(f"one value should be here, not {_kind(value)}", where)
    return value


def mapping(value: Any, where: str) -> Mapping[str, Any]:
    """`value` if it is a JSON object."""
    # Nearly all are dicts, and asking an abstract class takes as long as a small search.
    if type(value) is not dict and not isinstance(value, Mapping):
        raise wrong(f"an object should be here, not {_kind(value)}", where)
    return value


def whole(value: Any, where: str) -> int:
    """`value` as a whole number; a text of digits is one, too."""
    try:
        if isinstance(value, (int, float, str)) and not isinstance(value, bool):
            return int(value)
    except (ValueError, OverflowError):
        pass
    raise wrong("a whole number should be here", where)


def texts(value: Any, where: str) -> list[str]:
    """`value` if it is a list of texts."""
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) for one in value):
        raise wrong("a list of texts should be here", where)
    return list(value)


def single(value: Any, where: str) -> tuple[str, Any]:
    """The one key of an object and its value."""
    found = mapping(value, where)
    if len(found) != 1:
        names = ", ".join(sorted(found)) or "none"
        raise wrong(f"exactly one name should be here, found {names}", where)
    return next(iter(found.items()))


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "a list"
    return "null" if value is None else f"a {type(value).__name__}"
