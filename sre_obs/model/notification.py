"""What was decided to be told: groups of alerts, and deliveries to each integration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sre_obs.model.outcome import Failure, MessageRef

# Of a delivery's reasons the one that changes what is said and how loud.
RISEN = "severity risen"


@dataclass(frozen=True, slots=True)
class Told:
    """What one integration was last told of a group (or will be: the row is written).

    `generation` counts messages: a group that fires again after all of it resolved
    starts a new one. `message` is known once the post was answered. `owed` are alerts
    that it was told fire, of which the last word left out that they do, or ended: they
    were silenced. `levels` are `Alert.level` as it was told, by fingerprint; 0 is left out.
    """

    at: float
    firing: frozenset[str]  # fingerprints
    resolved: frozenset[str]
    generation: int = 1
    message: MessageRef | None = None
    owed: frozenset[str] = frozenset()
    levels: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """Alerts that are told together: one route and one set of values of `group_by`.

    Its members are derived from the alerts' labels and the routes, so they are not kept.
    """

    key: str  # route id + ":" + labels
    route: str  # Route.id
    receiver: str
    labels: Mapping[str, str]
    created_at: float
    flush_at: float | None  # when to look at it next
    told: Mapping[str, Told] = field(default_factory=dict)  # Integration.id -> Told


class DeliveryKind(StrEnum):
    """What is done to the group's message. Receivers that can't edit know only POST."""

    POST = "post"
    UPDATE = "update"
    REPLY = "reply"


class DeliveryState(StrEnum):
    """Where a delivery stands; SENT, DEAD and SUPERSEDED are final."""

    READY = "ready"
    SENDING = "sending"  # claimed on disk before the first byte goes out
    AMBIGUOUS = "ambiguous"  # the answer was lost: the receiver is asked first
    SENT = "sent"
    DEAD = "dead"
    SUPERSEDED = "superseded"  # a newer one says it all

    @property
    def final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self in (DeliveryState.SENT, DeliveryState.DEAD, DeliveryState.SUPERSEDED)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One row of the outbox: one notification to one integration.

    Which alerts it tells of is decided (`firing`, `resolved`: fingerprints); their words
    are taken from the alerts when it is rendered, so a late delivery is not an old one.
    Deliveries of one conversation (group and integration) go out in order of `number`.
    """

    id: str
    number: int
    group: str
    receiver: str
    integration: str
    kind: DeliveryKind
    reason: str  # why it is told now: "first notification", "alert resolved", ...
    firing: tuple[str, ...]
    resolved: tuple[str, ...]
    generation: int
    created_at: float
    due_at: float
    state: DeliveryState = DeliveryState.READY
    attempts: int = 0
    started_at: float | None = None  # of the current or last try
    finished_at: float | None = None
    failure: Failure = Failure.NONE
    detail: str = ""  # the receiver's last word
    plain: bool = False  # the rich form was refused: send the plain one
    may_repeat: bool = False  # it may have arrived before, and the receiver can't be asked
    message: MessageRef | None = None
    summary: str = ""  # the one line that was sent
    drill: bool = False

    @property
    def conversation(self) -> tuple[str, str]:
        """What it is ordered within."""
        return (self.group, self.integration)
