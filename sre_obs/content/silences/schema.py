"""The keys of a silences file::

silences:
  - matchers: [alertname="pg-silent", service_address=~"pg-test.*"]
    starts: 2026-01-31T22:00:00Z
    ends: 2026-02-01T02:00:00Z
    created_by: ana
    comment: the servers move to the new rack
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from sre_obs.content.mistakes import shown
from sre_obs.content.shape import Many, Shape, Text, Texts, Words, text_of, wrong


def _time(node: Any) -> float:
    text = text_of(node)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise wrong(f"can't be {shown(text)}", "write 2026-01-31T22:00:00Z") from None
    if moment.tzinfo is None:
        raise wrong("has no zone", f"write {text}Z, or an offset such as +01:00")
    return moment.astimezone(UTC).timestamp()


Time = Annotated[float, BeforeValidator(_time, json_schema_input_type=str)]


class SilenceShape(Shape):
    """One silence."""

    matchers: Annotated[Texts, Field(min_length=1, max_length=50)]
    starts: Time
    ends: Time
    comment: Annotated[Text, Field(min_length=1, max_length=1_000)]
    created_by: Annotated[Text, Field(max_length=200)] = ""


class SilencesShape(Shape):
    """The file."""

    silences: Annotated[Many[SilenceShape], Field(max_length=1_000)]


WORDS = Words(
    "silences",
    instead={
        "startsAt": "write starts",
        "starts_at": "write starts",
        "endsAt": "write ends",
        "ends_at": "write ends",
        "createdBy": "write created_by",
        "author": "write created_by",
        "reason": "write comment",
        "match": "write matchers: ['name=\"value\"']",
    },
)
