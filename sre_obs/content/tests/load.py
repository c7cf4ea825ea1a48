"""A test file -> `Suite`, and what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sre_obs.content import yaml
from sre_obs.content.mistakes import shown
from sre_obs.content.shape import error_free, read_shape
from sre_obs.content.tests.derive import Derived, derive
from sre_obs.content.tests.schema import (
    MOST_DOCUMENTS,
    WORDS,
    BlockShape,
    CaseShape,
    DateShape,
    ExpectShape,
    SuiteShape,
)
from sre_obs.content.tests.series import MISSING, SeriesError, parse_series
from sre_obs.content.tests.suite import (
    Block,
    Case,
    Change,
    Date,
    Expected,
    Recorded,
    Stand,
    Suite,
)
from sre_obs.content.tests.tree import Filled, flat
from sre_obs.content.yaml import Document, Map, Node, Scalar, Seq, plain
from sre_obs.model.problem import Location, Problem

SUFFIXES = (".test.yml", ".test.yaml")


def is_test(path: Path) -> bool:
    """Whether a file is one by its name."""
    return path.name.endswith(SUFFIXES)


def rule_of(path: Path) -> Path:
    """The rule file that a test file is about: of the same name, beside it."""
    suffix = next(s for s in SUFFIXES if path.name.endswith(s))
    stem = path.name.removesuffix(suffix)
    for end in (".yml", ".yaml"):
        if (rule := path.with_name(stem + end)).is_file():
            return rule
    return path.with_name(stem + ".yml")


def load_suite(
    path: Path, *, name: str = "", recordings: Path | None = None
) -> tuple[Suite | None, list[Problem]]:
    """Read a test file. A case that is wrong is left out and said; None where none is left.

    `recordings` is a folder where NDJSON files are looked for that are not beside the test:
    in its folder of the same name as the test's (the service), then in itself.
    """
    document, problems = yaml.load(path, name=name)
    suite, wrong = _read(document, path, recordings)
    return suite, problems + wrong


def parse_suite(text: str | bytes, path: Path) -> tuple[Suite | None, list[Problem]]:
    """A test file's text as if it were in the file `path`."""
    document, problems = yaml.parse(text, str(path))
    suite, wrong = _read(document, path, None)
    return suite, problems + wrong


def _read(
    document: Document, path: Path, recordings: Path | None
) -> tuple[Suite | None, list[Problem]]:
    shape, problems = read_shape(document, SuiteShape, WORDS)
    if shape is None or not isinstance(document.root, Map):
        return None, problems
    written = document.root["cases"]
    assert isinstance(written, Seq)
    derived, wrong = derive(document, document.root.get("documents"), written)
    problems += wrong
    beside = path.absolute().parent
    folders = [beside]
    if recordings is not None:
        folders += [recordings / beside.name, recordings]
    cases = []
    for one in derived:
        built, wrong = _Reader(document, one, folders).case()
        problems += [p for p in wrong if p not in problems]
        if built is not None:
            cases.append(built)
    if not cases:
        return None, problems
    suite = Suite(
        file=document.file,
        rule=rule_of(path),
        start=shape.start,
        cases=tuple(cases),
        document=document,
        overrides=document.root.get("overrides"),
    )
    return suite, problems


