"""A matcher on a label that no rule sets, but called almost like one that a rule does.

Alerts come from elsewhere too, with labels of their own: a label that looks like none of
ours is none of our business.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from sre_obs.content.mistakes import shown
from sre_obs.content.shape import find
from sre_obs.content.yaml import Document, Map, Node, Scalar, Seq
from sre_obs.model.errors import QueryError
from sre_obs.model.problem import Problem, Severity
from sre_obs.query.matchers import parse_matchers

SLUG = "routes/unknown-label"


def check(document: Document, labels: Collection[str]) -> Iterator[Problem]:
    """Each matcher, and each label to group by, that is probably a typing mistake."""
    if document.root is None or not labels:
        return
    near: dict[str, str] = {}
    for node in _texts(find(document.root, ("route",))):
        for name in _names(node):
            if name in labels:
                continue
            if name not in near:
                near[name] = next(iter(get_close_matches(name, labels, n=1, cutoff=0.8)), "")
            if near[name]:
                yield document.problem(
                    SLUG,
                    document.place(node),
                    f"no rule sets the label {shown(name)}",
                    f"write {near[name]}",
                    Severity.WARNING,
                )


def _texts(node: Node) -> Iterator[Scalar]:
    if not isinstance(node, Map):
        return
    matchers = node.get("matchers")
    if isinstance(matchers, Seq):
        yield from (item for item in matchers if isinstance(item, Scalar))
    routes = node.get("routes")
    for child in routes if isinstance(routes, Seq) else ():
        yield from _texts(child)


def _names(node: Scalar) -> list[str]:
    try:
        return [matcher.name for matcher in parse_matchers(node.text)]
    except QueryError:
        return []
