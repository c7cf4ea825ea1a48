"""An index that is not in the telemetry contract, but called almost like one that is."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache

from sre_obs.content.mistakes import shown
from sre_obs.content.rules.checks.subject import Subject
from sre_obs.content.rules.written import items
from sre_obs.content.yaml import Map, Node
from sre_obs.model.problem import Problem, Severity
from sre_obs.model.telemetry import Contract

SLUG = "rules/unknown-stream"


def check(subject: Subject) -> Iterator[Problem]:
    """Each index of the rule that is probably a typing mistake."""
    root = subject.written.root
    nodes: list[Node | None] = [root.get("index")]
    measures = root.get("measures")
    if isinstance(measures, Map):
        nodes += [block.get("index") for block in measures.values() if isinstance(block, Map)]
    for node in nodes:
        for item in items(node):
            if subject.contract.streams_of(item.text):
                continue
            near = _nearest(subject.contract, item.text)
            if near:
                yield subject.problem(
                    SLUG,
                    subject.document.place(item),
                    f"no stream of the telemetry contract is called {shown(item.text)}",
                    f"write {near}, or add a telemetry pack",
                    Severity.WARNING,
                )


def _nearest(contract: Contract, index: str) -> str:
    # The namespace behind the last dash is the user's own.
    head, _, tail = index.rpartition("-")
    found = _near(tuple(stream.pattern for stream in contract.streams), head)
    return f"{found}-{tail}" if found else ""


@lru_cache(maxsize=1_024)
def _near(patterns: tuple[str, ...], head: str) -> str:
    heads = dict.fromkeys(pattern.rpartition("-")[0] for pattern in patterns)
    found = get_close_matches(head, heads, n=1, cutoff=0.85)
    return found[0] if found else ""
