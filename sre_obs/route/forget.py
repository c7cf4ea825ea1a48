"""Steps: which alerts and groups are done with, and when a group is looked at again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sre_obs.model.ledger import Ledger
from sre_obs.model.notification import Group, Told
from sre_obs.route.observe import Look


def done_with(look: Look, told: Mapping[str, Told], ledger: Ledger, fresh: bool) -> tuple[str, ...]:
    """Members that ended and of which nothing is left to tell, here or in other groups.

    `told` is what this group's integrations will have been told, `fresh` says that rows
    were queued just now. A row takes its words from the alerts when it is sent, so they
    stay until the rows of their groups are through.
    """
    ended = [a.fingerprint for a in look.ended]
    ended += [s.alert.fingerprint for s in look.suppressed if not s.alert.firing(look.now)]
    if not ended or fresh or unsent(look.group, ledger):
        return ()
    return tuple(
        fingerprint
        for fingerprint in ended
        if not _owed(fingerprint, told.values())
        and not any(
            _open(fingerprint, ledger.groups[key], ledger)
            for key in ledger.groups_of(fingerprint)
            if key != look.group.key and key in ledger.groups
        )
    )


def unsent(group: Group, ledger: Ledger) -> bool:
    """Whether deliveries of the group are unfinished."""
    return any(ledger.conversation(group.key, integration) for integration in group.told)


def next_look(look: Look, group_interval: float) -> float:
    """When to look again: after the interval, or when a silence ends if that is sooner."""
    ends = [silence.ends_at for each in look.suppressed for silence in each.by]
    return min([look.now + group_interval, *(at for at in ends if at > look.now)])


def _open(fingerprint: str, group: Group, ledger: Ledger) -> bool:
    return _owed(fingerprint, group.told.values()) or unsent(group, ledger)


def _owed(fingerprint: str, told: Iterable[Told]) -> bool:
    return any(fingerprint in each.firing or fingerprint in each.owed for each in told)
