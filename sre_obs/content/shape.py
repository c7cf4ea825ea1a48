"""The door: a tree of `content.yaml` -> a pydantic model, or problems with places.

Schemas are written with the leaf types below. They read scalars as written, so that
``1.10`` stays a label's text and ``on`` is no boolean, and they say what is wrong in our
words: pydantic's own never reach a user, and no message repeats a value that may be secret.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from sre_obs.content.duration import format_duration, parse_duration, parse_window
from sre_obs.content.mistakes import shown
from sre_obs.content.yaml import Document, Map, Node, Scalar, Seq
from sre_obs.model.problem import Problem, Severity
from sre_obs.model.secret import Secret

Model = TypeVar("Model", bound="Shape")

# Problems of one file: who has so many looks at the first ones first.
_MOST = 100
# Kinds of pydantic's errors: a value that is none of those there are.
_CHOICES = ("enum", "literal_error")

_NUMBER = re.compile(r"[-+]?(?:\d{1,30}(?:\.\d{1,30})?|\.\d{1,30})(?:[eE][-+]?\d{1,2})?", re.ASCII)


class Shape(BaseModel):
    """A mapping of the file; unknown keys are refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )


def wrong(message: str, remedy: str = "") -> PydanticCustomError:
    """What a leaf raises: shown as it is."""
    # The template braces of pydantic's messages must not meet a user's text.
    return PydanticCustomError("shape", "{message}", {"message": message, "remedy": remedy})


def text_of(node: Any) -> str:
    """A scalar's text as written."""
    if not isinstance(node, Scalar):
        raise wrong(f"must be a text, not {_kind(node)}")
    if node.empty:
        raise wrong("is empty", 'give it a value, or write ""')
    return node.text


def _flag(node: Any) -> bool:
    text = text_of(node)
    if text.lower() not in ("true", "false") or node.style:
        raise wrong("must be true or false")
    return text.lower() == "true"


def _number(node: Any) -> float:
    text = text_of(node)
    number = number_in(text)
    if number is None:
        raise wrong(f"must be a number, not {shown(text)}", "write it in digits: 10 or 0.5")
    return number


def number_in(text: str) -> float | None:
    """The number that a text is, or None."""
    return float(text) if _NUMBER.fullmatch(text) else None


def _whole(node: Any) -> int:
    value = _number(node)
    if value != int(value):
        raise wrong("must be a whole number")
    return int(value)


def _duration(node: Any) -> float:
    return _worded(parse_duration, text_of(node))


def _window(node: Any) -> float:
    return _worded(parse_window, text_of(node))


def _worded(parse: Callable[[str], float], text: str) -> float:
    try:
        return parse(text)
    except ValueError as error:
        message, colon, remedy = str(error).partition(": ")
        raise wrong(message if colon else str(error), remedy) from None


def _texts(node: Any) -> list[Any]:
    if isinstance(node, Scalar):
        raise wrong("must be a list", "write [ ... ], or a line that begins with - for each")
    if not isinstance(node, Seq):
        raise wrong(f"must be a list, not {_kind(node)}")
    return node


def _one_or_many(node: Any) -> list[Any]:
    return [node] if isinstance(node, Scalar) else _texts(node)


def _mapping(node: Any) -> dict[str, Any]:
    if not isinstance(node, Map):
        raise wrong(f"must be name: value pairs, not {_kind(node)}")
    return node


def check_link(text: str) -> str | None:
    """Why a text is no http(s) address that a person or a client can be sent to, or None."""
    if any(c.isspace() or not c.isprintable() for c in text):
        return "an address has no white space"
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return "not an address"
    if parts.scheme not in ("http", "https"):
        return "an address begins with http:// or https://"
    return None if parts.hostname else "an address needs a host"


def _link(node: Any) -> str:
    text = text_of(node)
    reason = check_link(text)
    if reason is not None:
        raise wrong(reason)
    return text


def _secret_link(node: Any) -> Secret:
    return Secret(_link(node))


