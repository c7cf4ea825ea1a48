"""An entity for each value of a field whose values never end."""

from __future__ import annotations

from collections.abc import Iterator

from sre_obs.content.mistakes import shown
from sre_obs.content.rules.checks.subject import Subject
from sre_obs.model.problem import Problem, Severity

SLUG = "rules/unbounded-group-by"

# Of any stream: their values never end by what they are.
_NAMES = frozenset(
    (
        *("@timestamp", "trace.id", "span.id", "transaction.id", "parent.id", "event.id", "_id"),
        *("message", "event.original", "error.message", "error.stack_trace", "log.offset"),
        *("url.full", "url.original", "url.query", "process.pid", "process.command_line"),
        *("source.port", "client.port", "http.request.id", "user_agent.original"),
    )
)
_ENDLESS = frozenset(("date", "date_nanos", "double", "float", "half_float", "scaled_float"))


def check(subject: Subject) -> Iterator[Problem]:
    """Each field to group by that has a new value with nearly every document."""
    for named in subject.names:
        if named.what != "group_by" or named.indices != subject.rule.index:
            continue
        known = subject.known(named.indices, named.name)
        endless = bool(known) and all(f.unbounded or f.type in _ENDLESS for f in known)
        if named.name in _NAMES or endless:
            yield subject.problem(
                SLUG,
                subject.place_of(named),
                f"{shown(named.name)} has no end of values: an alert for each of them, and a "
                "search that grows with them",
                "group by what somebody owns, and show this field as evidence",
                Severity.WARNING,
            )
