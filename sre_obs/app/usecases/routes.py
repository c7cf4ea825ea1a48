"""Read the routes of the settings, as people ask about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sre_obs.app.settings import Settings
from sre_obs.app.usecases.load import load_routing
from sre_obs.model.errors import UsageError
from sre_obs.model.problem import Problem
from sre_obs.model.routing import Route
from sre_obs.route.tree import Router, Step


def tree(settings: Settings) -> tuple[list[tuple[int, Route]], Sequence[Problem]]:
    """Every route with its depth, in order, and what is wrong. Raises ContentError."""
    routing, problems = load_routing(settings)
    return list(_walk(routing.root, 0)), problems


def explain(settings: Settings, pairs: Sequence[str]) -> tuple[Step, ...]:
    """What an alert with these ``name=value`` labels tries and takes.

    Raises UsageError for a text that is no label, ContentError for the routes.
    """
    labels: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"{pair} is no label", where="LABELS", remedy="write NAME=VALUE")
        labels[name] = value.strip('"')
    routing, _ = load_routing(settings)
    return Router(routing).explain(labels)


def _walk(route: Route, depth: int) -> Iterator[tuple[int, Route]]:
    yield depth, route
    for child in route.routes:
        yield from _walk(child, depth + 1)
