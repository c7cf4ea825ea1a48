"""The telemetry contract: which streams there are, and what is known of their fields.

What rules may count on without asking a cluster: names, types, which fields only ever
grow, in which unit they are, how often a stream is collected. Index names are patterns on
both sides: a rule's ``metrics-kubernetes.*`` may mean many streams, and the contract's
``metrics-kubernetes.pod-*`` means a pod stream of any namespace.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sre_obs.model.fields import FieldTypes


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a stream.

    `counter`: it only grows, until it starts anew; a single value of it says nothing.
    `unit` is "" where none is known; ``fraction`` is 0 to 1, ``percent`` 0 to 100.
    `values` are all that it can hold, () where that is not known. `many`: a document may
    hold several. `unbounded`: its values never end (ids, texts), so there is no entity in it.
    """

    type: str
    counter: bool = False
    unit: str = ""
    values: tuple[str, ...] = ()
    many: bool = False
    unbounded: bool = False


@dataclass(frozen=True, slots=True)
class Stream:
    """The streams of a `pattern`. `period` is the seconds between two documents of the same
    thing, where `sampled`; events come when they come, and have none. An `open` stream may
    have fields that are not listed."""

    pattern: str
    fields: Mapping[str, Field]  # names may hold ``*``: kubernetes.labels.*
    period: float = 0.0
    sampled: bool = False
    open: bool = False

    def field(self, name: str) -> Field | None:
        """What is known of a field, also by a name with ``*`` of the contract."""
        found = self.fields.get(name)
        if found is None:
            for pattern, known in self.fields.items():
                if "*" in pattern and covers(pattern, name):
                    return known
        return found


@dataclass(frozen=True, slots=True)
class Contract:
    """All streams that are known. `exact`: it has every field of each, as a cluster has."""

    streams: tuple[Stream, ...] = ()
    exact: bool = False
    # What was looked up before: a folder of rules asks the same few things over and over.
    _found: dict[str, tuple[Stream, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _fields: dict[tuple[tuple[str, ...], str], tuple[Field, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _types: dict[tuple[str, ...], FieldTypes] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def streams_of(self, index: str) -> tuple[Stream, ...]:
        """The streams that an index pattern can mean; () for what is not in the contract."""
        found = self._found.get(index)
        if found is None:
            name = index.rpartition(":")[2]
            found = tuple(s for s in self.streams if overlap(s.pattern, name))
            self._found[index] = found
        return found

    def fields(self, indices: tuple[str, ...], name: str) -> tuple[Field, ...]:
        """What each of the streams that these patterns can mean says of a field, each saying
        once; `name` may hold ``*``."""
        key = (indices, name)
        found = self._fields.get(key)
        if found is None:
            found = tuple(dict.fromkeys(self._said(indices, name)))
            self._fields[key] = found
        return found

    def _said(self, indices: tuple[str, ...], name: str) -> Iterator[Field]:
        for stream in self._each(indices):
            if "*" in name:
                yield from (f for known, f in stream.fields.items() if overlap(known, name))
            elif (known_field := stream.field(name)) is not None:
                yield known_field

    def types_of(self, *indices: str) -> FieldTypes:
        """Field -> type over all streams that these patterns can mean. Names with ``*`` are
        left out, since a mapping has none; what two streams type differently is what the
        more exact pattern says."""
        found = self._types.get(indices)
        if found is None:
            streams = sorted(self._each(indices), key=lambda s: len(s.pattern))
            found = {
                name: known.type
                for stream in streams
                for name, known in stream.fields.items()
                if "*" not in name
            }
            self._types[indices] = found
        return found

    def _each(self, indices: Iterable[str]) -> Iterator[Stream]:
        seen: set[str] = set()
        for index in indices:
            for stream in self.streams_of(index):
                if stream.pattern not in seen:
                    seen.add(stream.pattern)
                    yield stream


def covers(pattern: str, name: str) -> bool:
    """Whether all that `name` (itself perhaps a pattern) can mean is met by `pattern`."""
    if "*" not in pattern:
        return pattern == name
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name, re.DOTALL) is not None


def overlap(one: str, other: str) -> bool:
    """Whether there is a name that both patterns match."""
    if "*" not in one or "*" not in other:
        return covers(one, other) or covers(other, one)
    # The literal ends must agree; what lies between stars can always be made to.
    first, last = one.split("*")[0], one.split("*")[-1]
    their_first, their_last = other.split("*")[0], other.split("*")[-1]
    heads = first.startswith(their_first) or their_first.startswith(first)
    tails = last.endswith(their_last) or their_last.endswith(last)
    return heads and tails
