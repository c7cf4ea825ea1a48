"""A route that no alert comes to: a sibling before it takes all of them, or its matchers
contradict each other or those above it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sre_obs.content.yaml import Document
from sre_obs.model.matcher import Matcher, MatchOp
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.routing import Route, Routing
from sre_obs.query.matchers import compile_matchers, format_matcher

SLUG = "routes/unreachable"


def check(document: Document, routing: Routing) -> Iterator[Problem]:
    """Each route that is never taken, once for the topmost of a branch."""
    yield from _below(document, routing.root, ())


def _below(document: Document, route: Route, above: tuple[Matcher, ...]) -> Iterator[Problem]:
    here = (*above, *route.matchers)
    takers = _Takers()
    for child in route.routes:
        wrong = _contradiction((*here, *child.matchers))
        taker = takers.before(child)
        if wrong is not None:
            one, other = map(format_matcher, wrong)
            message = f"no alert comes here: {one} and {other} are never both true"
            yield _problem(document, child.location, message, "mend or remove the route")
        elif taker is not None:
            message = (
                f"no alert comes here: the route of line {taker.location.line} takes them before"
            )
            remedy = "put it first, or write continue: true there"
            yield _problem(document, child.location, message, remedy)
        else:
            yield from _below(document, child, here)
        if not child.continues:
            takers.add(child)


class _Takers:
    """The siblings before a route that keep what they match, by what they match on."""

    def __init__(self) -> None:
        self._everything: Route | None = None
        self._by: dict[frozenset[str], Route] = {}
        self._sizes: set[int] = set()
        self._patterns: list[Route] = []

    def add(self, route: Route) -> None:
        texts = frozenset(map(format_matcher, route.matchers))
        if not texts:
            self._everything = self._everything or route
        self._by.setdefault(texts, route)
        self._sizes.add(len(texts))
        # A pattern takes what is equal to a text that it matches; few are looked at, since
        # each costs a comparison with each route behind it.
        if len(route.matchers) == 1 and len(self._patterns) < 50:
            (only,) = route.matchers
            if only.op in (MatchOp.REGEX, MatchOp.NOT_EQUAL, MatchOp.NOT_REGEX):
                self._patterns.append(route)

    def before(self, route: Route) -> Route | None:
        """The sibling that takes all that this one would: its matchers are a part of its own."""
        if self._everything is not None:
            return self._everything
        texts = [format_matcher(m) for m in route.matchers]
        found = self._by.get(frozenset(texts))
        if found is None and 1 in self._sizes:
            single = (self._by.get(frozenset((text,))) for text in texts)
            found = next((route for route in single if route is not None), None)
        if found is None and len(texts) <= 6:
            found = self._pairs(texts)
        if found is None:
            equal = {m.name: m.value for m in route.matchers if m.op is MatchOp.EQUAL}
            found = next((p for p in self._patterns if _takes(p.matchers[0], equal)), None)
        return found

    def _pairs(self, texts: Sequence[str]) -> Route | None:
        """A sibling with several of these matchers: at most 2^6 combinations."""
        for bits in range(1, 1 << len(texts)):
            some = frozenset(text for i, text in enumerate(texts) if bits >> i & 1)
            if len(some) in self._sizes and some in self._by:
                return self._by[some]
        return None


def _takes(matcher: Matcher, equal: dict[str, str]) -> bool:
    return matcher.name in equal and compile_matchers((matcher,))(equal)


def _contradiction(matchers: tuple[Matcher, ...]) -> tuple[Matcher, Matcher] | None:
    """Two matchers on one label that no value fulfils."""
    equal: dict[str, Matcher] = {}
    for matcher in matchers:
        if matcher.op is MatchOp.EQUAL:
            other = equal.setdefault(matcher.name, matcher)
            if other.value != matcher.value:
                return other, matcher
    for matcher in matchers:
        beside = equal.get(matcher.name)
        if beside is None or matcher.op is MatchOp.EQUAL:
            continue
        if not compile_matchers((matcher,))({matcher.name: beside.value}):
            return beside, matcher
    return None


def _problem(document: Document, place: Location, message: str, remedy: str) -> Problem:
    return document.problem(SLUG, place, message, remedy, Severity.WARNING)
