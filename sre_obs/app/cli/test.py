"""`sre-obs test`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sre_obs.app.cli.errors import printable, problem_json, show_problems
from sre_obs.app.cli.parsing import colour_option, example
from sre_obs.app.cli.reports import report_options, write_report
from sre_obs.app.cli.screen import Screen, counted
from sre_obs.model.errors import UsageError

if TYPE_CHECKING:
    from sre_obs.adapters.elasticsearch import ElasticsearchOptions
    from sre_obs.app.usecases.rule_tests.run import Report, Result


@click.command(
    "test",
    epilog=example(
        "sre-obs test rules",
        "sre-obs test rules/postgresql/pg-deadlocks.yml --watch",
        "sre-obs test rules --coverage-required --output junit:report.xml",
    ),
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
@click.option("--watch", is_flag=True, help="Go on, and run again what changes.")
@click.option(
    "--coverage-required",
    is_flag=True,
    help="Fail while a clause was never seen true, or never false.",
)
@click.option(
    "--against",
    type=click.Choice(["elasticsearch"]),
    help="Run every case on that server too, and list where it comes to something else.",
)
@click.option(
    "--url", default="", metavar="URL", help="The server; without it sources.default of --config."
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings file, for --against [sre-obs.yml].",
)
@report_options("text", "json", "junit")
@colour_option
@click.pass_obj
def command(
    screen: Screen,
    paths: Sequence[Path],
    chosen: str,
    watch: bool,
    coverage_required: bool,
    against: str | None,
    url: str,
    config: Path | None,
    outputs: Mapping[str, Path | None],
) -> int:
    """Run the tests of rules: those of a folder, of a rule, or one test file.

    rules/TESTING.md says how they are written.
    """
    from sre_obs.app.usecases.rule_tests.run import find_tests, runner, watched
    from sre_obs.content.shape import error_free

    with runner(_server(url, config) if against else None) as run:
        report = run(find_tests(paths), chosen=chosen)
        _tell(screen, report, outputs)
        if not report.results and error_free(report.problems):
            _tell_nothing(screen, ", ".join(map(str, paths)), chosen)
        if watch:
            for files in watched(paths):
                screen.err("")
                _tell(screen, run(files, chosen=chosen), outputs)
    return 0 if report.ok and not (coverage_required and report.unseen) else 1


def _server(url: str, config: Path | None) -> ElasticsearchOptions:
    """How the server is reached. Raises UsageError."""
    import os

    from sre_obs.app.settings import load
    from sre_obs.app.wiring import source_options

    given = {"sources.default.hosts": (url, "--url")} if url else {}
    source = load(config, os.environ, given).settings.sources.get("default")
    if source is None or not source.hosts:
        raise UsageError("no server is named", where="--against", remedy="write --url URL")
    return source_options("default", source)


def _tell_nothing(screen: Screen, paths: str, chosen: str) -> None:
    """Say that there was nothing to test: a job that is green must have tested something."""
    message = f"no test in {paths}: nothing was tested"
    remedy = "write <slug>.test.yml beside a rule"
    if chosen:
        message = f'no case in {paths} fits --filter "{chosen}": nothing was tested'
        remedy = "give a part of a case's or a rule's name"
    screen.err(f"{click.style('error', fg='red')}: {printable(message)}")
    screen.err(f"  do: {remedy}")


def _tell(screen: Screen, report: Report, outputs: Mapping[str, Path | None]) -> None:
    writers: Mapping[str, Callable[[Report], str]] = {
        "json": lambda r: json.dumps(_json(r), indent=2, ensure_ascii=False) + "\n",
        "junit": _junit,
        "text": _text,
    }
    for name, path in outputs.items():
        if path is not None:
            write_report(path, click.unstyle(writers[name](report)))
        elif name == "text":
            show_problems(screen, report.problems)
            screen.out(_text(report).rstrip("\n"))
        else:
            click.echo(writers[name](report), nl=False, color=False)


def _text(report: Report) -> str:
    lines: list[str] = []
    for result in report.results:
        if not result.passed:
            mark = click.style("FAIL", fg="red")
            lines.append(f'{mark} {printable(str(result.location))}: "{printable(result.name)}"')
            lines += _differences(result, bool(report.server))
    failed = report.failed
    told = f"{len(report.results) - failed} passed" + (f", {failed} failed" if failed else "")
    if report.server:
        told = f"{len(report.results) - failed} agree" + (f", {failed} differ" if failed else "")
        lines.append(f"server: {printable(report.server)}")
    told += f", {report.left_out} left out" if report.left_out else ""
    cases = len(report.results) + report.left_out
    lines.append(
        f"{counted(len(report.rules), 'rule')}, {counted(cases, 'case')}: "
        f"{told} ({report.seconds:.1f} s)"
    )
    if report.clauses:
        seen = report.clauses - len(report.unseen)
        lines.append(f"clauses: {seen} of {report.clauses} seen true and false")
    lines += [
        f"  {printable(str(one.location))}: never {one.never}: {printable(one.text)}"
        for one in report.unseen
    ]
    return "\n".join(lines) + "\n"


def _differences(result: Result, server: bool) -> list[str]:
    names = ("ours    ", "server's") if server else ("expected", "got     ")
    return [
        f"  {name}  {printable(text)}"
        for one in result.differences
        for name, text in zip(names, (one.expected, one.got), strict=True)
    ]


def _json(report: Report) -> dict[str, Any]:
    return {
        "server": report.server,
        "rules": len(report.rules),
        "cases": len(report.results) + report.left_out,
        "passed": len(report.results) - report.failed,
        "failed": report.failed,
        "left_out": report.left_out,
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


def _junit(report: Report) -> str:
    from sre_obs.app.cli.junit import Tried, junit

    cases = [
        Tried(
            group=result.rule,
            name=result.name,
            file=result.location.file,
            line=result.location.line,
            seconds=result.seconds,
            message="" if result.passed else f"got {result.differences[0].got}",
            failure="\n".join(_differences(result, bool(report.server))),
            kind="tests/failed",
        )
        for result in report.results
    ]
    cases += [
        Tried(
            group=problem.location.file,
            name=problem.slug,
            file=problem.location.file,
            line=problem.location.line,
            message=problem.message,
            failure=f"{problem.location}: {problem.message}\ndo: {problem.remedy}",
            kind=problem.slug,
        )
        for problem in report.problems
    ]
    return junit("sre-obs test", cases, report.seconds)
