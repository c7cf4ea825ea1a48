"""routes/unreachable."""

from __future__ import annotations

import click
import pytest

from sre_obs.app.cli.errors import problem_lines
from sre_obs.content import yaml
from sre_obs.content.routes.checks import unreachable
from sre_obs.content.routes.load import parse_routes
from sre_obs.model.problem import Problem
from tests.conftest import Golden
from tests.content.problems import lines

RECEIVERS = "receivers: [{name: a}, {name: b}]\n"


def look(*routes: str) -> list[str]:
    return lines(_problems(*routes))


def _problems(*routes: str) -> list[Problem]:
    rows = "".join(f"  - {route}\n" for route in routes)
    text = f"route:\n  receiver: a\n  routes:\n{rows}{RECEIVERS}"
    document, _ = yaml.parse(text, "routes.yml")
    routing, wrong = parse_routes(text)
    assert routing is not None, lines(wrong)
    return list(unreachable.check(document, routing))


def test_a_route_that_no_alert_comes_to_is_told(golden: Golden) -> None:
    team = "{matchers: ['team=\"shop\"'], receiver: b}"
    both = "{matchers: ['team=\"shop\"', 'severity=\"critical\"'], receiver: b}"
    groups = (
        (team, both),
        ("{receiver: b}", team),
        ("{matchers: ['team=~\"sh.*\"'], receiver: b}", team),
        ("{matchers: ['team!=\"db\"'], receiver: b}", team),
        (team, team),
        ("{matchers: ['team=\"shop\"', 'team=\"db\"']}",),
        ("{matchers: ['team=\"shop\"'], routes: [{matchers: ['team=\"db\"'], receiver: b}]}",),
        ("{matchers: ['team=\"shop\"'], routes: [{matchers: ['team=~\"d.*\"'], receiver: b}]}",),
    )
    told = [line for group in groups for p in _problems(*group) for line in problem_lines(p, None)]
    golden("checks", "routes/unreachable", "report.txt", click.unstyle("\n".join(told)) + "\n")


@pytest.mark.parametrize(
    "routes",
    [
        (
            "{matchers: ['team=\"shop\"'], receiver: b, continue: true}",
            "{matchers: ['team=\"shop\"'], receiver: a}",
        ),
        (
            "{matchers: ['team=\"shop\"', 'severity=\"critical\"'], receiver: b}",
            "{matchers: ['team=\"shop\"'], receiver: a}",
        ),
        ("{matchers: ['team=\"shop\"']}", "{matchers: ['team=\"db\"']}"),
        ("{matchers: ['team=~\"sh.*\"']}", "{matchers: ['team=\"db\"']}"),
        ("{matchers: ['team=~\"sh.*\"']}", "{matchers: ['team=~\"s.*\"']}"),
        ("{matchers: ['team=\"shop\"'], routes: [{matchers: ['severity=\"x\"']}]}",),
    ],
)
def test_a_route_that_an_alert_may_come_to_is_not_told(routes: tuple[str, ...]) -> None:
    assert look(*routes) == []


def test_a_thousand_routes_are_looked_at_once_each() -> None:
    """Not each against each: the last is found behind a thousand others."""
    routes = [f"{{matchers: ['team=\"t{n}\"'], receiver: b}}" for n in range(1_000)]
    assert len(look(*routes, routes[0])) == 1
