"""An operator, a function or a grouping that the field's type does not take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_network

from sre_obs.content.mistakes import shown
from sre_obs.content.rules.checks.clauses import Leaf, leaves
from sre_obs.content.rules.checks.subject import NUMBERS, Measured, Subject
from sre_obs.content.yaml import Map, Scalar
from sre_obs.model.errors import SreObsError
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.rule import Function
from sre_obs.query import datemath
from sre_obs.query.kql.fields import Use

SLUG = "rules/wrong-type"

_WORDS = frozenset(("keyword", "constant_keyword", "wildcard"))
_TEXTS = frozenset(("text", "match_only_text"))
_DATES = frozenset(("date", "date_nanos"))
_SUMMARIES = frozenset(("histogram", "exponential_histogram", "aggregate_metric_double"))
_NO_GROUPS = _TEXTS | _SUMMARIES | {"nested", "object", "geo_point"}
_NUMBER = re.compile(r"[-+]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][-+]?\d{1,3})?", re.ASCII)

# Function -> the types that it can be worked out of; what is not listed takes any.
_TAKES = {
    Function.AVG: NUMBERS | _SUMMARIES | {"boolean"},
    Function.SUM: NUMBERS | _SUMMARIES | {"boolean"},
    Function.MIN: NUMBERS | _SUMMARIES | _DATES | {"boolean"},
    Function.MAX: NUMBERS | _SUMMARIES | _DATES | {"boolean"},
    Function.PERCENTILE: NUMBERS | {"histogram", "exponential_histogram"},
    Function.INCREASE: NUMBERS,
    Function.SLOPE: NUMBERS,
    Function.LATEST: NUMBERS | _DATES | {"boolean"},
    Function.AGE: _DATES,
    Function.CARDINALITY: NUMBERS | _WORDS | _DATES | {"boolean", "ip"},
}
_INSTEAD = {
    Function.AVG: "count the documents of a query, or cardinality",
    Function.LATEST: "matches with a query, to hold a text against one",
    Function.AGE: "now - latest, for a field in epoch seconds",
}


def check(subject: Subject) -> Iterator[Problem]:
    """Each use of a field that Elasticsearch refuses, or that finds nothing."""
    for asked in subject.asked:
        for leaf in leaves(asked.tree):
            types = _types(subject, asked.indices, leaf.field)
            wrong = _leaf(leaf, types) if types else None
            if wrong is not None:
                place = subject.place_in(asked, leaf.start, leaf.end)
                yield subject.problem(SLUG, place, *wrong, Severity.ERROR)
    for measured in subject.measures:
        yield from _measure(subject, measured)
    yield from _grouping(subject)


def _types(subject: Subject, indices: tuple[str, ...], name: str) -> frozenset[str]:
    return frozenset(field.type for field in subject.known(indices, name))


def _leaf(leaf: Leaf, types: frozenset[str]) -> tuple[str, str] | None:
    """(what is wrong, what to do) where it is wrong for each type that the field has."""
    found = None
    for type_ in types:
        found = _clause(leaf, type_)
        if found is None:
            return None
    return found


def _clause(leaf: Leaf, type_: str) -> tuple[str, str] | None:
    name = shown(leaf.field)
    value = str(leaf.value).lower() if isinstance(leaf.value, bool) else leaf.value
    if leaf.use is Use.RANGE and type_ in _WORDS | _TEXTS | {"boolean"} and not leaf.pattern:
        if type_ in _WORDS and not _NUMBER.fullmatch(value):
            return None  # an order of texts, which may be meant: a version, a name
        remedy = "compare to true or false" if type_ == "boolean" else "compare with :"
        return f"{name} is of type {type_}, and has no order of numbers", remedy
    if leaf.use is Use.WILDCARD and type_ in NUMBERS | _DATES | {"boolean", "ip"}:
        if type_ == "ip":
            return f"{name} is of type ip, and takes no wildcard", "write a network: 10.0.0.0/8"
        return f"{name} is of type {type_}, and takes no wildcard", "write a range, or values"
    if leaf.use not in (Use.TERM, Use.PHRASE, Use.RANGE):
        return None
    if type_ in NUMBERS and not _NUMBER.fullmatch(value):
        return f"{name} is a number, and {shown(value)} is none", "write a number"
    if type_ == "boolean" and value not in ("true", "false", ""):
        return f"{name} is true or false, and not {shown(value)}", "write true or false"
    if type_ in _DATES and not _is_date(value):
        return f"{name} is a date, and {shown(value)} is none", "write 2026-01-31 or now-5m"
    if type_ == "ip" and not _is_ip(value):
        return f"{name} is an IP address, and {shown(value)} is none", "write an address"
    if type_ in _SUMMARIES:
        return f"{name} is a {type_}, which no query compares", "measure it with a function"
    return None


def _measure(subject: Subject, measured: Measured) -> Iterator[Problem]:
    function, field = measured.measure.function, measured.measure.field
    block = subject.block(*measured.path)
    node = block.get("field") if isinstance(block, Map) else None
    if not isinstance(node, Scalar):
        return
    types = _types(subject, measured.indices, field)
    takes = _TAKES.get(function)
    if types and takes is not None and not types & takes:
        type_ = min(types)
        remedy = "a field of type " + _example(function)
        if function in _INSTEAD:
            remedy += f"; or {_INSTEAD[function]}"
        yield subject.problem(
            SLUG,
            subject.document.place(node),
            f"{shown(field)} is of type {type_}, and has no {function}",
            remedy,
            Severity.ERROR,
        )


def _example(function: Function) -> str:
    if function is Function.AGE:
        return "date"
    return "keyword" if function is Function.CARDINALITY else "long or double"


def _grouping(subject: Subject) -> Iterator[Problem]:
    said: set[Location] = set()
    for named in subject.names:
        if named.what not in ("group_by", "series"):
            continue
        types = _types(subject, named.indices, named.name)
        if types and types <= _NO_GROUPS:
            place = subject.place_of(named)
            if place in said:
                continue
            said.add(place)
            yield subject.problem(
                SLUG,
                place,
                f"{shown(named.name)} is of type {min(types)}: it has no values to group by",
                f"write {named.name}.keyword, if there is one" if types <= _TEXTS else "remove it",
                Severity.ERROR,
            )


def _is_date(text: str) -> bool:
    try:
        datemath.resolve(text, 0.0)
    except SreObsError:
        return False
    return True


def _is_ip(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True
