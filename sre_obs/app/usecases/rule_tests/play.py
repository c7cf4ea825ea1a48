"""One case: its documents, a virtual clock, and the evaluation that the daemon runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from sre_obs.content.mistakes import shown
from sre_obs.content.tests.documents import last_of
from sre_obs.content.tests.suite import Case, Change
from sre_obs.evaluate.alerts import label_names
from sre_obs.evaluate.evaluate import evaluate, unreadable
from sre_obs.evaluate.ports import Renderer, Source
from sre_obs.model.alert import Alert, EndReason
from sre_obs.model.errors import ContentError
from sre_obs.model.evaluation import Outcome, Phase
from sre_obs.model.expression import NOW, Name, names
from sre_obs.model.ledger import Ledger
from sre_obs.model.problem import Problem, Severity
from sre_obs.model.rule import NoData, Rule, RuleKind

# Of one case: a window of a month with an interval of a second is a mistake.
MOST_ROUNDS = 50_000


class TimedSource(Source, Protocol):
    """A source that is told what time it is."""

    now: float


@dataclass(slots=True)
class Episode:
    """One alert from when it fired. Times are seconds from 0s."""

    fires: float
    starts: float
    severity: str
    labels: Mapping[str, str]
    entity: Mapping[str, str]
    text: Mapping[str, str]
    value: float | None
    resolves: float | None = None
    ended: EndReason | None = None
    levels: list[Change] = field(default_factory=list)
    alert: Alert | None = None  # as it was when it fired


@dataclass(slots=True)
class Played:
    """What came of a case: its alerts in order, how the rule stood after each round, and
    what is wrong with the rule itself (the words of the first round that said so)."""

    episodes: list[Episode] = field(default_factory=list)
    stands: list[tuple[float, Outcome]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)  # of the rounds, since the epoch
    error: str = ""
    wrong_at: float = 0.0

    def stand(self, at: float) -> Outcome | None:
        """How the rule stood after the last run up to `at`."""
        found = None
        for time, outcome in self.stands:
            if time > at:
                break
            found = outcome
        return found


def until_of(rule: Rule, case: Case, start: float) -> float:
    """Up to when a case is evaluated, in seconds from 0s: as it says, else until its last
    document has left the window and what it made true is over."""
    if case.until is not None:
        return case.until
    gone = last_of(case.documents, start) + rule.window + rule.query_delay
    over = gone + rule.keep_firing_for + rule.interval
    return max(over, rule.for_ + 2 * rule.interval)


def rounds(rule: Rule, case: Case, until: float) -> list[float]:
    """The times of the evaluations, in seconds from 0s. Raises ContentError for too many: a
    case that is cut off would pass whatever its end brings."""
    count = int(until / rule.interval + 1e-9) + 1
    if count > MOST_ROUNDS:
        message = f"{shown(case.name)} needs {count:,} runs, at most {MOST_ROUNDS:,}"
        remedy = "set until, or a longer interval in overrides"
        place = case.location
        raise ContentError([Problem("tests/too-many", Severity.ERROR, place, message, remedy)])
    return [round(k * rule.interval, 3) for k in range(count)]


class _Ending:
    """When nothing more can come of a case, though its time is not over.

    While its stream is silent a rule holds what it has, and all that it may say is what more
    documents could not undo. If no document is to come, and those in the windows can only
    leave them, that is nothing new. (Half of a pack's cases end in a window of half an hour
    in which nothing happens.)
    """

    def __init__(self, rule: Rule, case: Case, start: float) -> None:
        self._rule = rule
        ends = max((measure.ends for measure in rule.measures), default=0.0)
        self._after = start + last_of(case.documents, start) + rule.query_delay + ends
        self._possible = (
            rule.kind is not RuleKind.ABSENCE
            and rule.no_data is NoData.HOLD
            # A series may seem to begin when its first document has left the window.
            and not any(measure.from_zero for measure in rule.measures)
            # What is measured by the clock goes on without documents.
            and not any(name.name == NOW for name in _names(rule))
        )

    def reached(self, at: float, ledger: Ledger) -> bool:
        """Whether the run at `at` is as good as the last."""
        if not self._possible or at <= self._after:
            return False
        run = ledger.runs[self._rule.id]
        if run.outcome is not Outcome.STALE or unreadable(run):
            return False
        states = ledger.entities_of(self._rule.id).values()
        return all(s.stale_since is not None for s in states if s.phase is not Phase.OK)


def _names(rule: Rule) -> Iterator[Name]:
    for expression in (rule.value, rule.when, rule.valid):
        if expression is not None:
            yield from names(expression)


def play(
    rule: Rule,
    case: Case,
    source: TimedSource,
    renderer: Renderer,
    *,
    start: float,
    timer: Callable[[], float],
    whole: bool = False,
) -> Played:
    """Evaluate `rule` from 0s on, at each of its intervals, until nothing more can come of it
    or (`whole`) for as long as the case says. Raises ContentError for too many runs."""
    played = Played()
    ledger = Ledger()
    open_: dict[tuple[str, float], Episode] = {}
    fields = {label: name for name, label in label_names(rule).items()}
    ending = _Ending(rule, case, start)
    for seconds in rounds(rule, case, until_of(rule, case, start)):
        at = start + seconds
        source.now = at
        changes = evaluate(
            (rule,),
            at,
            source,
            {rule.id: ledger.entities_of(rule.id)},
            renderer,
            timer=timer,
            alerts=ledger.alerts,
        )
        ledger.apply(changes)
        for alert in changes.alerts:
            key = (alert.fingerprint, alert.fired_at)
            episode = open_.get(key)
            if episode is None:
                episode = open_[key] = _episode(alert, fields, start)
                played.episodes.append(episode)
            _follow(episode, alert, seconds, start)
        for run in changes.runs:
            played.stands.append((seconds, run.outcome))
            # A silent stream has words of its own; it is no fault of the rule.
            if run.error and run.outcome is not Outcome.STALE and not played.error:
                played.error, played.wrong_at = run.error, seconds
        played.times.append(at)
        if not whole and ending.reached(at, ledger):
            break
    return played


def _episode(alert: Alert, fields: Mapping[str, str], start: float) -> Episode:
    return Episode(
        fires=round(alert.fired_at - start, 3),
        starts=round(alert.starts_at - start, 3),
        severity=alert.labels.get("severity", ""),
        labels=alert.labels,
        entity={fields[n]: value for n, value in alert.labels.items() if n in fields},
        text=alert.annotations,
        value=alert.evidence.value,
        alert=replace(alert),
    )


def _follow(episode: Episode, alert: Alert, seconds: float, start: float) -> None:
    last = episode.levels[-1].severity if episode.levels else episode.severity
    severity = alert.labels.get("severity", "")
    if severity != last and alert.ended is None:
        episode.levels.append(Change(seconds, severity))
    if alert.ended is not None and alert.ends_at is not None and episode.resolves is None:
        episode.resolves = round(alert.ends_at - start, 3)
        episode.ended = alert.ended
