"""Which fields exist and of which Elasticsearch type; from mappings or `_field_caps`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

# Field path ("kubernetes.pod.name") -> Elasticsearch type ("keyword", "long", "date",
# "text", "boolean", "ip", "nested", ...). A field that is not there is unknown.
FieldTypes: TypeAlias = Mapping[str, str]