def _secret(node: Any) -> Secret:
    return Secret(text_of(node))


_TIMES = r"(?=\d)(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?"
# What an editor is told of a scalar: `port: 80` is the text 80 here, and 0 a duration.
_AnyScalar = Annotated[str, WithJsonSchema({"type": ["string", "number", "boolean"]})]
_ADuration = Annotated[
    str, WithJsonSchema({"type": ["string", "number"], "pattern": f"^(0|{_TIMES})$", "maximum": 0})
]
_AWindow = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^now-(0|{_TIMES})$"})]
_ALink = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^https?://"})]

Text = Annotated[str, BeforeValidator(text_of, json_schema_input_type=_AnyScalar)]
Flag = Annotated[bool, BeforeValidator(_flag, json_schema_input_type=bool)]
Number = Annotated[float, BeforeValidator(_number, json_schema_input_type=float)]
Whole = Annotated[int, BeforeValidator(_whole, json_schema_input_type=int)]
Duration = Annotated[float, BeforeValidator(_duration, json_schema_input_type=_ADuration)]
Window = Annotated[float, BeforeValidator(_window, json_schema_input_type=_AWindow)]
Link = Annotated[str, BeforeValidator(_link, json_schema_input_type=_ALink)]
SecretText = Annotated[Secret, BeforeValidator(_secret, json_schema_input_type=str)]
SecretLink = Annotated[Secret, BeforeValidator(_secret_link, json_schema_input_type=str)]
Texts = Annotated[list[Text], BeforeValidator(_texts)]
OneOrMany = Annotated[
    list[Text], BeforeValidator(_one_or_many, json_schema_input_type=str | list[str])
]
TextMap = Annotated[dict[str, Text], BeforeValidator(_mapping)]

Item = TypeVar("Item")
Many = Annotated[list[Item], BeforeValidator(_texts)]
Named = Annotated[dict[str, Item], BeforeValidator(_mapping)]


class Words:
    """What a schema's problems are called, and the remedies that only its room knows.

    `instead` maps a key that people write to what they should write; `values` the same of the
    values of keys that have a choice; `later` are keys that another tool has and we don't yet.
    """

    def __init__(
        self,
        room: str,
        *,
        instead: Mapping[str, str] = {},
        values: Mapping[str, Mapping[str, str]] = {},
        later: frozenset[str] = frozenset(),
    ) -> None:
        self.room = room
        self.instead = instead
        self.values = values
        self.later = later


def read_shape(
    document: Document, model: type[Model], words: Words, node: Node | None = None
) -> tuple[Model | None, list[Problem]]:
    """The document's tree (or `node` of it) as `model`, or None and why not."""
    root = document.root if node is None else node
    if root is None:
        return None, []
    if not isinstance(root, Map):
        return None, [
            document.problem(
                f"{words.room}/wrong-value",
                document.place(root),
                f"the file is {_kind(root)}, not name: value pairs",
            )
        ]
    try:
        return model.model_validate(root), []
    except ValidationError as error:
        found = [_problem(document, model, words, root, e) for e in error.errors()[:_MOST]]
        return None, sorted(found, key=lambda p: p.location)


def find(root: Node, path: tuple[int | str, ...]) -> Node:
    """The node at a path, or the last that exists on the way."""
    node = root
    for step in path:
        below: Node | None = None
        if isinstance(node, Map) and isinstance(step, str):
            below = node.get(step)
        elif isinstance(node, Seq) and isinstance(step, int) and step < len(node):
            below = node[step]
        if below is None:
            break
        node = below
    return node


