"""`sre-obs test`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sre_obs.app.cli.errors import printable, problem_json, show_problems
from sre_obs.app.cli.parsing import colour_option, example
from sre_obs.app.cli.screen import Screen, counted

if TYPE_CHECKING:
    from sre_obs.app.usecases.rule_tests.run import Report, Result


@click.command(
    "test",
    epilog=example("sre-obs test rules", "sre-obs test rules/postgresql/pg-deadlocks.test.yml"),
)
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH..."
)
@click.option(
    "--filter",
    "chosen",
    default="",
    metavar="TEXT",
    help="Only cases whose name, or rule, holds this text or fits this pattern.",
)
@click.option(
    "--output",
    "-o",
    "outputs",
    multiple=True,
    default=("text",),
    metavar="text|json|junit[:FILE]",
    help="For people, one JSON document, or JUnit's XML; into a file, beside the other.",
)
@colour_option
@click.pass_obj
def command(screen: Screen, paths: Sequence[Path], chosen: str, outputs: Sequence[str]) -> int:
    """Run the tests of rules: a folder, a rule or a test file."""
    import sre_obs.app.demo
    from sre_obs.adapters.clock import SystemClock
    from sre_obs.adapters.templates import BoundedRenderer
    from sre_obs.app.usecases.rule_tests.run import Tester, find_tests

    renderer = BoundedRenderer()
    recordings = Path(sre_obs.app.demo.__path__[0]) / "telemetry"
    try:
        tester = Tester(renderer, lambda _: {}, SystemClock().timer, recordings=recordings)
        report = tester.run(find_tests(paths), chosen=chosen)
    finally:
        renderer.close()
    if screen.as_json:
        screen.json(_json(report))
    else:
        _show(screen, report)
    return 0 if report.ok else 1


def _show(screen: Screen, report: Report) -> None:
    show_problems(screen, report.problems)
    for result in report.results:
        if not result.passed:
            _failure(screen, result)
    failed = report.failed
    passed = len(report.results) - failed
    told = f"{passed} passed" + (f", {failed} failed" if failed else "")
    screen.out(
        f"{counted(len(report.rules), 'rule')}, {counted(len(report.results), 'case')}: "
        f"{told} ({report.seconds:.1f} s)"
    )
    if report.clauses:
        seen = report.clauses - len(report.unseen)
        screen.out(f"clauses: {seen} of {report.clauses} seen true and false")
    for one in report.unseen:
        screen.out(f"  {printable(str(one.location))}: never {one.never}: {printable(one.text)}")


def _failure(screen: Screen, result: Result) -> None:
    mark = click.style("FAIL", fg="red")
    screen.out(f'{mark} {printable(str(result.location))}: "{printable(result.name)}"')
    for one in result.differences:
        screen.out(f"  expected  {printable(one.expected)}")
        screen.out(f"  got       {printable(one.got)}")


def _json(report: Report) -> dict[str, Any]:
    return {
        "rules": len(report.rules),
        "cases": len(report.results),
        "passed": len(report.results) - report.failed,
        "failed": report.failed,
        "seconds": round(report.seconds, 3),
        "failures": [
            {
                "rule": result.rule,
                "case": result.name,
                "file": result.location.file,
                "line": result.location.line,
                "column": result.location.column,
                "differences": [
                    {
                        "file": one.place.file,
                        "line": one.place.line,
                        "column": one.place.column,
                        "expected": one.expected,
                        "got": one.got,
                    }
                    for one in result.differences
                ],
            }
            for result in report.results
            if not result.passed
        ],
        "clauses": {
            "all": report.clauses,
            "seen": report.clauses - len(report.unseen),
            "unseen": [
                {
                    "file": one.location.file,
                    "line": one.location.line,
                    "column": one.location.column,
                    "never": one.never,
                    "clause": one.text,
                }
                for one in report.unseen
            ],
        },
        "problems": [problem_json(problem) for problem in report.problems],
    }
