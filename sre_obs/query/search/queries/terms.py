"""Queries on exact values: term, terms, range, exists, ids, prefix, wildcard, regexp."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from sre_obs.model.errors import QueryError
from sre_obs.query import datemath
from sre_obs.query.search import bits, patterns
from sre_obs.query.search.columns import Column
from sre_obs.query.search.mapping import Kind
from sre_obs.query.search.queries.types import Builder, Now, Query
from sre_obs.query.search.refuse import mapping, only, scalar, single, texts, unsupported, wrong
from sre_obs.query.search.segment import Segment
from sre_obs.query.search.values import (
    Malformed,
    address,
    boolean,
    float32,
    in_range,
    network,
    number,
    precision,
    text_form,
)


def usable(column: Column, where: str) -> Kind:
    """The kind of a column; raises UnsupportedError where we have none for its type."""
    kind = column.field.kind
    if kind is None:
        raise unsupported(f"field type '{column.field.type}' ({column.field.name})", where)
    return kind


def matching(column: Column, test: Callable[[Any], bool]) -> int:
    """The documents with a value (of text: a word) that passes the test."""
    documents: set[int] = set()
    for value, numbers in column.postings.items():
        if test(value):
            documents.update(numbers)
    return bits.of(sorted(documents), len(column.cells))


def equal(column: Column, value: Any, where: str, now: Now, *, ignore_case: bool = False) -> int:
    """The documents with exactly this value, as a term query finds them."""
    kind = usable(column, where)
    field = column.field
    try:
        match kind:
            case Kind.KEYWORD | Kind.TEXT:
                text = text_form(value)
                if field.lowercase:
                    text = text.lower()
                if ignore_case:
                    folded = _fold(text)
                    return matching(column, lambda term: _fold(term) == folded)
                return column.equal(text)
            case Kind.LONG:
                found = number(value)
                return column.equal(int(found)) if found == int(found) else 0
            case Kind.DOUBLE:
                if value in ("NaN", "Infinity", "-Infinity"):
                    return 0
                return column.equal(precision(field)(float(number(value))))
            case Kind.BOOLEAN:
                return column.equal(boolean(value))
            case Kind.IP:
                text = text_form(value)
                if "/" in text:
                    return column.between(*network(text))
                return column.equal(address(text))
            case Kind.DATE:
                if _is_number(value):
                    if not math.isfinite(value):
                        raise Malformed(f"{value} is no date")
                    return column.equal(int(value))  # milliseconds, whatever the format
                text = text_form(value)
                low = datemath.resolve(text, now, formats=field.format)
                high = datemath.resolve(text, now, round_up=True, formats=field.format)
                return column.between(low, high)
    except (Malformed, QueryError) as problem:
        raise wrong(f"{field.name} is {field.type}: {problem}", where) from None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _fold(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


def _field_value(
    body: Any, where: str, key: str, options: frozenset[str]
) -> tuple[str, Any, dict[str, Any]]:
    """``{"field": value}`` or ``{"field": {key: value, ...}}`` -> field, value, options."""
    field, inner = single(body, where)
    at = f"{where}.{field}"
    if isinstance(inner, dict):
        only(inner, options | {key, "boost"}, at)
        if key not in inner:
            raise wrong(f"'{key}' is missing", at)
        return field, inner[key], inner
    return field, inner, {}


def _term(body: Any, where: str, now: Now) -> Query:
    field, value, options = _field_value(body, where, "value", frozenset({"case_insensitive"}))
    if value is None or isinstance(value, (list, dict)):
        raise wrong("a term query needs one value", where)
    ignore_case = options.get("case_insensitive") is True

    def run(segment: Segment) -> int:
        column = segment.column(field)
        if column is None:
            return 0
        if ignore_case and usable(column, where) not in (Kind.KEYWORD, Kind.TEXT):
            raise wrong(f"{field} is {column.field.type}: no case_insensitive there", where)
        return equal(column, value, where, now, ignore_case=ignore_case)

    return run


def _terms(body: Any, where: str, now: Now) -> Query:
    fields = [name for name in body if name != "boost"]
    if len(fields) != 1:
        raise wrong("a terms query needs one field", where)
    field = fields[0]
    only(body, frozenset({field, "boost"}), where)
    values = body[field]
    if isinstance(values, dict):
        raise unsupported("terms lookup", f"{where}.{field}")
    if not isinstance(values, list):
        raise wrong("a terms query needs a list", f"{where}.{field}")
    if any(v is None for v in values):
        raise wrong("null in a terms query", f"{where}.{field}")

    def run(segment: Segment) -> int:
        column = segment.column(field)
        found = 0
        if column is not None:
            for value in values:
                found |= equal(column, value, where, now)
        return found

    return run


_RANGE = frozenset({"gt", "gte", "lt", "lte", "format", "time_zone", "boost"})


def _range(body: Any, where: str, now: Now) -> Query:
    field, inner = single(body, where)
    at = f"{where}.{field}"
    options = mapping(inner, at)
    only(options, _RANGE, at)
    for name in ("gt", "gte", "lt", "lte"):
        if options.get(name) is not None:
            scalar(options[name], f"{at}.{name}")
    if not isinstance(options.get("format", ""), str):
        raise wrong("a format is a text", f"{at}.format")
    if options.get("time_zone") is not None:
        try:
            datemath.zone_of(options["time_zone"])
        except QueryError as problem:
            raise wrong(problem.message, f"{at}.time_zone") from None
    for pair in (("gt", "gte"), ("lt", "lte")):
        if all(options.get(name) is not None for name in pair):
            raise unsupported(f"{pair[0]} together with {pair[1]}", at)

    def run(segment: Segment) -> int:
        column = segment.column(field)
        if column is None:
            return 0
        kind = usable(column, at)
        try:
            if kind is Kind.DATE:
                return column.between(*_date_bounds(options, column.field.format, now))
            return _between(column, options, kind)
        except (Malformed, QueryError) as problem:
            raise wrong(f"{field} is {column.field.type}: {problem}", at) from None

    return run


def _date_bounds(options: Any, own: str, now: Now) -> tuple[int | None, int | None]:
    """Inclusive milliseconds. gte and lt round down, gt and lte up."""
    bounds = [options[name] for name in ("gt", "gte", "lt", "lte") if name in options]
    if not options.get("format") and any(_is_number(value) for value in bounds):
        own = "epoch_millis"  # one number makes both bounds milliseconds
    formats = options.get("format") or own
    zone = datemath.zone_of(options.get("time_zone") or "UTC")

    def instant(name: str, round_up: bool) -> int:
        text = text_form(options[name])
        return datemath.resolve(text, now, round_up=round_up, zone=zone, formats=formats)

    low = high = None
    if options.get("gte") is not None:
        low = instant("gte", False)
    elif options.get("gt") is not None:
        low = instant("gt", True) + 1
    if options.get("lte") is not None:
        high = instant("lte", True)
    elif options.get("lt") is not None:
        high = instant("lt", False) - 1
    return low, high


def _between(column: Column, options: Any, kind: Kind) -> int:
    convert = _bound(column, kind)
    low_name = "gte" if options.get("gte") is not None else "gt"
    high_name = "lte" if options.get("lte") is not None else "lt"
    low = convert(options[low_name]) if options.get(low_name) is not None else None
    high = convert(options[high_name]) if options.get(high_name) is not None else None
    if kind is Kind.TEXT:
        if low is None and high is None:
            return column.present
        return matching(
            column,
            lambda word: (
                (low is None or (word >= low if low_name == "gte" else word > low))
                and (high is None or (word <= high if high_name == "lte" else word < high))
            ),
        )
    return column.between(low, high, with_low=low_name == "gte", with_high=high_name == "lte")


def _bound(column: Column, kind: Kind) -> Callable[[Any], Any]:
    field = column.field
    match kind:
        case Kind.LONG:
            return lambda value: in_range(number(value), field)
        case Kind.DOUBLE:
            if field.type == "scaled_float":
                return lambda value: float(number(value))
            if field.type == "half_float":
                return lambda value: float32(float(number(value)))
            exact = precision(field)
            return lambda value: exact(float(number(value)))
        case Kind.BOOLEAN:
            return boolean
        case Kind.IP:
            return lambda value: address(text_form(value))
        case _:
            return lambda value: text_form(value).lower() if field.lowercase else text_form(value)


def _exists(body: Any, where: str, now: Now) -> Query:
    only(body, frozenset({"field", "boost"}), where)
    if not isinstance(body.get("field"), str) or not body["field"]:
        raise wrong("exists needs a field", where)
    name: str = body["field"]
    if name == "*":
        raise unsupported("exists for all fields at once", f"{where}.field")

    def run(segment: Segment) -> int:
        column = segment.column(name)
        if column is not None and column.field.type == "flattened":
            raise unsupported(f"field type 'flattened' ({name})", where)
        return present(segment, name)

    return run


def present(segment: Segment, name: str) -> int:
    """The documents with a value in the field, in any field below it, or of its pattern."""
    column = segment.column(name)
    if column is not None:
        return column.present
    found = 0
    if "*" in name:
        test = patterns.wildcard(name)
        names: Iterable[str] = [f.name for f in segment.fields() if test(f.name)]
    else:
        names = [f.name for f in segment.fields() if f.name.startswith(name + ".")]
    for one in names:
        inner = segment.column(one)
        if inner is not None:
            found |= inner.present
    return found


def _ids(body: Any, where: str, now: Now) -> Query:
    only(body, frozenset({"values", "boost"}), where)
    values = body.get("values")
    wanted = set(texts(values if isinstance(values, list) else [values], f"{where}.values"))

    def run(segment: Segment) -> int:
        if segment.path:
            raise unsupported("ids inside nested", where)
        return bits.of([i for i, one in enumerate(segment.ids) if one in wanted], segment.size)

    return run


def pattern_on(column: Column, test: patterns.Test, where: str) -> int:
    """The documents with a term that passes; numbers, dates and the like have no terms."""
    kind = usable(column, where)
    if kind not in (Kind.KEYWORD, Kind.TEXT):
        raise wrong(f"{column.field.name} is {column.field.type}: no patterns there", where)
    return matching(column, test)


def _wildcard(body: Any, where: str, now: Now) -> Query:
    field, inner = single(body, where)
    if isinstance(inner, dict) and "wildcard" in inner:
        inner = {("value" if k == "wildcard" else k): v for k, v in inner.items()}
    field, value, options = _field_value(
        {field: inner}, where, "value", frozenset({"case_insensitive"})
    )
    ignore_case = options.get("case_insensitive") is True
    return _pattern(
        field,
        lambda text: patterns.wildcard(text, ignore_case=ignore_case),
        str(scalar(value, where)),
        where,
    )


def _prefix(body: Any, where: str, now: Now) -> Query:
    field, value, options = _field_value(body, where, "value", frozenset({"case_insensitive"}))
    ignore_case = options.get("case_insensitive") is True
    return _pattern(
        field,
        lambda text: patterns.prefix(text, ignore_case=ignore_case),
        str(scalar(value, where)),
        where,
    )


def _regexp(body: Any, where: str, now: Now) -> Query:
    field, value, options = _field_value(
        body, where, "value", frozenset({"case_insensitive", "flags", "max_determinized_states"})
    )
    if options.get("flags", "ALL") != "ALL":
        raise unsupported("flags of a regular expression", f"{where}.{field}.flags")
    at = f"{where}.{field}"
    ignore_case = options.get("case_insensitive") is True
    return _pattern(
        field,
        lambda text: patterns.regexp(text, at, ignore_case=ignore_case),
        str(scalar(value, where)),
        where,
    )


def _pattern(field: str, compiled: Callable[[str], patterns.Test], text: str, where: str) -> Query:
    test = compiled(text)

    def run(segment: Segment) -> int:
        column = segment.column(field)
        if column is None:
            return 0
        # A normalizer applies to the pattern, too.
        suited = compiled(text.lower()) if column.field.lowercase else test
        return pattern_on(column, suited, where)

    return run


BUILDERS: dict[str, Builder] = {
    "term": _term,
    "terms": _terms,
    "range": _range,
    "exists": _exists,
    "ids": _ids,
    "wildcard": _wildcard,
    "prefix": _prefix,
    "regexp": _regexp,
}
