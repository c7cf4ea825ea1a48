"""Packs -> one contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sre_obs.content import yaml
from sre_obs.content.mistakes import shown
from sre_obs.content.shape import error_free, find, read_shape
from sre_obs.content.telemetry.schema import WORDS, FieldShape, PackShape
from sre_obs.content.yaml import Document, Map
from sre_obs.model.problem import Problem
from sre_obs.model.telemetry import Contract, Field, Stream

FOLDER = "telemetry"
# Its fields are in every stream of every pack.
COMMON = "common"

_TIME = {"@timestamp": Field("date")}
_NUMBERS = frozenset(
    (
        *("long", "integer", "short", "byte", "unsigned_long"),
        *("double", "float", "half_float", "scaled_float", "histogram", "aggregate_metric_double"),
    )
)


@dataclass(frozen=True, slots=True)
class Pack:
    """One file as read: its `streams` hold their own fields alone."""

    name: str
    common: Mapping[str, Field]
    streams: tuple[Stream, ...]


def load_contract(folders: Iterable[Path]) -> tuple[Contract, list[Problem]]:
    """All packs of these folders, the later ones adding to those before.

    A pack with an error is left out and said. A folder that is not there holds none.
    """
    packs: list[Pack] = []
    problems: list[Problem] = []
    for folder in folders:
        for path in pack_files(folder):
            pack, wrong = load_pack(path)
            problems += wrong
            if pack is not None:
                packs.append(pack)
    return contract_of(packs), problems


def pack_files(folder: Path) -> list[Path]:
    """The packs of a folder, in order of their names."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return []
    return [
        path
        for path in entries
        if path.suffix in (".yml", ".yaml") and not path.name.startswith(".")
    ]


def load_pack(path: Path, *, name: str = "") -> tuple[Pack | None, list[Problem]]:
    """One file; None where it has an error."""
    return _read(*yaml.load(path, name=name))


def parse_pack(text: str | bytes, file: str = "pack.yml") -> tuple[Pack | None, list[Problem]]:
    """One text."""
    return _read(*yaml.parse(text, file))


def contract_of(packs: Iterable[Pack]) -> Contract:
    """One contract of packs: those of one name are one, and so are streams of one pattern."""
    everywhere: dict[str, Field] = dict(_TIME)
    common: dict[str, dict[str, Field]] = {}
    home: dict[str, str] = {}  # stream's pattern -> pack
    streams: dict[str, Stream] = {}
    for pack in packs:
        (everywhere if pack.name == COMMON else common.setdefault(pack.name, {})).update(
            pack.common
        )
        for stream in pack.streams:
            before = streams.get(stream.pattern)
            home.setdefault(stream.pattern, pack.name)
            if before is not None:
                stream = Stream(
                    stream.pattern,
                    {**before.fields, **stream.fields},
                    stream.period or before.period,
                    stream.sampled or before.sampled,
                    stream.open or before.open,
                )
            streams[stream.pattern] = stream
    return Contract(
        tuple(
            Stream(
                pattern,
                {**everywhere, **common.get(home[pattern], {}), **stream.fields},
                stream.period,
                stream.sampled,
                stream.open,
            )
            for pattern, stream in streams.items()
        )
    )


def _read(document: Document, problems: list[Problem]) -> tuple[Pack | None, list[Problem]]:
    shape, wrong = read_shape(document, PackShape, WORDS)
    problems = problems + wrong
    if shape is None or not isinstance(document.root, Map):
        return None, problems
    problems += _counters(document, document.root, ("common",), shape.common)
    for pattern, stream in shape.streams.items():
        place = ("streams", pattern, "fields")
        problems += _counters(document, document.root, place, stream.fields)
    if not error_free(problems):
        return None, problems
    streams = tuple(
        Stream(
            pattern,
            {name: _field(field) for name, field in stream.fields.items()},
            stream.period or 0.0,
            stream.sampled,
            stream.open,
        )
        for pattern, stream in shape.streams.items()
    )
    common = {name: _field(field) for name, field in shape.common.items()}
    return Pack(shape.pack, common, streams), problems


def _field(shape: FieldShape) -> Field:
    return Field(
        shape.type,
        shape.counter,
        shape.unit or "",
        tuple(shape.values),
        shape.many,
        shape.cardinality is not None,
    )


def _counters(
    document: Document, root: Map, path: tuple[str, ...], fields: Mapping[str, FieldShape]
) -> list[Problem]:
    """A counter, or a unit, of what is no number."""
    found = []
    for name, field in fields.items():
        if (field.counter or field.unit) and field.type not in _NUMBERS:
            what = "a counter" if field.counter else "a unit"
            message = f"{shown(name)} has {what}, and is of type {field.type}"
            block = find(root, path)
            assert isinstance(block, Map)
            place = document.key(block, name)
            found.append(document.problem("telemetry/wrong-value", place, message, "a number"))
    return found
