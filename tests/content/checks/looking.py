"""How the tests of checks look at a rule: by its text, for one slug at a time."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import click

from sre_obs.app.cli.errors import problem_lines
from sre_obs.app.usecases.check.rule import check_rule_text
from sre_obs.content.rules.index import DEFAULT_ALLOW
from sre_obs.content.telemetry.load import load_contract
from sre_obs.model.problem import Problem
from sre_obs.model.telemetry import Contract
from tests.content.problems import lines
from tests.house.tree import REPOSITORY

FILE = "rules/shop/example.yml"


@lru_cache(maxsize=1)
def contract() -> Contract:
    """The bundled one."""
    return load_contract([REPOSITORY / "rules" / "telemetry"])[0]


def problems(text: str, *, tested: bool | None = None) -> list[Problem]:
    """All that is wrong with a rule."""
    entry = check_rule_text(
        text.encode(),
        Path(FILE),
        FILE,
        lambda _: contract(),
        allow=(*DEFAULT_ALLOW, "*-*"),
        tested=tested,
    )
    return list(entry.problems)


def found(slug: str, text: str, *, tested: bool | None = None) -> list[str]:
    """What one check says, each a line."""
    return lines(p for p in problems(text, tested=tested) if p.slug == slug)


def report(slug: str, *texts: str, tested: bool | None = None) -> str:
    """What one check says of several rules, as a person reads it."""
    told = []
    for text in texts:
        mine = [p for p in problems(text, tested=tested) if p.slug == slug]
        assert mine, f"nothing of {slug} in:\n{text}\n{lines(problems(text, tested=tested))}"
        told += [line for problem in mine for line in problem_lines(problem, None)]
    return click.unstyle("\n".join(told) + "\n")


def rule(*rows: str, index: str = "metrics-kubernetes.state_pod-*", kind: str = "threshold") -> str:
    """A rule that is well but for these lines."""
    head = ["title: Example", f"kind: {kind}", f"index: {index}", *rows]
    if kind == "threshold" and not any(row.startswith("threshold:") for row in rows):
        head.append("threshold: {limit: 5}")
    return "\n".join(
        [*head, "severity: warning", "owner: shop", "runbook: https://runbooks.test/x"]
    )
