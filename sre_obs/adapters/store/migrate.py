"""Numbered scripts -> schema. Each is one transaction; the number of the last one that
went through is the file's ``user_version``.

A script, once released, does not change: what is wrong with it is put right by the next.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from sre_obs.adapters.store import failures
from sre_obs.adapters.store.files import sync_folder
from sre_obs.model.errors import StoreError, StoreNewer

Script = tuple[int, str]

# "SROB": tells our files from other programs' (https://www.sqlite.org/fileformat2.html).
APPLICATION_ID = 0x53524F42


def scripts() -> Sequence[Script]:
    """The scripts that this version brings, in order."""
    found: list[Script] = []
    for file in files(__package__).joinpath("migrations").iterdir():
        match = re.fullmatch(r"(\d{4})_\w+\.sql", file.name)
        if match is not None:
            found.append((int(match[1]), file.read_text(encoding="utf-8")))
    return sorted(found)


def check(connection: sqlite3.Connection, path: str, latest: int) -> int:
    """The version of the schema, 0 for an empty file; nothing is changed.

    Raises StoreNewer if it is above `latest`, StoreCorrupt, and StoreError if it is
    another program's database.
    """
    fault = _read(connection, "PRAGMA quick_check(1)")
    if fault != "ok":
        raise failures.corrupt(path, str(fault))
    version = int(_read(connection, "PRAGMA user_version"))
    mark = _read(connection, "PRAGMA application_id")
    tables = _read(connection, "SELECT count(*) FROM sqlite_master")
    if mark != APPLICATION_ID and (mark or tables):
        raise StoreError(
            "this is another program's database",
            where=path,
            remedy="choose another folder for the data",
        )
    if version > latest:
        raise StoreNewer(
            f"the store was written by a newer sre-obs (schema {version}, this one "
            f"knows up to {latest})",
            where=path,
            remedy="run that version, or put back the backup that it made before it "
            f"changed the file: {path}.schema-{latest}.backup",
        )
    return version


def migrate(
    connection: sqlite3.Connection, path: str, version: int, steps: Sequence[Script]
) -> None:
    """Bring the schema from `version` up to the last of `steps`.

    An older store is copied to ``<path>.schema-<its version>.backup`` first.
    """
    if 0 < version < steps[-1][0]:
        copy(connection, f"{path}.schema-{version}.backup")
    for number, sql in steps:
        if number > version:
            _apply(connection, number, sql)


def copy(connection: sqlite3.Connection, target: str) -> None:
    """A consistent copy of the whole database, there complete or not at all, mode 0600.

    Raises sqlite3.Error or OSError.
    """
    part = f"{target}.part"
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
    try:
        os.chmod(part, 0o600)
        out = sqlite3.connect(part)
        try:
            connection.backup(out)
        finally:
            out.close()
        fd = os.open(part, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(part, target)
    except BaseException:
        os.unlink(part)
        raise
    sync_folder(target)


def _apply(connection: sqlite3.Connection, number: int, sql: str) -> None:
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{sql}\n"
            f"PRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {number};\nCOMMIT;"
        )
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _read(connection: sqlite3.Connection, sql: str) -> Any:
    row = connection.execute(sql).fetchone()
    return row[0] if row else None
