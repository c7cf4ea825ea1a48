"""About this daemon: its configuration, its sources, its store, and who did what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sre_obs.app.daemon.desk import Desk
from sre_obs.app.daemon.web import words
from sre_obs.app.daemon.web.rules import problem_line
from sre_obs.app.settings import Loaded
from sre_obs.model.changes import AuditEntry

AUDIT = 50


def about(desk: Desk, audit: Sequence[AuditEntry]) -> dict[str, Any]:
    """Secrets are masked where the settings and the routes give their text."""
    now = desk.clock.now()
    store = desk.store.health()
    return {
        "version": desk.version,
        "up": words.span(now - desk.started_at),
        "trouble": desk.reload_trouble(),
        "loaded": words.moment(desk.reload_at, now),
        "problems": [problem_line(p) for p in desk.problems],
        "store": {"error": store.error, "waiting": store.waiting},
        "alerts": len(desk.engine.ledger.alerts),
        "deliveries": len(desk.engine.ledger.deliveries),
        "settings": [(k, v) for k, v, _ in Loaded(desk.settings, {}).rows() if v],
        "routes": desk.engine.routing.text,
        "sources": [
            {
                "name": name,
                "error": progress.error,
                "remedy": progress.remedy,
                "since": words.moment(progress.failing_since, now),
                "last": words.moment(progress.last_success, now),
                "behind": progress.behind,
                "dropped": progress.dropped,
            }
            for name, progress in desk.evaluations.progress.items()
        ],
        "audit": [
            {
                "at": words.moment(entry.at, now),
                "who": entry.who,
                "action": entry.action,
                "subject": entry.subject,
                "detail": entry.detail,
            }
            for entry in audit
        ],
    }