class _Reader:
    """One derived case; `problems` collects."""

    def __init__(self, document: Document, derived: Derived, folders: list[Path]) -> None:
        self._document = document
        self._derived = derived
        self._folders = folders
        self._problems: list[Problem] = []

    def case(self) -> tuple[Case | None, list[Problem]]:
        """The case, or None and why not."""
        tree = self._derived.tree
        shape, wrong = read_shape(self._document, CaseShape, WORDS, tree)
        if shape is None:
            return None, wrong
        blocks = tree["documents"]
        assert isinstance(blocks, Seq)
        documents = [
            self._block(block, node)
            for block, node in zip(shape.documents, blocks, strict=True)
            if isinstance(node, Map)
        ]
        if sum(b.count for b in documents if isinstance(b, Block)) > MOST_DOCUMENTS:
            place = self._document.place(blocks)
            self._add("tests/too-many", place, f"over {MOST_DOCUMENTS:,} documents", "write fewer")
        expected = self._expected(shape, tree["expect"])
        stands = [
            Stand(self._document.place(node), one.at, one.is_)
            for one, node in zip(shape.outcome, _listed(tree.get("outcome")), strict=True)
        ]
        if not error_free(self._problems):
            return None, self._problems
        case = Case(
            name=shape.name,
            location=self._derived.place,
            documents=tuple(documents),
            expected=tuple(expected),
            stands=tuple(stands),
            until=shape.until,
        )
        return case, self._problems

    def _block(self, shape: BlockShape, node: Map) -> Block | Recorded:
        place = self._document.location(node.start)
        if shape.file:
            return self._recorded(shape, node, place)
        if not shape.index:
            self._add("tests/missing-key", place, '"index" is missing', "add it")
        fields = self._fields(node.get("fields"))
        series = self._all_series(node.get("series"))
        dates = {name: self._date(date, name, node) for name, date in shape.dates.items()}
        self._clashes(node)
        return Block(
            index=shape.index,
            location=place,
            first=shape.from_,
            every=shape.every,
            count=self._count(shape, node, series),
            fields=fields,
            series=series,
            dates=dates,
            node=node,
        )

    def _count(self, shape: BlockShape, node: Map, series: Mapping[str, tuple[Any, ...]]) -> int:
        if shape.count is not None:
            if shape.to is not None:
                message = '"count" and "to" say the same'
                self._add("tests/wrong-value", self._document.key(node, "to"), message, "keep one")
            return shape.count
        if shape.to is not None:
            count = math.ceil(round((shape.to - shape.from_) / shape.every, 9))
            if not 0 <= count <= MOST_DOCUMENTS:
                why = "is before from" if count < 0 else f"gives over {MOST_DOCUMENTS:,} documents"
                place = self._document.place(node["to"])
                self._add("tests/wrong-value", place, f'"to" {why}', "check it, from and every")
                return 1
            return count
        return max((len(samples) for samples in series.values()), default=1)

    def _recorded(self, shape: BlockShape, node: Map, place: Location) -> Recorded:
        for key in ("every", "from", "to", "count", "fields", "series", "dates"):
            if key in node:
                message = f"{shown(key)} does not go with file: its documents are as recorded"
                where = self._document.key(node, key)
                self._add("tests/wrong-value", where, message, "remove one")
        found: Path | None = None
        if Path(shape.file).is_absolute() or ".." in Path(shape.file).parts:
            where = self._document.place(node["file"])
            message = "a recording lies beside its test or below"
            self._add("tests/wrong-value", where, message, "write its name")
        else:
            candidates = [folder / shape.file for folder in self._folders]
            why = "no such file"
            try:
                found = next((path for path in candidates if path.is_file()), None)
            except OSError as error:  # a name that no file can have, a folder that is closed
                why = error.strerror or type(error).__name__
            if found is None:
                where = self._document.place(node["file"])
                message = f"{why}: {shown(shape.file)}"
                self._add("tests/no-recording", where, message, "put it beside the test")
        first = shape.shift.first if shape.shift is not None else None
        return Recorded(found or Path(shape.file), place, shape.index, first, node)

    def _fields(self, node: Node | None) -> dict[str, Any]:
        if node is None:
            return {}
        if not isinstance(node, Map):
            self._no_map(node, "fields")
            return {}
        return {name: plain(value) for name, value in flat(node).items()}

    def _all_series(self, node: Node | None) -> dict[str, tuple[Any, ...]]:
        if node is None:
            return {}
        if not isinstance(node, Map):
            self._no_map(node, "series")
            return {}
        return {name: self._series(value) for name, value in flat(node).items()}

    def _series(self, node: Node) -> tuple[Any, ...]:
        if isinstance(node, Seq) and node:
            values = [plain(item) for item in node]
            return tuple(MISSING if v is None or v == "_" else v for v in values)
        if not isinstance(node, Scalar):
            message = "a series is a text such as 0+10x100, or a list of values"
            self._add("tests/series-syntax", self._document.place(node), message, "write one")
            return (MISSING,)
        try:
            return parse_series(node.text)
        except SeriesError as error:
            place = self._document.place(node)
            if not isinstance(node, Filled) and node.text:
                place = self._document.place(node, error.offset, error.length)
            self._add("tests/series-syntax", place, error.message, error.remedy)
            return (MISSING,)

    def _date(self, shape: DateShape, name: str, block: Map) -> Date:
        dates = block["dates"]
        assert isinstance(dates, Map)
        if (shape.at is None) == (shape.ago is None):
            message = f"{shown(name)} needs one of at (from 0s) and ago (before the document)"
            place = self._document.place(dates[name])
            self._add("tests/wrong-value", place, message, "write {at: -16m} or {ago: 5m}")
        ago = shape.ago is not None
        seconds = shape.ago if shape.ago is not None else shape.at
        return Date(seconds or 0.0, ago, shape.as_)

    def _clashes(self, block: Map) -> None:
        """A fact that is given twice, or that is both a value and an object."""
        seen: dict[str, str] = {}
        for kind in ("fields", "series", "dates"):
            facts = block.get(kind)
            if not isinstance(facts, Map):
                continue
            for name in facts if kind == "dates" else flat(facts):
                if name in seen or name == "@timestamp":
                    what = f"also in {seen[name]}" if name in seen else "made from every"
                    place = self._place_of(facts, name)
                    self._add("tests/duplicate", place, f"{shown(name)} is {what}", "remove one")
                seen[name] = kind
        for name in seen:
            parts = name.split(".")
            for end in range(1, len(parts)):
                above = ".".join(parts[:end])
                if above in seen:
                    facts = block[seen[above]]
                    assert isinstance(facts, Map)
                    message = f"{shown(above)} has a value, and {shown(name)} is below it"
                    self._add("tests/wrong-value", self._place_of(facts, above), message, "rename")

    def _place_of(self, facts: Map, name: str) -> Location:
        known = flat(facts) if name not in facts.keys_at else facts
        if name in known.keys_at:
            return self._document.key(known, name)
        return self._document.place(facts)

    def _expected(self, shape: CaseShape, node: Node) -> list[Expected]:
        nodes = _listed(node)
        found = []
        for one, item in zip(shape.expect, nodes, strict=True):
            place = self._document.location(item.start)
            if one.resolves is not None and one.resolves < one.fires:
                message = '"resolves" is before "fires"'
                self._add("tests/wrong-value", place, message, "times count from 0s")
            if one.ended is not None and one.resolves is None:
                message = '"ended" is of an alert that resolves'
                self._add("tests/wrong-value", place, message, "add resolves")
            found.append(_expectation(one, place, item))
        return found

    def _no_map(self, node: Node, what: str) -> None:
        message = f'"{what}" must be name: value pairs'
        self._add("tests/wrong-value", self._document.place(node), message, "write field: value")

    def _add(self, slug: str, place: Location, message: str, remedy: str) -> None:
        self._problems.append(self._document.problem(slug, place, message, remedy))


def _expectation(shape: ExpectShape, place: Location, node: Node) -> Expected:
    levels = None
    if shape.levels is not None:
        levels = tuple(Change(one.at, one.severity) for one in shape.levels)
    return Expected(
        location=place,
        fires=shape.fires,
        resolves=shape.resolves,
        entity=shape.entity,
        labels=shape.labels,
        ended=shape.ended,
        starts=shape.starts,
        value=shape.value,
        severity=shape.severity,
        levels=levels,
        text=shape.text,
        node=node,
    )


def _listed(node: Node | None) -> list[Node]:
    if node is None:
        return []
    return list(node) if isinstance(node, Seq) else [node]
