"""Values in documents and in queries -> the form in which they are compared.

keyword: str; long: int; double: float (of the field's precision); date: milliseconds;
boolean: 0 or 1; ip: an integer of the IPv6 space; text: a tuple of words per value.
"""

from __future__ import annotations

import ipaddress
import math
import re
import struct
from collections.abc import Callable
from datetime import UTC
from decimal import Decimal
from typing import Any

from sre_obs.model.errors import QueryError
from sre_obs.query import datemath
from sre_obs.query.search.mapping import Field, Kind
from sre_obs.query.search.text import words

_V4 = 0xFFFF_0000_0000  # ::ffff:0:0, where IPv4 lives in the IPv6 space
_INTEGER = re.compile(r"[+-]?\d+\Z", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\Z", re.ASCII)
RANGES = {
    "long": (-(2**63), 2**63 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "short": (-(2**15), 2**15 - 1),
    "byte": (-128, 127),
    "unsigned_long": (0, 2**64 - 1),
}


class Malformed(ValueError):
    """A value that its field can't take."""


def text_form(value: Any) -> str:
    """A JSON scalar as a keyword or text field sees it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return java_double(value) if isinstance(value, float) else str(value)


def java_double(value: float) -> str:
    """A double as Java prints it: 1.0E10 from ten million on."""
    text = repr(value)
    if math.isinf(value) or math.isnan(value):
        return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}[text]
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        if "e" in text:
            text = format(value, "f").rstrip("0")
        return text
    digits, exponent = Decimal(text).as_tuple()[1:]
    shown = "".join(map(str, digits)).rstrip("0") or "0"
    power = int(exponent) + len(digits) - 1
    return f"{'-' if value < 0 else ''}{shown[0]}.{shown[1:] or '0'}E{power}"


def number(value: Any) -> int | float:
    """A JSON number or a numeric string. Raises Malformed."""
    if isinstance(value, bool):
        raise Malformed("true and false are no numbers")
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Malformed("not a finite number")
        return value
    if isinstance(value, str):
        if _INTEGER.match(value):
            return int(value)
        if _NUMBER.match(value):
            found = float(value)
            if math.isfinite(found):
                return found
    raise Malformed(f"'{value}' is not a number")


def in_range(value: int | float, field: Field) -> int | float:
    """A bound of a range on whole numbers. Raises Malformed beyond the type's own range."""
    low, high = RANGES[field.type]
    if not low <= value <= high:
        raise Malformed(f"{value} is out of the range of {field.type}")
    return value


def float32(value: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def shortest32(value: float) -> float:
    """The shortest decimal that is this single-precision number, as Java prints a float."""
    for digits in range(1, 10):
        found = float(f"{value:.{digits}g}")
        if float32(found) == value:
            return found
    return value


def float16(value: float) -> float:
    try:
        return float(struct.unpack("e", struct.pack("e", value))[0])
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def precision(field: Field) -> Callable[[float], float]:
    """How a double field of this type rounds."""
    if field.type == "float":
        return float32
    if field.type == "half_float":
        return float16
    if field.type == "scaled_float":
        factor = field.scaling_factor
        return lambda value: math.floor(value * factor + 0.5) * (1.0 / factor)
    return float


def address(text: Any) -> int:
    """An IP address as an integer of the IPv6 space. Raises Malformed."""
    if not isinstance(text, str):
        raise Malformed(f"'{text}' is not an IP address")
    bare, percent, zone = text.partition("%")
    try:
        # Elasticsearch ignores a zone, but wants one after the sign.
        found = ipaddress.ip_address(text if percent and not zone else bare)
    except ValueError:
        raise Malformed(f"'{text}' is not an IP address") from None
    return int(found) | _V4 if found.version == 4 else int(found)


def network(text: str) -> tuple[int, int]:
    """The first and last address of ``10.0.0.0/8``. Raises Malformed."""
    try:
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise Malformed(f"'{text}' is not a network") from None
    low, high = int(found.network_address), int(found.broadcast_address)
    return (low | _V4, high | _V4) if found.version == 4 else (low, high)


def address_text(value: int) -> str:
    """The address as Elasticsearch prints it."""
    if value >> 32 == 0xFFFF:
        return str(ipaddress.IPv4Address(value & 0xFFFF_FFFF))
    return str(ipaddress.IPv6Address(value))


def boolean(value: Any) -> int:
    """true, false, "true" or "false". Raises Malformed."""
    if value is True or value == "true":
        return 1
    if value is False or value == "false":
        return 0
    raise Malformed(f"'{value}' is not true or false")


def reader(field: Field) -> Callable[[Any], Any]:
    """The function that reads one value of a document; None: nothing is indexed.

    It raises Malformed for a value that Elasticsearch refuses the document for.
    """
    match field.kind:
        case Kind.KEYWORD:
            return _keyword_reader(field)
        case Kind.TEXT:
            return lambda value: tuple(words(_scalar_text(value)))
        case Kind.LONG:
            return _long_reader(field)
        case Kind.DOUBLE:
            return _double_reader(field)
        case Kind.DATE:
            return _date_reader(field)
        case Kind.BOOLEAN:
            return _boolean_of_document
        case Kind.IP:
            return address
        case _:
            return lambda value: True


def _scalar_text(value: Any) -> str:
    if isinstance(value, dict):
        raise Malformed("an object where a value should be")
    # A number in a document keeps the digits it was written with.
    return repr(value) if isinstance(value, float) else text_form(value)


def _boolean_of_document(value: Any) -> int:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise Malformed(f"'{value}' is not true or false")
    return 0 if value == "" else boolean(value)


def _keyword_reader(field: Field) -> Callable[[Any], str | None]:
    limit = field.ignore_above

    def read(value: Any) -> str | None:
        text = value if type(value) is str else _scalar_text(value)
        if field.lowercase:
            text = text.lower()
        return None if limit and len(text) > limit else text

    return read


def _long_reader(field: Field) -> Callable[[Any], int | None]:
    low, high = RANGES[field.type]

    def read(value: Any) -> int | None:
        if type(value) is not int:
            if isinstance(value, dict):
                raise Malformed("an object where a number should be")
            if not field.coerce and (isinstance(value, str) or value != int(value)):
                raise Malformed(f"'{value}' is not a whole number")
            if value == "":
                return None
            value = number(value)
        found = int(value)
        if not low <= found <= high:
            raise Malformed(f"{value} is out of the range of {field.type}")
        return found

    return read


def _double_reader(field: Field) -> Callable[[Any], float | None]:
    rounded = precision(field)

    def read(value: Any) -> float | None:
        if isinstance(value, dict):
            raise Malformed("an object where a number should be")
        if value == "" and field.coerce:
            return None
        found = rounded(float(number(value)))
        if not math.isfinite(found):
            raise Malformed(f"{value} is out of the range of {field.type}")
        return found

    return read


def _date_reader(field: Field) -> Callable[[Any], int]:
    formats = datemath.formats_of(field.format or datemath.DEFAULT_FORMAT)
    first = formats[0].parse

    def read(value: Any) -> int:
        if isinstance(value, (dict, bool)):
            raise Malformed(f"'{value}' is not a date")
        text = value if isinstance(value, str) else text_form(value)
        try:
            found = first(text, UTC, False)
            return found if found is not None else datemath.parse(text, formats=field.format)
        except QueryError as error:
            raise Malformed(error.message) from None

    return read
