"""Test files -> cases -> a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from sre_obs.adapters.clock import SystemClock
from sre_obs.app.usecases.rule_tests.clauses import Coverage, Unseen
from sre_obs.app.usecases.rule_tests.compare import Difference, differences
from sre_obs.app.usecases.rule_tests.nearest import nearest
from sre_obs.app.usecases.rule_tests.play import Played, play
from sre_obs.app.usecases.rule_tests.source import CaseSource, Types, corpus_of
from sre_obs.app.usecases.rule_tests.watch import changes
from sre_obs.content.rules.load import load_rule
from sre_obs.content.shape import error_free
from sre_obs.content.tests.documents import documents_of
from sre_obs.content.tests.load import is_test, load_suite, rule_of
from sre_obs.content.tests.suite import Case, Suite
from sre_obs.evaluate.ports import Renderer
from sre_obs.model.errors import ContentError, UsageError
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.rule import Rule


@dataclass(frozen=True, slots=True)
class Result:
    """One case that was run. It passed if nothing differs."""

    rule: str
    name: str
    location: Location
    differences: tuple[Difference, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether everything came as expected."""
        return not self.differences


@dataclass(slots=True)
class Report:
    """What all cases came to. `problems` keep files from being run: as bad as a failure."""

    results: list[Result] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    rules: set[str] = field(default_factory=set)
    seconds: float = 0.0
    clauses: int = 0  # of all rules; 0 where they were not looked at
    unseen: list[Unseen] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """How many cases did not pass."""
        return sum(not result.passed for result in self.results)

    @property
    def ok(self) -> bool:
        """Whether all that was to be run ran and passed."""
        return not self.failed and error_free(self.problems)


@dataclass(frozen=True, slots=True)
class Found:
    """A test file and what it is called in messages."""

    path: Path
    name: str


def find_tests(paths: Sequence[Path]) -> list[Found]:
    """The test files of folders (all below), of rules and of test files themselves.

    Raises UsageError for a path that is not there, or a rule without a test.
    """
    found: dict[Path, Found] = {}
    for path in paths:
        if path.is_dir():
            for file in _below(path):
                found.setdefault(file.absolute(), Found(file, str(file)))
        elif is_test(path) and path.is_file():
            found.setdefault(path.absolute(), Found(path, str(path)))
        elif path.is_file():
            beside = [path.with_name(path.stem + end) for end in (".test.yml", ".test.yaml")]
            test = next((one for one in beside if one.is_file()), None)
            if test is None:
                raise UsageError(
                    "this rule has no test", where=str(path), remedy=f"write {beside[0].name}"
                )
            found.setdefault(test.absolute(), Found(test, str(test)))
        else:
            raise UsageError("no such file or folder", where=str(path), remedy="check the path")
    return list(found.values())


def watched(paths: Sequence[Path]) -> Iterator[list[Found]]:
    """The test files to run again, each time that some, or their rules, have changed. Ends
    with the process."""
    yield from changes(lambda: [(f, (f.path, rule_of(f.path))) for f in find_tests(paths)])


class Tester:
    """Runs cases; one renderer and one reading of the telemetry contract for all."""

    def __init__(
        self,
        renderer: Renderer,
        types: Types,
        timer: Callable[[], float],
        *,
        recordings: Path | None = None,
    ) -> None:
        """`recordings`: see `load_suite`."""
        self._renderer = renderer
        self._types = types
        self._timer = timer
        self._recordings = recordings

    def run(self, files: Iterable[Found], *, chosen: str = "") -> Report:
        """Every case of these files whose name, or rule, fits the pattern `chosen`.

        Clauses are looked at only where all cases are run.
        """
        report = Report()
        began = self._timer()
        for file in files:
            suite, problems = load_suite(file.path, name=file.name, recordings=self._recordings)
            report.problems += problems
            if suite is not None:
                self._suite(suite, file, report, chosen)
        report.seconds = self._timer() - began
        return report

    def _suite(self, suite: Suite, file: Found, report: Report, chosen: str) -> None:
        rule, problems = self._rule(suite, file)
        report.problems += problems
        if rule is None:
            return
        coverage = None if chosen else Coverage(rule)
        for case in suite.cases:
            if chosen and not _chosen(chosen, rule.id, case.name):
                continue
            report.rules.add(rule.id)
            began = self._timer()
            try:
                found = self._case(rule, case, suite.start, coverage)
            except ContentError as error:
                report.problems += error.problems
                continue
            report.results.append(
                Result(rule.id, case.name, case.location, tuple(found), self._timer() - began)
            )
        if coverage is not None:
            report.clauses += len(coverage.clauses)
            report.unseen += coverage.unseen(suite.rule)

    def _rule(self, suite: Suite, file: Found) -> tuple[Rule | None, list[Problem]]:
        path = suite.rule
        if not path.is_file():
            message = f"there is no rule {path.name} beside this test"
            problem = Problem(
                "tests/no-rule",
                Severity.ERROR,
                Location(file.name),
                message,
                "name the test <slug>.test.yml, as the rule",
            )
            return None, [problem]
        name = str(Path(file.name).with_name(path.name))
        rule, problems = load_rule(path, name=name)
        return rule, [p for p in problems if p.severity is Severity.ERROR]

    def _case(
        self, rule: Rule, case: Case, start: float, coverage: Coverage | None
    ) -> list[Difference]:
        documents = documents_of(case.documents, start)
        source = CaseSource(corpus_of(documents, self._types), rule.source)
        played = self._play(rule, case, source, start)
        found = differences(rule, case, played, start)
        if any(one.missing for one in found):
            found = nearest(found, rule, case, source, self._renderer, start=start)
        if coverage is not None:
            coverage.watch(rule, case, source, self._renderer, start=start)
        return found

    def _play(self, rule: Rule, case: Case, source: CaseSource, start: float) -> Played:
        return play(rule, case, source, self._renderer, start=start, timer=self._timer)


@contextmanager
def tester() -> Iterator[Callable[..., Report]]:
    """`Tester.run` with the real renderer, the recordings of the demo and the contract."""
    from sre_obs.adapters.templates import BoundedRenderer

    renderer = BoundedRenderer()
    recordings = Path(__file__).parents[2] / "demo" / "telemetry"
    try:
        yield Tester(renderer, lambda _: {}, SystemClock().timer, recordings=recordings).run
    finally:
        renderer.close()


def _chosen(pattern: str, rule: str, name: str) -> bool:
    if any(c in pattern for c in "*?["):
        return fnmatchcase(rule, pattern) or fnmatchcase(name, pattern)
    return pattern in rule or pattern in name


def _below(folder: Path) -> list[Path]:
    hidden = [".", "_"]
    return sorted(
        path
        for suffix in ("*.test.yml", "*.test.yaml")
        for path in folder.rglob(suffix)
        if not any(part[:1] in hidden[:1] for part in path.relative_to(folder).parts)
    )


__all__ = ["Found", "Report", "Result", "Tester", "find_tests", "tester", "watched"]
