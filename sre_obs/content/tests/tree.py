"""Pieces of a test file's tree: copied, never changed in place, with their places."""

from __future__ import annotations

from collections.abc import Container

from sre_obs.content.yaml import Map, Node, Scalar
from sre_obs.model.problem import Location

# Where a block's facts stand: each has a value in one of them.
FACTS = ("series", "fields", "dates")


class Filled(Scalar):
    """A scalar whose text holds parameters: its characters are not those of the file."""

    __slots__ = ()


class Wrong(Exception):
    """A case can't be derived; becomes a problem of the file."""

    def __init__(self, slug: str, place: Location, message: str, remedy: str) -> None:
        super().__init__(message)
        self.slug = slug
        self.place = place
        self.message = message
        self.remedy = remedy


def flat(fields: Map) -> Map:
    """The same fields by dotted names: ``{a: {b: 1}}`` is ``{a.b: 1}``."""
    found = Map(fields.start, fields.end)
    _flatten(fields, "", found)
    return found


def _flatten(fields: Map, prefix: str, found: Map) -> None:
    for name, node in fields.items():
        if isinstance(node, Map) and node:
            _flatten(node, f"{prefix}{name}.", found)
        else:
            put(found, prefix + name, node, fields.keys_at[name])


def joined(first: Map, second: Map) -> Map:
    """Both; what they share is the second's."""
    both = Map(first.start, first.end)
    for part in (first, second):
        for name, node in part.items():
            put(both, name, node, part.keys_at[name])
    return both


def without(found: Map, names: Container[str]) -> Map:
    """A copy that lacks these."""
    left = Map(found.start, found.end)
    for name, node in found.items():
        if name not in names:
            put(left, name, node, found.keys_at[name])
    return left


def put(found: Map, name: str, node: Node, span: tuple[int, int]) -> None:
    """Set a key; `span` is where it stands."""
    found[name] = node
    found.keys_at[name] = span


def text_of(node: Node | None) -> str:
    """A scalar's text; nothing for anything else."""
    return node.text if isinstance(node, Scalar) else ""


def normal(block: Map) -> Map:
    """A block whose facts have dotted names."""
    copy = Map(block.start, block.end)
    for key, node in block.items():
        if key in ("fields", "series") and isinstance(node, Map):
            node = flat(node)
        put(copy, key, node, block.keys_at[key])
    return copy
