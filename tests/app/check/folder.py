"""A folder of files to check, and what a check of it says."""

from __future__ import annotations

from pathlib import Path

import click

from sre_obs.app.cli.errors import problem_lines
from sre_obs.app.usecases.check.cache import Cache
from sre_obs.app.usecases.check.run import Report, check
from tests.content.checks.looking import rule

GOOD = rule("query: 'kubernetes.pod.status.phase: failed'")
TEST = """\
cases:
  - name: one
    documents: [{index: INDEX, count: 5, fields: {host.name: a}}]
    expect: []
"""


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    """The files, by path below the folder; a rule gets a test beside it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def well(folder: Path, slug: str = "shop/well", text: str = GOOD) -> Path:
    """A rule with its test, of which nothing is found."""
    index = text.partition("index: ")[2].split()[0]
    test = TEST.replace("INDEX", index.replace("*", "x"))
    write(folder, {f"{slug}.yml": text, f"{slug}.test.yml": test})
    return folder / f"{slug}.yml"


def slugs(report: Report) -> list[str]:
    """Where and what: file:line slug."""
    return [f"{Path(p.location.file).name}:{p.location.line} {p.slug}" for p in report.findings]


def look(*paths: Path, cache: Cache | None = None) -> Report:
    """The report of these paths."""
    return check(paths, cache=cache)


def told(report: Report, folder: Path) -> str:
    """The report as a person reads it, the folder called by no name."""
    rows = [line for p in report.findings for line in problem_lines(p, None)]
    return click.unstyle("\n".join(rows)).replace(f"{folder}/", "") + "\n"
