"""A rule file as it was written: where each key stands, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable

from sre_obs.content.yaml import Document, Map, Node, Scalar, Seq
from sre_obs.model.errors import QueryError
from sre_obs.model.problem import Location, Problem, Severity


class Written:
    """One file's tree; `problems` collects."""

    def __init__(self, document: Document, root: Map | None = None) -> None:
        self.document = document
        if root is None:
            assert isinstance(document.root, Map)
            root = document.root
        self.root = root
        self.problems: list[Problem] = []

    def broken(self) -> bool:
        """Whether one of the problems forbids the rule."""
        return any(p.severity is Severity.ERROR for p in self.problems)

    def top(self) -> Location:
        """The first key."""
        return self.document.location(self.root.start)

    def at(self, key: str) -> Location:
        """Where a key's value stands, or the top where the key is not there."""
        node = self.root.get(key)
        return self.top() if node is None else self.document.place(node)

    def key(self, *path: str | int) -> Location:
        """Where the key (or the list's item) at the end of a path stands, or what is nearest
        above it."""
        place, node = self.top(), self.root
        here: Node = node
        for step in path:
            if isinstance(here, Map) and isinstance(step, str) and step in here:
                place = self.document.key(here, step)
                here = here[step]
            elif isinstance(here, Seq) and isinstance(step, int) and step < len(here):
                here = here[step]
                place = self.document.place(here)
            else:
                break
        return place

    def add(self, slug: str, place: Location, message: str, remedy: str = "") -> None:
        """An error."""
        self.problems.append(self.document.problem(slug, place, message, remedy))

    def add_query(
        self, node: Scalar, error: QueryError, *, slug: str = "rules/query-syntax"
    ) -> None:
        """What is wrong with the text of a query or an expression, at its character."""
        place = self.document.place(node, error.offset, error.length)
        self.add(slug, place, error.message, error.remedy)


def items(node: Node | None) -> Iterable[Scalar]:
    """The scalars of a list, or the one that stands for a list of it."""
    found = node if isinstance(node, Seq) else () if node is None else (node,)
    return [item for item in found if isinstance(item, Scalar)]
