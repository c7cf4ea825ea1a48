"""One transaction's worth of changes: what the stages return, the Ledger applies in
memory and the Store writes to disk, all of it or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import TypeVar

from sre_obs.model.alert import Alert
from sre_obs.model.evaluation import EntityState, RuleRun
from sre_obs.model.notification import Delivery, Group
from sre_obs.model.silence import Silence

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to which object: silences, reloads, drills."""

    at: float
    who: str
    action: str  # "silence.add", "silence.expire", "reload", "drill"
    subject: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """New values of whole nouns; the last of one identity wins.

    `joined` (group key, fingerprint) is for the Ledger alone: which alert is in which
    group follows from the labels and the routes, and is derived anew on load.
    """

    alerts: tuple[Alert, ...] = ()
    forgotten_alerts: tuple[str, ...] = ()  # fingerprints: kept on disk as history
    groups: tuple[Group, ...] = ()
    forgotten_groups: tuple[str, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    silences: tuple[Silence, ...] = ()
    entities: tuple[EntityState, ...] = ()
    forgotten_entities: tuple[tuple[str, str], ...] = ()  # (rule id, entity key)
    runs: tuple[RuleRun, ...] = ()
    audit: tuple[AuditEntry, ...] = ()
    joined: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def joint(parts: Sequence[Changes]) -> Changes:
        """All of them, in order, as one transaction.

        Within one `Changes` what is forgotten goes after what is written, so that a thing
        which a later part writes anew must not be forgotten by an earlier one.
        """
        if len(parts) == 1:
            return parts[0]
        flat = chain.from_iterable
        joint = Changes(*(tuple(flat(getattr(p, n) for p in parts)) for n in _NAMES))
        if not (joint.forgotten_alerts or joint.forgotten_groups or joint.forgotten_entities):
            return joint
        alerts: dict[str, None] = {}
        groups: dict[str, None] = {}
        entities: dict[tuple[str, str], None] = {}
        for part in parts:
            _outlive(alerts, (a.fingerprint for a in part.alerts), part.forgotten_alerts)
            _outlive(groups, (g.key for g in part.groups), part.forgotten_groups)
            _outlive(entities, ((e.rule, e.key) for e in part.entities), part.forgotten_entities)
        return replace(
            joint,
            forgotten_alerts=tuple(alerts),
            forgotten_groups=tuple(groups),
            forgotten_entities=tuple(entities),
        )

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in _NAMES)

    @property
    def stored(self) -> bool:
        """Whether there is anything for the disk."""
        return any(getattr(self, name) for name in _NAMES if name != "joined")


def _outlive(gone: dict[T, None], written: Iterable[T], forgotten: Iterable[T]) -> None:
    for identity in written:
        gone.pop(identity, None)
    gone.update(dict.fromkeys(forgotten))


_NAMES = tuple(f.name for f in fields(Changes))
