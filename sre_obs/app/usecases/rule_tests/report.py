"""What a run of tests came to."""

from __future__ import annotations

from dataclasses import dataclass, field

from sre_obs.app.usecases.rule_tests.clauses import Unseen
from sre_obs.app.usecases.rule_tests.compare import Difference
from sre_obs.content.shape import error_free
from sre_obs.model.problem import Location, Problem


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
    left_out: int = 0  # cases that could not be run
    rules: set[str] = field(default_factory=set)
    seconds: float = 0.0
    server: str = ""  # which one the cases were compared with, if they were
    clauses: int = 0  # of all rules; 0 where they were not looked at
    unseen: list[Unseen] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """How many cases did not pass."""
        return sum(not result.passed for result in self.results)

    @property
    def ok(self) -> bool:
        """Whether all that was to be run ran and passed. Of nothing nothing is proven."""
        return bool(self.results) and not self.failed and error_free(self.problems)
