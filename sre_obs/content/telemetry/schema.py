"""The keys of a telemetry pack; rules/telemetry/README.md explains them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from sre_obs.content.shape import Duration, Flag, Named, Shape, Text, Texts, Words, text_of
from sre_obs.content.yaml import Map, Scalar

Unit = Annotated[
    Literal[
        "fraction", "percent", "bytes", "ns", "us", "ms", "s", "epoch_s",
        "cores", "nanocores", "blocks", "count",
    ],
    BeforeValidator(text_of),
]  # fmt: skip
Type = Annotated[
    Literal[
        "keyword", "constant_keyword", "wildcard", "text", "match_only_text", "flattened",
        "long", "integer", "short", "byte", "unsigned_long",
        "double", "float", "half_float", "scaled_float",
        "date", "date_nanos", "boolean", "ip", "nested", "object", "geo_point",
        "histogram", "exponential_histogram", "aggregate_metric_double",
    ],
    BeforeValidator(text_of),
]  # fmt: skip


class FieldShape(Shape):
    """What is known of one field."""

    type: Type
    counter: Flag = False
    unit: Unit | None = None
    values: Texts = Field(default_factory=list)
    many: Flag = False
    cardinality: Annotated[Literal["high"], BeforeValidator(text_of)] | None = None


def _short(node: Any) -> Any:
    """``name: keyword`` for ``name: {type: keyword}``."""
    if not isinstance(node, Scalar):
        return node
    long = Map(node.start, node.end)
    long["type"] = node
    long.keys_at["type"] = (node.start, node.end)
    return long


AnyField = Annotated[FieldShape, BeforeValidator(_short, json_schema_input_type=Type | FieldShape)]


class StreamShape(Shape):
    """One pattern of streams."""

    period: Annotated[Duration, Field(gt=0, le=86_400)] | None = None
    sampled: Flag = False
    open: Flag = False
    fields: Named[AnyField] = Field(default_factory=dict)


class PackShape(Shape):
    """The file."""

    pack: Annotated[Text, Field(min_length=1, max_length=100)]
    common: Named[AnyField] = Field(default_factory=dict)
    streams: Named[StreamShape] = Field(default_factory=dict)


WORDS = Words(
    "telemetry",
    instead={
        "name": "write pack",
        "index": "write streams: {<pattern>: ...}",
        "indices": "write streams: {<pattern>: ...}",
        "interval": "write period",
    },
)
