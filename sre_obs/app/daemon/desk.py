"""What the API, the page and the metrics read from: the daemon's parts in one place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sre_obs.adapters.clock import Clock
from sre_obs.app.daemon.engine import Engine
from sre_obs.app.daemon.evaluations import Evaluations
from sre_obs.app.settings import Settings
from sre_obs.model.problem import Problem
from sre_obs.model.store import Store

# Older than this, a commit that still waits means that the writer is stuck.
STUCK = 10.0


@dataclass(slots=True)
class Desk:
    """The running daemon, as its listener sees it."""

    settings: Settings
    version: str
    clock: Clock
    engine: Engine
    store: Store
    evaluations: Evaluations
    reload: Callable[[], Awaitable[Sequence[Problem]]]
    started_at: float
    problems: Sequence[Problem] = ()  # of the files as last loaded
    reload_ok: bool = True
    broken: int = 0  # files of rules that the last reload could not read: the old ones run
    reload_at: float = 0.0
    draining: bool = False

    def reload_trouble(self) -> str:
        """What is not as the files say; empty when all of it is."""
        if self.reload_ok:
            return ""
        if self.broken:
            files = (
                "1 file of rules is" if self.broken == 1 else f"{self.broken} files of rules are"
            )
            return f"{files} wrong; the old rules of them run on"
        return "a reload was refused; the old configuration runs on"

    def unhealthy(self) -> str:
        """Why the process should be restarted; empty when it need not."""
        health = self.store.health()
        if health.oldest_wait > STUCK:
            return f"the store's writer is stuck for {health.oldest_wait:.0f} s: {health.error}"
        return ""

    def unready(self) -> str:
        """Why callers should not come yet; empty when they may."""
        if self.draining:
            return "stopping"
        health = self.store.health()
        if health.error:
            return f"the store can't be written: {health.error}"
        return ""
