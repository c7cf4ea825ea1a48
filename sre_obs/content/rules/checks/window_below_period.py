"""A window that is shorter than two documents of its stream lie apart."""

from __future__ import annotations

from collections.abc import Iterator

from sre_obs.content.duration import format_duration
from sre_obs.content.rules.checks.subject import Subject
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.rule import RuleKind

SLUG = "rules/window-below-period"

# Two samples: one may always be late, and a step needs two.
_SAMPLES = 2


def check(subject: Subject) -> Iterator[Problem]:
    """Each window in which there is often nothing to see, and a `stale_after` likewise."""
    rule = subject.rule
    period = _period(subject, rule.index)
    if period and (rule.kind is not RuleKind.THRESHOLD or _measures_its_own(subject)):
        key = "from" if "from" in subject.written.root else "index"
        yield from _window(subject, rule.window, period, subject.written.at(key), "from")
    for measured in subject.measures:
        block = ("measures", measured.measure.name)
        own = _period(subject, measured.indices)
        if not own or (measured.window == rule.window and not measured.measure.index):
            continue
        given = subject.block(*block)
        key = "from" if isinstance(given, dict) and "from" in given else "index"
        yield from _window(subject, measured.window, own, subject.written.key(*block, key), "from")
    if period and rule.stale_after < _SAMPLES * period and "stale_after" in subject.written.root:
        place = subject.written.at("stale_after")
        yield from _window(subject, rule.stale_after, period, place, "stale_after")


def _window(
    subject: Subject, window: float, period: float, place: Location, key: str
) -> Iterator[Problem]:
    needed = _SAMPLES * period
    if window >= needed:
        return
    value = format_duration(needed)
    yield subject.problem(
        SLUG,
        place,
        f"{format_duration(window)} is too short: the stream has a document of each thing "
        f"every {format_duration(period)}, and one may be late",
        f'write "{key}: {"now-" if key == "from" else ""}{value}" or more',
        Severity.WARNING,
    )


def _measures_its_own(subject: Subject) -> bool:
    rule = subject.rule
    return not rule.measures or any(
        m.window == rule.window and not m.measure.index for m in subject.measures
    )


def _period(subject: Subject, indices: tuple[str, ...]) -> float:
    """The longest period of the streams, 0 where one of them is not sampled or not known."""
    periods = []
    for index in indices:
        streams = subject.contract.streams_of(index)
        if not streams or not all(stream.sampled for stream in streams):
            return 0.0
        # A pattern over many streams has something of one of them in any case.
        periods.append(min(stream.period for stream in streams))
    return max(periods, default=0.0)
