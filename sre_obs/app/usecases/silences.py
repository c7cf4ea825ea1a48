"""Add a silence to a running daemon, and say what it hides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sre_obs.adapters.client import DaemonClient
from sre_obs.content.duration import parse_duration
from sre_obs.model.errors import UsageError
from sre_obs.model.matcher import Matcher, MatchOp
from sre_obs.query.matchers import format_matcher


@dataclass(frozen=True, slots=True)
class Added:
    """The new silence: its id, its end, and the names of the alerts that it hides now."""

    id: str
    ends_at: float
    hides: tuple[str, ...]


def add_silence(
    client: DaemonClient,
    matchers: Sequence[Matcher],
    *,
    duration: str,
    comment: str,
    author: str,
    now: float,
) -> Added:
    """Add a silence from `now` on, for a `duration` as people write it.

    Raises UsageError for a bad duration, DaemonError when the daemon refuses.
    """
    try:
        seconds = parse_duration(duration)
    except ValueError as error:
        raise UsageError(str(error), where="--duration") from None
    if seconds <= 0:
        raise UsageError("a silence of no time silences nothing", where="--duration")
    ends_at = now + seconds
    body = {
        "matchers": [
            {
                "name": m.name,
                "value": m.value,
                "isRegex": m.op in (MatchOp.REGEX, MatchOp.NOT_REGEX),
                "isEqual": m.op in (MatchOp.EQUAL, MatchOp.REGEX),
            }
            for m in matchers
        ],
        "startsAt": datetime.fromtimestamp(now, UTC).isoformat(),
        "endsAt": datetime.fromtimestamp(ends_at, UTC).isoformat(),
        "createdBy": author,
        "comment": comment,
    }
    id_ = str(client.post("/api/v2/silences", body)["silenceID"])
    filters = [format_matcher(m) for m in matchers]
    hidden = client.get("/api/v2/alerts", {"filter": filters})
    return Added(id_, ends_at, tuple(a["labels"].get("alertname", "-") for a in hidden))