def _problem(
    document: Document, model: type[Shape], words: Words, root: Node, error: Any
) -> Problem:
    path: tuple[int | str, ...] = error["loc"]
    kind: str = error["type"]
    room = words.room
    name = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        parent = find(root, path[:-1])
        assert isinstance(parent, Map)
        place = document.key(parent, name)
        if parent.keys_at[name] in document.hidden:  # a secret that stands where a key should
            return document.problem(f"{room}/unknown-key", place, "no such key", "name: value")
        if name in words.later:
            message, slug = f"{shown(name)} is not supported yet", f"{room}/unsupported-key"
            return document.problem(slug, place, message, "remove it")
        names = _names(model, path[:-1])
        message = f"no such key: {shown(name)}"
        remedy = words.instead.get(name) or _nearest(name, names)
        return document.problem(f"{room}/unknown-key", place, message, remedy)
    if kind == "missing":
        parent = find(root, path[:-1])
        place = _begin(document, parent, path[:-1], root)
        return document.problem(f"{room}/missing-key", place, f'"{name}" is missing', "add it")
    node = find(root, path)
    key = next((str(step) for step in reversed(path) if isinstance(step, str)), "")
    message, remedy = _words(kind, error.get("ctx", {}), node)
    if kind in _CHOICES and isinstance(node, Scalar):
        remedy = words.values.get(key, {}).get(node.text.lower(), remedy)
    if key:
        message = f'"{key}"{message if message.startswith(":") else " " + message}'
    return document.problem(f"{room}/wrong-value", document.place(node), message, remedy)


def _begin(document: Document, parent: Node, path: tuple[int | str, ...], root: Node) -> Any:
    """Where to say that something is missing: at the key of the block, or its first key."""
    if path and isinstance(path[-1], str):
        above = find(root, path[:-1])
        if isinstance(above, Map) and path[-1] in above.keys_at:
            return document.key(above, path[-1])
    return document.location(parent.start)


def _words(kind: str, context: Mapping[str, Any], node: Node) -> tuple[str, str]:
    if kind == "shape":
        message = str(context["message"])
        if not message.startswith(("must ", "is ")):
            message = f": {message}"
        return message, str(context["remedy"])
    if kind in _CHOICES:
        choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        text = node.text if isinstance(node, Scalar) else ""
        near = get_close_matches(text, choices, n=1)
        remedy = f"write {near[0]}" if near else "one of: " + ", ".join(choices)
        return f"can't be {shown(text)}", remedy
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return f"must be name: value pairs, not {_kind(node)}", ""
    if kind in ("too_long", "too_short"):
        bound = context.get("max_length", context.get("min_length"))
        return f"has {'over' if kind == 'too_long' else 'fewer than'} {bound} entries", ""
    if kind == "string_too_long":
        return f"is longer than {context.get('max_length')} characters", "shorten it"
    bounds = {"greater_than_equal": "ge", "greater_than": "gt", "less_than_equal": "le"}
    if kind in bounds:
        word = {"ge": "at least", "gt": "more than", "le": "at most"}[bounds[kind]]
        bound = context[bounds[kind]]
        number = isinstance(node, Scalar) and _NUMBER.fullmatch(node.text)
        return f"must be {word} {f'{bound:g}' if number else format_duration(bound)}", ""
    return "has a wrong value", ""


def _nearest(name: str, names: list[str]) -> str:
    near = get_close_matches(name.lower().replace("-", "_"), names, n=1, cutoff=0.6)
    return f"write {near[0]}" if near else "one of: " + ", ".join(names)


def _names(model: type[Shape], path: tuple[int | str, ...]) -> list[str]:
    """The keys that a model has at a path."""
    kind: Any = model
    for step in path:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            fields = {f.alias or n: f for n, f in kind.model_fields.items()}
            kind = fields[str(step)].annotation
        else:
            kind = typing.get_args(kind)[-1]
        while typing.get_origin(kind) is Annotated or type(None) in typing.get_args(kind):
            kind = next(a for a in typing.get_args(kind) if a is not type(None))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [f.alias or n for n, f in kind.model_fields.items()]
    return []


def _kind(node: Any) -> str:
    if isinstance(node, Map):
        return "name: value pairs"
    return "a list" if isinstance(node, Seq) else "a text"


def error_free(problems: list[Problem]) -> bool:
    """Whether none of them keeps the file from being used."""
    return all(p.severity is not Severity.ERROR for p in problems)
