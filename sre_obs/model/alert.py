"""An alert: something that is wrong, from a rule of ours or from `POST /api/v2/alerts`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class EndReason(StrEnum):
    """Why an alert ended: said in the message and on the page."""

    UNDER_LIMIT = "under limit"
    GONE = "entity gone"
    EXPIRED = "expired"  # its sender stopped re-sending it
    SENDER = "resolved by its sender"
    REMOVED = "rule removed"
    NO_DATA = "no data"
    # Of alerts that Kibana keeps:
    RECOVERED = "recovered in Kibana"
    UNTRACKED = "untracked in Kibana"  # nobody looks any more: not mended
    CLOSED = "closed in Kibana"
    DELETED = "deleted in Kibana"
    STOPPED = "rule stopped reporting"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why: the value against the limit, over which window, and up to three documents."""

    value: float | None = None
    limit: float | None = None
    comparison: str = ""
    unit: str = ""
    function: str = ""
    count: int = 0  # documents that the value rests on
    window: float = 0.0
    peak: float | None = None
    documents: tuple[Mapping[str, str], ...] = ()  # flattened: field -> text
    query: str = ""
    request: str = ""  # JSON
    measures: Mapping[str, float | None] = field(default_factory=dict)  # by their names


# What alerts from the API have: one for all of them.
NO_EVIDENCE = Evidence()


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert through its life. Identity is `fingerprint`, an episode's `fired_at`.

    `ends_at` in the future is a promise to end unless re-sent; in the past, it ended.
    None means that it fires until its rule says otherwise.
    """

    fingerprint: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: float  # when the trouble began
    fired_at: float  # when it became an alert; does not change within one episode
    updated_at: float
    ends_at: float | None = None
    ended: EndReason | None = None  # set with an `ends_at` in the past
    stale_since: float | None = None  # its stream is silent since; held, not resolved
    generator_url: str = ""
    rule: str = ""  # Rule.id, empty for alerts from the API
    place: str = ""  # file:line of the rule
    shadow: bool = False  # shown, told to nobody
    drill: bool = False
    evidence: Evidence = NO_EVIDENCE
    level: int = 0  # how far it has risen above its rule's own severity
    flapping: bool = False  # it comes and goes: kept until it is calm

    def firing(self, now: float) -> bool:
        """Whether it fires at `now` (a stale one does)."""
        return self.ends_at is None or self.ends_at > now

    @property
    def name(self) -> str:
        """Its `alertname`, or a dash."""
        return self.labels.get("alertname") or "-"


def fingerprint(labels: Mapping[str, str]) -> str:
    """16 hex digits that name a label set, whatever its order.

    The separator is a lone surrogate, which valid text can't hold: no two label sets
    give the same bytes.
    """
    text = _SEPARATOR.join([f"{name}{_SEPARATOR}{labels[name]}" for name in sorted(labels)])
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=8).hexdigest()


_SEPARATOR = "\udcff"
