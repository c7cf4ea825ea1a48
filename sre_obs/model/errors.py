"""Errors: the work can't go on. (What is wrong in a user's file is a `Problem`.)

::

    SreObsError
    ├── UsageError            the command line or the settings are wrong
    ├── QueryError            a query's text is wrong, with its position
    ├── UnsupportedError      a request needs what the in-process search does not have
    ├── ContentError          files hold problems that forbid going on; carries them
    ├── SourceError           Elasticsearch can't answer; `blame` says whose fault it is
    ├── StoreError            the store can't be read or written
    │   ├── StoreBusy         another process holds it
    │   ├── StoreNewer        written by a newer version
    │   ├── StoreCorrupt      not a database any more
    │   └── StoreFull         no room on the disk
    └── TemplateError         a template is wrong or broke its bounds

Each says what (the user's noun), where, why and what to do. None holds a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from sre_obs.model.problem import Problem


class SreObsError(Exception):
    """Root of the catalogue.

    `slug` names the kind of error everywhere (output, JSON, docs), `remedy` is one
    command or edit, `where` a file:line:column, an object or a host.
    """

    slug: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.remedy = remedy


class UsageError(SreObsError):
    """The command line, an environment variable or the settings file is wrong."""

    slug = "usage"


class QueryError(SreObsError):
    """A query's text is wrong at `offset` (characters from 0) for `length` characters."""

    slug = "query/syntax"

    def __init__(self, message: str, offset: int, length: int = 1, *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.offset = offset
        self.length = max(length, 1)


class UnsupportedError(SreObsError):
    """The in-process search does not have `construct`; it refuses rather than guesses."""

    slug = "query/unsupported"

    def __init__(self, construct: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(f"not supported: {construct}", where=where, remedy=remedy)
        self.construct = construct


class ContentError(SreObsError):
    """Files hold problems of severity error; `problems` has them all."""

    slug = "content"

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(first.message + more, where=str(first.location), remedy=first.remedy)
        self.problems = tuple(problems)


class Blame(StrEnum):
    """Whose fault a failed search is: what the engine does next depends on it."""

    REQUEST = "request"  # this request is wrong: the rule is misconfigured, others are fine
    ACCESS = "access"  # 401, 403: the key is wrong or lacks a privilege
    BUSY = "busy"  # 429, 503, timed_out, partial shards: try again next time
    UNREACHABLE = "unreachable"  # refused, reset, DNS, TLS, slow beyond the timeout
    GARBLED = "garbled"  # an answer that is not what Elasticsearch answers


class SourceError(SreObsError):
    """Elasticsearch did not answer a search as hoped."""

    slug = "source"
    retryable = True

    def __init__(
        self, message: str, blame: Blame, *, status: int = 0, where: str = "", remedy: str = ""
    ) -> None:
        super().__init__(message, where=where, remedy=remedy)
        self.blame = blame
        self.status = status


class StoreError(SreObsError):
    """The store can't be read or written."""

    slug = "store"


class StoreBusy(StoreError):
    """Another process holds the store; `pid` is its process id, 0 if unknown."""

    slug = "store/busy"

    def __init__(self, message: str, pid: int = 0, *, where: str = "", remedy: str = "") -> None:
        super().__init__(message, where=where, remedy=remedy)
        self.pid = pid


class StoreNewer(StoreError):
    """The store was written by a newer version of sre-obs."""

    slug = "store/newer"


class StoreCorrupt(StoreError):
    """The store's file is damaged."""

    slug = "store/corrupt"


class StoreFull(StoreError):
    """The disk has no room; nothing was lost, the write is tried again."""

    slug = "store/full"
    retryable = True


class TemplateError(SreObsError):
    """A template is wrong, or broke its bounds on time, memory or output."""

    slug = "template"
