"""Changes -> rows, and rows of several changes merged into one transaction's.

Merging keeps the last value of each identity. So a backlog grows with the number of
things that exist, not with how long the disk has been full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sre_obs.adapters.store import codec
from sre_obs.adapters.store.tables import writes
from sre_obs.model.changes import Changes

Row = tuple[Any, ...]
Text = str | bytes


class Rows:
    """What one transaction writes, by identity; None stands for a row to delete."""

    __slots__ = (
        "alerts",
        "audit",
        "current",
        "deliveries",
        "entities",
        "groups",
        "runs",
        "silences",
        "told",
    )

    def __init__(self) -> None:
        self.alerts: dict[tuple[Text, float], Row] = {}
        self.current: dict[Text, float | None] = {}  # fingerprint -> which episode is
        self.groups: dict[Text, Row | None] = {}
        self.deliveries: dict[Text, Row] = {}
        self.told: dict[Row, None] = {}
        self.silences: dict[Text, Row] = {}
        self.entities: dict[tuple[Text, Text], Row | None] = {}
        self.runs: dict[Text, Row] = {}
        self.audit: list[Row] = []

    @classmethod
    def of(cls, changes: Changes) -> Rows:
        """The rows of these changes."""
        rows = cls()
        column, moment = codec.column, codec.moment
        for alert in changes.alerts:
            fingerprint, fired_at = column(alert.fingerprint), moment(alert.fired_at)
            until = moment(alert.updated_at if alert.ends_at is None else alert.ends_at)
            row = (fingerprint, fired_at, until, codec.dump_alert(alert))
            rows.alerts[fingerprint, fired_at] = row
            rows.current[fingerprint] = fired_at
        for text in changes.forgotten_alerts:
            rows.current[column(text)] = None
        for group in changes.groups:
            key = column(group.key)
            rows.groups[key] = (key, codec.dump_group(group))
        for text in changes.forgotten_groups:
            rows.groups[column(text)] = None
        for delivery in changes.deliveries:
            id_, key = column(delivery.id), column(delivery.group)
            finished_at = None
            if delivery.state.final:
                at = delivery.finished_at
                finished_at = moment(delivery.created_at if at is None else at)
            body = codec.dump_delivery(delivery)
            rows.deliveries[id_] = (id_, delivery.number, key, finished_at, body)
            for text in delivery.firing:
                rows.told[column(text), key] = None
            for text in delivery.resolved:
                rows.told[column(text), key] = None
        for silence in changes.silences:
            id_ = column(silence.id)
            rows.silences[id_] = (id_, moment(silence.ends_at), codec.dump_silence(silence))
        for state in changes.entities:
            rule, key = column(state.rule), column(state.key)
            rows.entities[rule, key] = (rule, key, codec.dump_entity(state))
        for rule, key in changes.forgotten_entities:
            rows.entities[column(rule), column(key)] = None
        for run in changes.runs:
            rule = column(run.rule)
            rows.runs[rule] = (rule, codec.dump_run(run))
        for entry in changes.audit:
            rows.audit.append((moment(entry.at), codec.dump_audit(entry)))
        return rows

    def absorb(self, later: Rows) -> None:
        """Take over rows of changes that came after."""
        self.alerts.update(later.alerts)
        self.current.update(later.current)
        self.groups.update(later.groups)
        self.deliveries.update(later.deliveries)
        self.told.update(later.told)
        self.silences.update(later.silences)
        self.entities.update(later.entities)
        self.runs.update(later.runs)
        self.audit.extend(later.audit)

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__slots__)

    def statements(self) -> Iterator[tuple[str, Sequence[Row]]]:
        """(SQL, rows to run it with), in order."""
        sql = writes()
        current = self.current
        if current:
            yield sql.retire_alerts, list(current.items())
        if self.alerts:
            yield (
                sql.alerts,
                [
                    (f, at, until, None if current.get(f) == at else until, body)
                    for f, at, until, body in self.alerts.values()
                ],
            )
        yield from _split(self.groups, sql.groups, sql.forget_groups)
        if self.deliveries:
            yield sql.deliveries, list(self.deliveries.values())
        if self.told:
            yield sql.told, list(self.told)
        if self.silences:
            yield sql.silences, list(self.silences.values())
        yield from _split(self.entities, sql.entities, sql.forget_entities)
        if self.runs:
            yield sql.runs, list(self.runs.values())
        if self.audit:
            yield sql.audit, self.audit


def _split(
    rows: dict[Any, Row | None], upsert: str, forget: str
) -> Iterator[tuple[str, Sequence[Row]]]:
    kept = [row for row in rows.values() if row is not None]
    if kept:
        yield upsert, kept
    gone = [key if isinstance(key, tuple) else (key,) for key, row in rows.items() if row is None]
    if gone:
        yield forget, gone
