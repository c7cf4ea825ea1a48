"""The end of a test run: seconds a phase, the slowest tests, one closing line."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.tiers.phases import Ran

SLOWEST = 20


@dataclass(frozen=True, slots=True)
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )


@dataclass(frozen=True, slots=True)
class Timed:
    seconds: float
    phase: str
    name: str


def read_junit(path: Path, phase: str) -> tuple[Count, list[Timed]]:
    """The counts and the times in one of pytest's junit files; errors count as failed.

    An empty file's worth when there is none, since pytest did not come to its end.
    """
    count, times = Count(), []
    for case in _cases(path):
        outcomes = {child.tag for child in case}
        if outcomes & {"failure", "error"}:
            count += Count(failed=1)
        elif "skipped" in outcomes:
            count += Count(skipped=1)
        else:
            count += Count(passed=1)
        times.append(Timed(float(case.get("time", "0")), phase, _name(case)))
    return count, times


def skipped_tests(path: Path) -> list[str]:
    """The tests that were skipped; one that was expected to fail was not."""
    return [
        _name(case)
        for case in _cases(path)
        for child in case
        if child.tag == "skipped" and child.get("type") != "pytest.xfail"
    ]


def _cases(path: Path) -> list[ElementTree.Element]:
    return list(ElementTree.parse(path).iter("testcase")) if path.is_file() else []


def _name(case: ElementTree.Element) -> str:
    return f"{case.get('classname', '')}::{case.get('name', '')}"


def summary(phases: Sequence[Ran]) -> str:
    """The text that ends a run; its last line is 'N passed, N failed, N skipped'."""
    total, times = Count(), []
    lines = ["", "phase                      seconds   goal  passed  failed  skipped"]
    for ran in phases:
        count = Count()
        if ran.junit is not None:
            count, timed = read_junit(ran.junit, ran.name)
            times += timed
        total += count
        late = "  over its goal" if ran.seconds > ran.goal > 0 else ""
        goal = f"{ran.goal:.0f}" if ran.goal else ""
        lines.append(
            f"{ran.name:<26} {ran.seconds:>7.1f} {goal:>6} {count.passed:>7} "
            f"{count.failed:>7} {count.skipped:>8}{late}"
        )
    if times:
        times.sort(key=lambda timed: -timed.seconds)
        lines += ["", f"the {SLOWEST} slowest tests"]
        lines += [f"{t.seconds:>8.2f} s  {t.phase}: {t.name}" for t in times[:SLOWEST]]
    lines += ["", *notes] if (notes := [f"{r.name}: {r.note}" for r in phases if r.note]) else []
    failures = [f"{ran.name}: {failure}" for ran in phases for failure in ran.failures]
    if failures:
        lines += ["", "FAILED", *failures]
    lines += ["", f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped"]
    return "\n".join(lines)


def executed(phases: Sequence[Ran]) -> int:
    """How many tests were executed in all phases together; skipped ones were not."""
    counts = [read_junit(ran.junit, ran.name)[0] for ran in phases if ran.junit is not None]
    return sum(count.passed + count.failed for count in counts)
