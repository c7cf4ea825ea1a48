"""Which routes an alert takes: depth first, the first match wins unless it continues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sre_obs.model.matcher import Matcher
from sre_obs.model.routing import Integration, Route, Routing
from sre_obs.query.matchers import compile_matchers
from sre_obs.route.index import MatcherIndex

# Alerts whose routes are remembered; beyond it, all are forgotten and looked up anew.
_REMEMBERED = 262_144


@dataclass(frozen=True, slots=True)
class Step:
    """One route that was tried for an alert.

    `refused` is the first matcher that said no. `taken` says that the alert ends here:
    the route matched and none of its children did.
    """

    route: Route
    depth: int
    matched: bool
    refused: Matcher | None = None
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """An integration that a group is told through.

    A `former` one was told of the group by routes that no longer say so: it still hears
    how what it was told of ends, and nothing else.
    """

    receiver: str
    integration: Integration
    former: bool = False


_NOBODY: tuple[tuple[Target, ...], frozenset[str]] = ((), frozenset())


class Router:
    """A routing, compiled once. Raises QueryError for a wrong pattern, ValueError when two
    routes share an id."""

    def __init__(self, routing: Routing) -> None:
        self.routing = routing
        self.routes: dict[str, Route] = {}
        self._memo: dict[str, tuple[Route, ...]] = {}
        self._shared: dict[tuple[str, ...], tuple[Route, ...]] = {}
        self._root = self._compile(routing.root)
        self._of_receiver = {
            r.name: (
                tuple(Target(r.name, i) for i in r.integrations),
                frozenset(i.id for i in r.integrations),
            )
            for r in routing.receivers
        }
        self._of_integration = {
            i.id: Target(r.name, i, former=True) for r in routing.receivers for i in r.integrations
        }

    def match(self, labels: Mapping[str, str], fingerprint: str = "") -> tuple[Route, ...]:
        """The routes that an alert takes, at least one. With its fingerprint the answer is
        remembered."""
        found = self._memo.get(fingerprint) if fingerprint else None
        if found is None:
            routes = _walk(self._root, labels)
            # Thousands of alerts take the same few routes: one tuple serves them all.
            found = self._shared.setdefault(tuple([r.id for r in routes]), tuple(routes))
            if fingerprint:
                if len(self._memo) >= _REMEMBERED:
                    self._memo.clear()
                self._memo[fingerprint] = found
        return found

    def forget(self, fingerprint: str) -> None:
        """Look that alert up anew: its labels have changed."""
        self._memo.pop(fingerprint, None)

    def explain(self, labels: Mapping[str, str]) -> tuple[Step, ...]:
        """Each route that was tried, in order, and what came of it."""
        steps: list[Step] = []
        _explain(self._root, 0, labels, steps)
        return tuple(steps)

    def targets(self, route: Route | None, told: Mapping[str, object]) -> tuple[Target, ...]:
        """Through whom a group of `route` is told (None: a route that is gone), and those
        that were told (by Integration.id) though they are not asked to be any more."""
        current, ids = self._of_receiver.get(route.receiver if route else "", _NOBODY)
        if told.keys() <= ids:
            return current
        former = (self._of_integration.get(id_) for id_ in told if id_ not in ids)
        return (*current, *(target for target in former if target is not None))

    def _compile(self, route: Route) -> _Node:
        if route.id in self.routes:
            raise ValueError(f"two routes have the id {route.id}")
        self.routes[route.id] = route
        return _Node(
            route,
            MatcherIndex([child.matchers for child in route.routes]),
            tuple(self._compile(child) for child in route.routes),
        )


@dataclass(frozen=True, slots=True)
class _Node:
    route: Route
    index: MatcherIndex
    children: tuple[_Node, ...]


def _walk(node: _Node, labels: Mapping[str, str]) -> list[Route]:
    found: list[Route] = []
    for position in node.index.matching(labels):
        child = node.children[position]
        found.extend(_walk(child, labels))
        if not child.route.continues:
            break
    return found or [node.route]


def _explain(node: _Node, depth: int, labels: Mapping[str, str], steps: list[Step]) -> None:
    place = len(steps)
    steps.append(Step(node.route, depth, matched=True))
    taken = True
    for child in node.children:
        refused = _refused(child.route, labels)
        if refused is not None:
            steps.append(Step(child.route, depth + 1, matched=False, refused=refused))
            continue
        taken = False
        _explain(child, depth + 1, labels, steps)
        if not child.route.continues:
            break
    steps[place] = Step(node.route, depth, matched=True, taken=taken)


def _refused(route: Route, labels: Mapping[str, str]) -> Matcher | None:
    return next((m for m in route.matchers if not compile_matchers((m,))(labels)), None)
