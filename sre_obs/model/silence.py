"""A silence: alerts that match all its matchers are told to nobody between two times."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sre_obs.model.matcher import Matcher


class SilenceState(StrEnum):
    """As Alertmanager names them."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Silence:
    """Who silenced what, until when and why."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: float
    ends_at: float
    created_by: str
    comment: str
    updated_at: float

    def state(self, now: float) -> SilenceState:
        """Where it stands at `now`."""
        if now >= self.ends_at:
            return SilenceState.EXPIRED
        return SilenceState.ACTIVE if now >= self.starts_at else SilenceState.PENDING
