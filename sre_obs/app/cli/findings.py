"""A check's report in the forms that people and programs read."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from sre_obs.app.cli.errors import printable, problem_lines
from sre_obs.app.cli.screen import counted
from sre_obs.model.problem import Problem, Severity

if TYPE_CHECKING:
    from sre_obs.app.usecases.check.run import Report

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def as_text(report: Report, seconds: float, width: int | None) -> str:
    """Each finding with its line and a caret, and how many there are."""
    lines = [line for problem in report.findings for line in problem_lines(problem, width)]
    lines.append(_sum(report, seconds))
    return "\n".join(lines) + "\n"


def as_json(report: Report) -> str:
    """The one document."""
    value = {
        "files": report.files,
        "rules": report.rules,
        "findings": [_finding(problem) for problem in report.findings],
    }
    return _written(value)


def as_github(report: Report) -> str:
    """Commands of GitHub's workflows, which become remarks on the lines of a change."""
    lines = []
    for problem in report.findings:
        place = problem.location
        about = {
            "file": place.file,
            "line": str(place.line),
            "col": str(place.column),
            "endColumn": str(place.column + place.length),
            "title": problem.slug,
        }
        told = ",".join(f"{name}={_property(value)}" for name, value in about.items())
        text = _data(printable(_said(problem)))
        lines.append(f"::{_COMMANDS[problem.severity]} {told}::{text}")
    return "".join(line + "\n" for line in lines)


def as_junit(report: Report, seconds: float) -> str:
    """A case a file that is well, and one a finding."""
    from sre_obs.app.cli.junit import Tried, junit

    wrong = {problem.location.file for problem in report.findings}
    cases = [Tried("sre-obs check", name, name, 1) for name in report.names if name not in wrong]
    cases += [
        Tried(
            group=problem.location.file,
            name=f"{problem.slug} {problem.location.line}:{problem.location.column}",
            file=problem.location.file,
            line=problem.location.line,
            message=problem.message,
            failure=click.unstyle("\n".join(problem_lines(problem, None))),
            kind=problem.slug,
        )
        for problem in report.findings
    ]
    return junit("sre-obs check", cases, seconds)


def as_sarif(report: Report) -> str:
    """SARIF 2.1.0, as code scanning services read it."""
    from importlib.metadata import version

    from sre_obs.app.usecases.check.pages import summary

    slugs = list(dict.fromkeys(problem.slug for problem in report.findings))
    numbers = {slug: number for number, slug in enumerate(slugs)}
    rules = [{"id": slug, "shortDescription": {"text": summary(slug) or slug}} for slug in slugs]
    driver = {"name": "sre-obs", "version": version("sre-obs"), "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, numbers[problem.slug]) for problem in report.findings],
    }
    value = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return _written(value)


def _written(value: Any) -> str:
    import orjson

    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n"
    except TypeError:  # half a character, in the name of a file
        return json.dumps(value, indent=2) + "\n"


def _finding(problem: Problem) -> dict[str, Any]:
    return {
        "slug": problem.slug,
        "severity": str(problem.severity),
        "file": problem.location.file,
        "line": problem.location.line,
        "column": problem.location.column,
        "message": problem.message,
        "remedy": problem.remedy,
    }


def _result(problem: Problem, number: int) -> dict[str, Any]:
    place = problem.location
    region = {
        "startLine": place.line,
        "startColumn": place.column,
        "endColumn": place.column + place.length,
    }
    where = {"artifactLocation": {"uri": _uri(place.file)}, "region": region}
    return {
        "ruleId": problem.slug,
        "ruleIndex": number,
        "level": _LEVELS[problem.severity],
        "message": {"text": _said(problem)},
        "locations": [{"physicalLocation": where}],
    }


def _sum(report: Report, seconds: float) -> str:
    took = f"({seconds:.1f} s)"
    if report.unknown:
        count = counted(report.unknown, "rule")
        word = "reads" if report.unknown == 1 else "read"
        took += f"; {count} {word} streams that no telemetry pack knows: fields not checked"
    if not report.findings:
        files, rules = counted(report.files, "file"), counted(report.rules, "rule")
        return f"nothing found in {files}, {rules} {took}"
    numbers = Counter(problem.severity for problem in report.findings)
    told = ", ".join(
        counted(numbers[severity], severity.value)
        if severity is not Severity.INFO
        else f"{numbers[severity]} info"
        for severity in Severity
        if numbers[severity]
    )
    wrong = len({problem.location.file for problem in report.findings})
    return f"{told} in {wrong} of {counted(report.files, 'file')} {took}"


def _said(problem: Problem) -> str:
    return f"{problem.message}. Do: {problem.remedy}" if problem.remedy else problem.message


def _uri(file: str) -> str:
    path = quote(file.replace("\\", "/").encode("utf-8", "surrogateescape"))
    return f"file://{path}" if file.startswith("/") else path


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")
