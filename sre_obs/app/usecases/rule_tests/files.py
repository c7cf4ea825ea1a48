"""Which test files there are, and which rule each is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sre_obs.app.usecases.rule_tests.watch import changes
from sre_obs.content import yaml
from sre_obs.content.overrides import tune
from sre_obs.content.rules.load import load_rule
from sre_obs.content.shape import error_free
from sre_obs.content.tests.load import is_test, rule_of
from sre_obs.content.tests.suite import Suite
from sre_obs.content.yaml import Map, Seq
from sre_obs.model.errors import UsageError
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.rule import Rule


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


def tested_rule(suite: Suite, name: str) -> tuple[Rule | None, list[Problem]]:
    """The rule that a test file is about, as its `overrides` make it; None and why not where
    it can't be used. `name` is what the test file is called."""
    rule, problems = written_rule(suite, name)
    return tuned(rule, suite) if rule is not None else (None, problems)


def written_rule(suite: Suite, name: str) -> tuple[Rule | None, list[Problem]]:
    """The rule as it is in its own file. Warnings are the check's business."""
    path = suite.rule
    if not path.is_file():
        problem = Problem(
            "tests/no-rule",
            Severity.ERROR,
            Location(name),
            f"there is no rule {path.name} beside this test",
            "name the test <slug>.test.yml, as the rule",
        )
        return None, [problem]
    rule, problems = load_rule(path, name=str(Path(name).with_name(path.name)))
    return rule, [p for p in problems if p.severity is Severity.ERROR]


def tuned(rule: Rule, suite: Suite) -> tuple[Rule | None, list[Problem]]:
    """The rule as a test file's `overrides` make it; None and why not where they are wrong."""
    if suite.overrides is None:
        return rule, []
    ready, problems = tune(rule, suite.document, suite.overrides)
    return (ready if error_free(problems) else None), problems


def left_out(path: Path, suite: Suite | None) -> int:
    """How many cases of a test file are written and wrong; all of them without a suite."""
    document = suite.document if suite is not None else yaml.load(path)[0]
    root = document.root
    written = root.get("cases") if isinstance(root, Map) else None
    if not isinstance(written, Seq):
        return 0
    known = {case.location for case in suite.cases} if suite is not None else set()
    return sum(document.location(case.start) not in known for case in written)


def _below(folder: Path) -> list[Path]:
    return sorted(
        path
        for pattern in ("*.test.yml", "*.test.yaml")
        for path in folder.rglob(pattern)
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
