"""Files -> a corpus and a request, and the response that Elasticsearch would give."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from sre_obs.model.errors import QueryError, UsageError
from sre_obs.query.search import Corpus, DocumentError, search, types_of

_MOST = 1 << 30  # bytes of a file
INDEX = "documents"  # of documents that name none
_NAME = re.compile(r"(?![-_+])[^\s\\/*?\"<>|,#:A-Z]{1,255}", re.ASCII)
_EPOCH = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_HALF = re.compile(r"\\ud", re.IGNORECASE)
_HIT = frozenset(
    {"_index", "_id", "_source", "_score", "_type", "_version", "_ignored", "sort", "fields"}
)


def answer(documents: Path, mappings: Path, request: Path, now: float) -> dict[str, Any]:
    """The response to the request over the documents.

    `documents` has one JSON object a line: a document, or a hit with `_index`, `_id` and
    `_source`. `mappings` is one mapping for all indices, or one for each by its name.

    Raises UsageError with file:line for what can't be read, UnsupportedError and SourceError
    as `search` does.
    """
    corpus = Corpus()
    places = _load(corpus, documents, _mappings(mappings))
    body = _object(request, _json(request, _text(request)))
    try:
        corpus.verify()
    except DocumentError as error:
        line = places[error.index][error.number]
        raise UsageError(
            f"Elasticsearch refuses this document: {error.reason}",
            where=f"{documents}:{line}",
            remedy="correct the value or the mapping",
        ) from None
    return search(corpus, list(corpus.indices), body, now)


def read_types(path: Path) -> dict[str, str]:
    """Field -> type of a file of mappings. Raises UsageError, UnsupportedError."""
    found: dict[str, str] = {}
    for mapping in _mappings(path).values():
        found.update(types_of(mapping))
    return found


def read_time(text: str) -> float:
    """ISO or epoch seconds -> epoch seconds. Raises UsageError."""
    from sre_obs.query import datemath

    wrong = UsageError(
        f"'{text}' is no time", where="--now", remedy="write 2026-01-15T10:00:00Z or 1768471200"
    )
    if _EPOCH.fullmatch(text) and len(text) != 4:
        found = float(text)
    elif not text[:1].isdigit():
        raise wrong
    else:
        try:
            found = datemath.resolve(text, 0.0) / 1000
        except QueryError:
            raise wrong from None
    if not math.isfinite(found) or abs(found) > 1e11:
        raise wrong
    return found


def _load(
    corpus: Corpus, path: Path, mappings: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[int]]:
    """Fills the corpus; returns the line of each document of each index."""
    sources: dict[str, dict[str, tuple[Any, int]]] = {name: {} for name in mappings if name}
    for number, value in _lines(path):
        index, id_, source = _document(value, f"{path}:{number}")
        if "" not in mappings and index not in mappings:
            known = ", ".join(sorted(mappings))
            raise UsageError(
                f"no mapping for the index {index}",
                where=f"{path}:{number}",
                remedy=f"name one that has a mapping: {known}",
            )
        of_index = sources.setdefault(index, {})
        if id_ is None:
            id_ = str(len(of_index))
            while id_ in of_index:
                id_ += "-"
        of_index.pop(id_, None)  # indexed again: the last one counts
        of_index[id_] = (source, number)
    if not sources:
        sources[INDEX] = {}
    for index, documents in sources.items():
        corpus.create(index, mappings.get(index, mappings.get("", {})))
        corpus.add(index, *(one for one, _ in documents.values()), ids=documents)
    return {name: [line for _, line in docs.values()] for name, docs in sources.items()}


def _document(value: Any, where: str) -> tuple[str, str | None, Any]:
    if not isinstance(value, dict):
        raise UsageError(
            "a document is one JSON object a line", where=where, remedy='write {"field": "value"}'
        )
    if "_source" not in value or not _HIT.issuperset(value):
        return INDEX, None, value
    index, id_, source = value.get("_index", INDEX), value.get("_id"), value["_source"]
    if not isinstance(source, dict):
        raise UsageError("_source is not an object", where=where)
    if not isinstance(index, str) or not (_NAME.fullmatch(index.lstrip("."))):
        raise UsageError("_index is not a name that an index can have", where=where)
    if id_ is not None and not isinstance(id_, str):
        raise UsageError("_id is not a text", where=where)
    return index, id_, source


def _mappings(path: Path) -> dict[str, Mapping[str, Any]]:
    """Mapping by index; "" is the mapping of every index."""
    body = _object(path, _json(path, _text(path)))
    inner = list(body.values())
    named = "properties" not in body and "mappings" not in body
    if named and inner and all(isinstance(v, dict) and "mappings" in v for v in inner):
        return body  # as GET /_mapping answers
    return {"": body}


def _object(path: Path, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError("one JSON object should be here", where=f"{path}:1")
    return value


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            yield number, _json(path, line, number)


def _json(path: Path, text: str, line: int = 1) -> Any:
    try:
        value = json.loads(text, parse_constant=_no_number)
        if _HALF.search(text):
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except UnicodeEncodeError:
        raise UsageError(
            "half a character (a lone surrogate)", where=f"{path}:{line}", remedy="write all of it"
        ) from None
    except json.JSONDecodeError as error:
        raise UsageError(
            f"not JSON: {error.msg}", where=f"{path}:{line + error.lineno - 1}:{error.colno}"
        ) from None
    except RecursionError:
        raise UsageError("JSON nested too deep", where=f"{path}:{line}") from None
    except ValueError as error:
        raise UsageError(f"not JSON: {error}", where=f"{path}:{line}") from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST + 1)
    except OSError as error:
        reason = (error.strerror or "can't be read").lower()
        raise UsageError(reason, where=str(path), remedy="name a file that can be read") from None
    except ValueError:  # a name with a zero byte
        raise UsageError("not a file's name", where=repr(str(path))) from None
    if len(raw) > _MOST:
        raise UsageError("larger than 1 GiB", where=str(path))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UsageError(
            "not UTF-8", where=f"{path}:{line}", remedy="save the file as UTF-8"
        ) from None
