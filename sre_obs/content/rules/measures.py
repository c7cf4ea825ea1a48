"""What a threshold rule measures: its measures, and the expressions made of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sre_obs.content.duration import format_duration
from sre_obs.content.mistakes import shown
from sre_obs.content.rules.queries import read_query
from sre_obs.content.rules.schema import MeasureShape, RuleShape, ThresholdShape
from sre_obs.content.rules.written import Written, items
from sre_obs.content.yaml import Map, Scalar
from sre_obs.model.errors import QueryError
from sre_obs.model.expression import Expression, Name, names
from sre_obs.model.rule import Function, Measure, RuleKind, Threshold
from sre_obs.query.expression import RESERVED, check, parse

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)
_NEWEST = (Function.LATEST, Function.MATCHES)
_FIELDLESS = (Function.COUNT, Function.MATCHES)
# Keys that only some functions have.
_OF = {
    "order": _NEWEST,
    "from_zero": (Function.INCREASE,),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What is measured, and what is made of it."""

    measures: tuple[Measure, ...] = ()
    value: Expression | None = None
    when: Expression | None = None
    valid: Expression | None = None


def read_measures(written: Written, shape: RuleShape) -> Measured:
    """The measures and expressions of a rule; problems where they are wrong."""
    if shape.kind is not RuleKind.THRESHOLD:
        return Measured()
    if not shape.measures:
        for key in ("value", "when", "valid"):
            if key in written.root:
                message = f'"{key}" needs measures'
                written.add("rules/wrong-value", written.key(key), message, "add measures")
        return Measured()
    found = []
    for name, measure in shape.measures.items():
        built = _Reader(written, shape, name, measure).measure()
        if built is not None:
            found.append(built)
    value = _expression(written, shape, "value", condition=False)
    if value is None and not shape.value:
        if len(shape.measures) == 1:
            value = Name(next(iter(shape.measures)))
        else:
            message = f'"value" is missing: there are {len(shape.measures)} measures'
            written.add(
                "rules/missing-key", written.key("measures"), message, "say what to compare"
            )
    return Measured(
        tuple(found),
        value,
        _expression(written, shape, "when", condition=True),
        _expression(written, shape, "valid", condition=True),
    )


def read_threshold(written: Written, shape: RuleShape) -> Threshold:
    """The limit; with the one measure that it names where the rule has no measures."""
    block = shape.threshold
    if shape.kind is not RuleKind.THRESHOLD:
        return Threshold()
    if block is None:
        message = '"threshold" is missing: kind threshold needs it'
        written.add("rules/missing-key", written.at("kind"), message, "add threshold: {limit: 5}")
        return Threshold()
    path = ("threshold",)
    if not shape.measures:
        _function(written, path, block)
    else:
        given = written.root["threshold"]
        for key in ("function", "field", "percent"):
            if isinstance(given, Map) and key in given:
                message = f'"{key}" of the threshold does not go with measures'
                place = written.key(*path, key)
                written.add("rules/wrong-value", place, message, "write it into a measure")
    return Threshold(
        function=block.function,
        field=block.field,
        percent=block.percent or 0.0,
        comparison=block.comparison,
        limit=block.limit,
        unit=block.unit,
        clear=block.clear,
    )


def check_names(written: Written, shape: RuleShape) -> None:
    """Names of measures and variables that no expression could use, or that are taken twice."""
    for block, names_ in (("measures", shape.measures), ("variables", shape.variables)):
        what = block.removesuffix("s")
        for name in names_:
            slug, message, remedy = "rules/wrong-value", "", "small letters, digits and underscores"
            if name in RESERVED:
                message = f"{shown(name)} means something in expressions, and is no free name"
                remedy = f"call the {what} otherwise"
            elif not _NAME.fullmatch(name):
                message = f"{shown(name)} is no name for a {what}"
            elif block == "variables" and name in shape.measures:
                slug, message = "rules/duplicate", f"{shown(name)} is a measure already"
                remedy = "call one of them otherwise"
            if message:
                written.add(slug, written.key(block, name), message, remedy)


