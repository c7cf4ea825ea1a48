"""Step: who is in a group, and how they stand."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sre_obs.model.alert import Alert, EndReason
from sre_obs.model.ledger import Ledger
from sre_obs.model.notification import Group
from sre_obs.model.silence import Silence


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A member that nobody is told of just now: silenced (`by`), or in shadow (by none)."""

    alert: Alert
    by: tuple[Silence, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """A group as it stands at `now`; each member is in one of the three tuples.

    `expired` are those of them whose end nobody announced: their sender stopped sending.
    """

    group: Group
    now: float
    firing: tuple[Alert, ...]
    ended: tuple[Alert, ...]
    suppressed: tuple[Suppressed, ...] = ()
    expired: tuple[Alert, ...] = ()

    @property
    def members(self) -> frozenset[str]:
        """All fingerprints."""
        rest = [s.alert for s in self.suppressed]
        return frozenset([a.fingerprint for a in (*self.firing, *self.ended, *rest)])


def observe(group: Group, ledger: Ledger, now: float) -> Look:
    """Who is in `group`, in order of joining."""
    firing: list[Alert] = []
    ended: list[Alert] = []
    shadows: list[Suppressed] = []
    expired: list[Alert] = []
    for alert in ledger.members(group.key):
        if not alert.firing(now):
            if alert.ended is None:
                alert = replace(alert, ended=EndReason.EXPIRED)
                expired.append(alert)
            ended.append(alert)
        elif alert.shadow:
            shadows.append(Suppressed(alert))  # its rule went into shadow meanwhile
        else:
            firing.append(alert)
    return Look(group, now, tuple(firing), tuple(ended), tuple(shadows), tuple(expired))
