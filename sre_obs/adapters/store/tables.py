"""The tables, and each statement compiled to text once.

Statements are SQLAlchemy Core, so that a database says them in its own words; they run as
text with tuples, since compiling and binding each row anew costs more than the row. The
tables are made by the migrations; a test holds the two against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    Float,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    delete,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

metadata = MetaData()

alerts = Table(
    "alerts",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("fired_at", Float, primary_key=True),
    Column("until", Float),
    Column("past_since", Float),
    Column("body", Text, nullable=False),
)
groups = Table(
    "groups",
    metadata,
    Column("key", Text, primary_key=True),
    Column("body", Text, nullable=False),
)
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("group_key", Text, nullable=False),
    Column("finished_at", Float),
    Column("body", Text, nullable=False),
)
told = Table(
    "told",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("group_key", Text, primary_key=True),
)
silences = Table(
    "silences",
    metadata,
    Column("id", Text, primary_key=True),
    Column("ends_at", Float),
    Column("body", Text, nullable=False),
)
entities = Table(
    "entities",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("body", Text, nullable=False),
)
runs = Table(
    "runs",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("body", Text, nullable=False),
)
audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("at", Float),
    Column("body", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Writes:
    """What a transaction may do: SQL, whose rows are tuples in the order of each comment."""

    retire_alerts: str  # fingerprint, fired_at that stays current (None: none does)
    alerts: str  # fingerprint, fired_at, until, past_since, body
    groups: str  # key, body
    forget_groups: str  # key
    deliveries: str  # id, number, group_key, finished_at, body
    told: str  # fingerprint, group_key
    silences: str  # id, ends_at, body
    entities: str  # rule, key, body
    forget_entities: str  # rule, key
    runs: str  # rule, body
    audit: str  # at, body


@cache
def writes() -> Writes:
    """The statements for SQLite."""
    retire = (
        update(alerts)
        .values(past_since=alerts.c.until)
        .where(
            alerts.c.fingerprint == bindparam("a"),
            alerts.c.past_since.is_(None),
            alerts.c.fired_at.is_distinct_from(bindparam("b")),
        )
    )
    return Writes(
        retire_alerts=_compiled(retire),
        alerts=_upsert(alerts, "until", "past_since", "body"),
        groups=_upsert(groups, "body"),
        forget_groups=_compiled(delete(groups).where(groups.c.key == bindparam("a"))),
        # Its group and number never change: to set them would rewrite their indices.
        deliveries=_upsert(deliveries, "finished_at", "body"),
        told=_upsert(told),
        silences=_upsert(silences, "ends_at", "body"),
        entities=_upsert(entities, "body"),
        forget_entities=_compiled(
            delete(entities).where(
                entities.c.rule == bindparam("a"), entities.c.key == bindparam("b")
            )
        ),
        runs=_upsert(runs, "body"),
        audit=_compiled(sqlite.insert(audit).values(at=bindparam("a"), body=bindparam("b"))),
    )


def _upsert(table: Table, *changing: str) -> str:
    insert = sqlite.insert(table).values({c.name: bindparam(c.name) for c in table.columns})
    key = list(table.primary_key.columns)
    if not changing:
        return _compiled(insert.on_conflict_do_nothing(index_elements=key))
    values: dict[str, Any] = {name: insert.excluded[name] for name in changing}
    return _compiled(insert.on_conflict_do_update(index_elements=key, set_=values))


def _compiled(statement: ClauseElement) -> str:
    return str(statement.compile(dialect=sqlite.dialect(paramstyle="qmark")))