def _function(
    written: Written, path: tuple[str, ...], shape: ThresholdShape | MeasureShape
) -> None:
    """What a function needs, and what it has no use for."""
    function = shape.function
    if function is Function.COUNT and shape.field:
        message = 'count counts documents and has no "field"'
        remedy = "remove field, or write function: cardinality, avg, sum, min or max"
        written.add("rules/wrong-value", written.key(*path, "field"), message, remedy)
    elif function is Function.MATCHES and shape.field:
        message = 'matches holds the newest document against "query" and has no "field"'
        remedy = "remove field, or write function: latest"
        written.add("rules/wrong-value", written.key(*path, "field"), message, remedy)
    elif function not in _FIELDLESS and not shape.field:
        message = f'"field" is missing: {function} needs it'
        written.add("rules/missing-key", written.key(*path), message, "add the field to measure")
    if function is Function.PERCENTILE and shape.percent is None:
        written.add(
            "rules/missing-key", written.key(*path), '"percent" is missing', "add percent: 95"
        )
    elif function is not Function.PERCENTILE and shape.percent is not None:
        message = f'"percent" is for function percentile, not {function}'
        written.add("rules/wrong-value", written.key(*path, "percent"), message, "remove")
    if function is Function.MATCHES and getattr(shape, "query", None) is None:
        message = '"query" is missing: matches holds the newest document against it'
        remedy = "add query" if isinstance(shape, MeasureShape) else "write it as a measure"
        written.add("rules/missing-key", written.key(*path), message, remedy)


def _expression(
    written: Written, shape: RuleShape, key: str, *, condition: bool
) -> Expression | None:
    node = written.root.get(key)
    if not isinstance(node, Scalar):
        return None
    texts = {name: text for name, text in shape.variables.items() if isinstance(text, str)}
    numbers = [name for name in shape.variables if name not in texts]
    try:
        tree = parse(node.text)
        check(tree, (*shape.measures, *numbers), texts=texts, condition=condition)
    except QueryError as error:
        unknown = error.message.startswith("there is no measure")
        written.add_query(
            node, error, slug="rules/unknown-name" if unknown else "rules/expression-syntax"
        )
        return None
    if not any(name.name in shape.measures for name in names(tree)):
        message = f'"{key}" uses no measure, and is the same for all'
        known = ", ".join(shape.measures)
        written.add("rules/wrong-value", written.document.place(node), message, f"one of: {known}")
    return tree


class _Reader:
    """One measure of a rule."""

    def __init__(self, written: Written, shape: RuleShape, name: str, own: MeasureShape) -> None:
        self._written = written
        self._rule = shape
        self._name = name
        self._own = own
        above = written.root["measures"]
        assert isinstance(above, Map)
        node = above[name]
        assert isinstance(node, Map)
        self._node = node

    def measure(self) -> Measure | None:
        """The measure, or None where its query is wrong."""
        own = self._own
        _function(self._written, ("measures", self._name), own)
        self._keys()
        self._fields()
        window, ends = self._window()
        variables = self._rule.variables
        query = read_query(self._written, self._node.get("query"), self._rule.language, variables)
        if query is None:
            return None
        return Measure(
            name=self._name,
            function=own.function,
            field=own.field,
            percent=own.percent or 0.0,
            query=query,
            index=tuple(dict.fromkeys(own.index or ())),
            window=window,
            ends=ends,
            by=None if own.by is None else tuple(own.by),
            series=tuple(own.series),
            over=own.over,
            order=own.order,
            from_zero=own.from_zero,
            missing=own.missing,
        )

    def _keys(self) -> None:
        for key, functions in _OF.items():
            if key in self._node and self._own.function not in functions:
                names_ = " and ".join(functions)
                message = f'"{key}" is for {names_}, not {self._own.function}'
                self._add("rules/wrong-value", message, "remove it", key)
        if "over" in self._node and not self._own.series:
            message = '"over" joins series, and there are none'
            self._add("rules/wrong-value", message, "add series: [field]", "over")

    def _fields(self) -> None:
        """`by` is a part of group_by, in its order or not; `series` are other fields."""
        document = self._written.document
        for item in items(self._node.get("by")):
            if item.text not in self._rule.group_by:
                message = f'"by" is a part of group_by, and {shown(item.text)} is not in it'
                remedy = ", ".join(self._rule.group_by) or "add group_by"
                self._written.add(
                    "rules/wrong-value", document.place(item), message, f"of: {remedy}"
                )
        for item in items(self._node.get("series")):
            if item.text in (self._rule.group_by if self._own.by is None else self._own.by):
                message = f"{shown(item.text)} tells entities apart already"
                place = document.place(item)
                self._written.add("rules/wrong-value", place, message, "remove it from series")

    def _window(self) -> tuple[float, float]:
        """Its length and by how much it ends before the rule's; 0 for the rule's own."""
        back, ends = self._own.from_, self._own.to
        if ends is None:
            return back or 0.0, 0.0
        if back is None:
            self._add(
                "rules/missing-key", '"from" is missing: "to" needs it', "add from: now-1h", "to"
            )
            return 0.0, 0.0
        if ends >= back:
            message = f'"to" is not after "from", now-{format_duration(back)}'
            self._add("rules/wrong-value", message, "from is the earlier one", "to")
            return 0.0, 0.0
        return back - ends, ends

    def _add(self, slug: str, message: str, remedy: str, key: str) -> None:
        place = self._written.key("measures", self._name, key)
        self._written.add(slug, place, message, remedy)
