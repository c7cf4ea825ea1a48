"""Test files -> cases -> a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sre_obs.adapters.clock import SystemClock
from sre_obs.app.bundled import bundled_rules
from sre_obs.app.usecases.rule_tests.against import (
    ScratchIndices,
    ServerSource,
    disagreements,
    new_prefix,
    put,
)
from sre_obs.app.usecases.rule_tests.clauses import Coverage
from sre_obs.app.usecases.rule_tests.compare import Difference, differences
from sre_obs.app.usecases.rule_tests.files import (
    Found,
    find_tests,
    left_out,
    tested_rule,
    tuned,
    watched,
    written_rule,
)
from sre_obs.app.usecases.rule_tests.nearest import nearest, unread
from sre_obs.app.usecases.rule_tests.play import Played, play
from sre_obs.app.usecases.rule_tests.report import Report, Result
from sre_obs.app.usecases.rule_tests.share import processors, shared
from sre_obs.app.usecases.rule_tests.source import CaseSource, Stage
from sre_obs.app.usecases.rule_tests.types import Contracts, Types
from sre_obs.content.tests.load import load_suite
from sre_obs.content.tests.suite import Case, Suite
from sre_obs.evaluate.ports import Renderer, Source
from sre_obs.model.errors import ContentError
from sre_obs.model.problem import Problem
from sre_obs.model.rule import Rule

if TYPE_CHECKING:
    from sre_obs.adapters.elasticsearch import ElasticsearchOptions

# What was recorded of real servers, a folder a service.
RECORDINGS = Path(__file__).parents[2] / "demo" / "telemetry"
# From so many cases on a second process pays for its start.
MANY = 100


@dataclass(frozen=True, slots=True)
class _Trial:
    """A rule with the cases that are to be run of it. `written` is the rule before the
    file's `overrides`: clauses are those of the rule's own file."""

    rule: Rule
    written: Rule
    suite: Suite
    cases: tuple[Case, ...]


@dataclass(slots=True)
class _Share:
    """What came of some cases of one trial; `seen` goes with the rule's clauses."""

    trial: int
    results: list[Result] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    left_out: int = 0
    seen: list[set[bool]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Server:
    """A real server to compare with: how it is searched, and where cases put documents."""

    source: Source
    scratch: ScratchIndices


class ClosingRenderer(Renderer, Protocol):
    """A renderer with a process of its own."""

    def close(self) -> None:
        """End the process, if there is one."""
        ...


class Runner:
    """Runs cases; one renderer and one reading of the telemetry contract for all."""

    def __init__(
        self,
        make_renderer: Callable[[], ClosingRenderer],
        types_of: Callable[[Path], Types],
        timer: Callable[[], float],
        *,
        recordings: Path | None = None,
        server: Server | None = None,
    ) -> None:
        """`types_of` a rule's file are the types of its documents' fields; `recordings`: see
        `load_suite`. With a `server` what differs is not what is
        expected and what came, but what came here and there."""
        self._make_renderer = make_renderer
        self._renderer = make_renderer()
        self._types_of = types_of
        self._timer = timer
        self._recordings = recordings
        self._server = server

    def close(self) -> None:
        """End what renders."""
        self._renderer.close()

    def run(self, files: Iterable[Found], *, chosen: str = "") -> Report:
        """Every case of these files whose name, or rule, fits the pattern `chosen`.

        Clauses are looked at only where all cases are run.
        """
        report = Report()
        began = self._timer()
        trials = [trial for file in files if (trial := self._trial(file, report, chosen))]
        report.server = self._server.source.describe() if self._server is not None else ""
        parts = _parts(trials, 1 if self._server is not None else processors())
        watch = not chosen and self._server is None
        if len(parts) == 1:
            shares = self._work(trials, parts[0], self._renderer, watch=watch)
        else:

            def work(part: int) -> list[_Share]:
                if part == 0:
                    return self._work(trials, parts[0], self._renderer, watch=watch)
                with closing(self._make_renderer()) as renderer:
                    return self._work(trials, parts[part], renderer, watch=watch)

            shares = [share for some in shared(work, len(parts)) for share in some]
        self._gather(trials, shares, report, watch=watch)
        report.seconds = self._timer() - began
        return report

    def _gather(
        self, trials: Sequence[_Trial], shares: Iterable[_Share], report: Report, *, watch: bool
    ) -> None:
        of: dict[int, list[_Share]] = {}
        for share in shares:
            of.setdefault(share.trial, []).append(share)
        for number, trial in enumerate(trials):
            report.rules.add(trial.rule.id)
            for share in of.get(number, ()):
                report.results += share.results
                report.problems += share.problems
                report.left_out += share.left_out
            if watch:
                coverage = Coverage(trial.written)
                for share in of.get(number, ()):
                    coverage.add(share.seen)
                report.clauses += len(coverage.clauses)
                report.unseen += coverage.unseen(trial.suite.rule)

    def _trial(self, file: Found, report: Report, chosen: str) -> _Trial | None:
        suite, problems = load_suite(file.path, name=file.name, recordings=self._recordings)
        report.problems += problems
        report.left_out += left_out(file.path, suite)
        if suite is None:
            return None
        rule, problems = written_rule(suite, file.name)
        report.problems += problems
        if rule is None:
            report.left_out += len(suite.cases)
            return None
        ready, problems = tuned(rule, suite)
        report.problems += problems
        if ready is None:
            report.left_out += len(suite.cases)
            return None
        cases = suite.cases
        if chosen:
            cases = tuple(c for c in suite.cases if _chosen(chosen, rule.id, c.name))
        return _Trial(ready, rule, suite, cases) if cases else None

    def _work(
        self,
        trials: Sequence[_Trial],
        part: Sequence[tuple[int, slice]],
        renderer: Renderer,
        *,
        watch: bool,
    ) -> list[_Share]:
        shares = []
        for number, some in part:
            trial = trials[number]
            share = _Share(number)
            coverage = Coverage(trial.written) if watch else None
            seen: list[tuple[Case, list[float]]] = []
            for case in trial.cases[some]:
                began = self._timer()
                try:
                    found, source, times = self._case(trial, case, renderer)
                except ContentError as error:
                    share.problems += error.problems
                    share.left_out += 1
                    continue
                seconds = self._timer() - began
                result = Result(trial.rule.id, case.name, case.location, tuple(found), seconds)
                share.results.append(result)
                if coverage is not None and not coverage.done:
                    coverage.glance(trial.rule, source, renderer, times)
                    seen.append((case, times))
            if coverage is not None:
                for case, times in seen:
                    if coverage.done:
                        break
                    # Its documents again: to keep those of all cases takes what memory there is.
                    with suppress(ContentError):  # a recording that has gone since
                        source = self._stage(trial, case).source(trial.rule.source)
                        coverage.watch(trial.rule, source, renderer, times)
                share.seen = [clause.seen for clause in coverage.clauses]
            shares.append(share)
        return shares

    def _case(
        self, trial: _Trial, case: Case, renderer: Renderer
    ) -> tuple[list[Difference], CaseSource, list[float]]:
        """What differs; what it was found in and at which times."""
        rule, start = trial.rule, trial.suite.start
        stage = self._stage(trial, case)
        source = stage.source(rule.source)
        played = play(rule, case, source, renderer, start=start, timer=self._timer)
        if self._server is not None:
            return self._there(trial, case, stage, renderer, played), source, played.times
        found = differences(rule, case, played, start)
        if any(one.missing for one in found):
            found = nearest(found, rule, source, renderer, played.times)
            found = unread(found, rule, source)
        return found, source, played.times

    def _stage(self, trial: _Trial, case: Case) -> Stage:
        """What a case plays on. Raises ContentError for a recording that can't be read."""
        types = self._types_of(trial.suite.rule)
        return Stage.of(trial.rule, case, types, trial.suite.start)

    def _there(
        self,
        trial: _Trial,
        case: Case,
        stage: Stage,
        renderer: Renderer,
        ours: Played,
    ) -> list[Difference]:
        """What came otherwise on the server. Raises SourceError if it can't be prepared."""
        assert self._server is not None
        scratch, start = self._server.scratch, trial.suite.start
        try:
            put(scratch, stage)
            there = ServerSource(self._server.source, scratch)
            theirs = play(trial.rule, case, there, renderer, start=start, timer=self._timer)
        finally:
            scratch.drop()
        return disagreements(trial.rule, case, ours, theirs, start)


@cache
def bundled_contracts() -> Contracts:
    """The contract that ships with the program, extended by what lies beside a rule."""
    return Contracts(bundled_rules() / "telemetry")


def contract_types(rule: Path) -> Types:
    """Field types by index, for the tests of the rule in this file."""
    return bundled_contracts().of(rule)


@contextmanager
def runner(against: ElasticsearchOptions | None = None) -> Iterator[Callable[..., Report]]:
    """`Runner.run` with the real renderer, the recordings of the demo and the contract, and
    with the server of these options to compare with."""
    from sre_obs.adapters.templates import BoundedRenderer

    timer = SystemClock().timer
    with ExitStack() as stack:
        server: Server | None = None
        if against is not None:
            from sre_obs.adapters.elasticsearch import ElasticsearchSource
            from sre_obs.adapters.elasticsearch.scratch import Scratch

            source = stack.enter_context(closing(ElasticsearchSource("default", against)))
            scratch = stack.enter_context(closing(Scratch("default", against, new_prefix())))
            source.info()  # nobody wants to hear 200 times that it is not there
            server = Server(source, scratch)
        made = Runner(BoundedRenderer, contract_types, timer, recordings=RECORDINGS, server=server)
        stack.enter_context(closing(made))

        def run(files: Iterable[Found], *, chosen: str = "") -> Report:
            report = made.run(files, chosen=chosen)
            report.problems = [*bundled_contracts().problems, *report.problems]
            return report

        yield run


def _parts(trials: Sequence[_Trial], most: int) -> list[list[tuple[int, slice]]]:
    """The cases in parts of about the same number, one a process; those of one rule together
    as far as that goes, since a clause once seen is not looked for again."""
    total = sum(len(trial.cases) for trial in trials)
    parts = max(1, min(most, total // MANY))
    size = -(-total // parts) or 1
    found: list[list[tuple[int, slice]]] = [[]]
    room = size
    for number, trial in enumerate(trials):
        at = 0
        while at < len(trial.cases):
            if room == 0:
                found.append([])
                room = size
            taken = min(room, len(trial.cases) - at)
            found[-1].append((number, slice(at, at + taken)))
            at += taken
            room -= taken
    return found


def _chosen(pattern: str, rule: str, name: str) -> bool:
    if any(c in pattern for c in "*?["):
        return fnmatchcase(rule, pattern) or fnmatchcase(name, pattern)
    return pattern in rule or pattern in name


__all__ = [
    "Found",
    "Report",
    "Result",
    "Runner",
    "contract_types",
    "find_tests",
    "runner",
    "tested_rule",
    "watched",
]
