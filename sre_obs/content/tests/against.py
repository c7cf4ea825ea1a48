"""A test held against its rule -> what can't be meant: an entity's field that the rule does
not group by, documents that it never reads."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from sre_obs.content.mistakes import shown
from sre_obs.content.tests.suite import Block, Recorded, Suite
from sre_obs.content.yaml import Map, Node, Scalar
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.rule import Rule
from sre_obs.model.telemetry import overlap

UNKNOWN_ENTITY = "tests/unknown-entity"
UNREAD_INDEX = "tests/unread-index"


def against(suite: Suite, rule: Rule) -> list[Problem]:
    """What is wrong with a test of this rule, each once however many cases share it."""
    return list(dict.fromkeys((*_entities(suite, rule), *_indices(suite, rule))))


def _entities(suite: Suite, rule: Rule) -> Iterator[Problem]:
    """Fields by which no alert of the rule is told apart: nothing can ever match them."""
    for case in suite.cases:
        for expected in case.expected:
            for name in expected.entity:
                if name in rule.group_by:
                    continue
                near = get_close_matches(name, rule.group_by, n=1)
                remedy = "remove it, the rule has no group_by"
                if rule.group_by:
                    remedy = f"write {near[0]}" if near else f"of: {', '.join(rule.group_by)}"
                place = _place(suite, expected.node, "entity", name, expected.location)
                message = f"{shown(name)} is not in the rule's group_by"
                yield suite.document.problem(UNKNOWN_ENTITY, place, message, remedy)


def _indices(suite: Suite, rule: Rule) -> Iterator[Problem]:
    """Documents of an index that the rule does not read, where it lacks some that it does.

    Documents of another stream are right in a case that shows that they do not count. So they
    are told of where alerts are expected, or where the rule sees no document of the whole file.
    """
    groups = list(dict.fromkeys(_groups(rule)))
    reads = tuple(dict.fromkeys(pattern for group in groups for pattern in group))
    indices = [block.index for case in suite.cases for block in case.documents]
    # A recording without an index has documents of the streams that it names itself.
    blind = all(indices) and not any(_read(reads, index) for index in indices)
    for case in suite.cases:
        blocks = case.documents
        if not (case.expected or blind) or any(not block.index for block in blocks):
            continue
        if all(any(_read(group, block.index) for block in blocks) for group in groups):
            continue
        for block in blocks:
            if not _read(reads, block.index):
                yield suite.document.problem(
                    UNREAD_INDEX,
                    _of_index(suite, block),
                    f"the rule does not read {shown(block.index)}: it sees no such document",
                    f"it reads {', '.join(reads)}",
                    Severity.WARNING,
                )


def _groups(rule: Rule) -> Iterator[tuple[str, ...]]:
    """The patterns of the rule's own stream, and of each measure's that has its own."""
    if not rule.measures or any(not measure.index for measure in rule.measures):
        yield rule.index
    yield from (measure.index for measure in rule.measures if measure.index)


def _read(patterns: tuple[str, ...], index: str) -> bool:
    name = index.rpartition(":")[2]
    return any(overlap(pattern.rpartition(":")[2], name) for pattern in patterns)


def _of_index(suite: Suite, block: Block | Recorded) -> Location:
    node = block.node.get("index") if isinstance(block.node, Map) else None
    return suite.document.place(node) if isinstance(node, Scalar) else block.location


def _place(suite: Suite, node: Node | None, key: str, name: str, above: Location) -> Location:
    """Where a name stands in a block of an expectation; a name that a parameter made stands
    where its block does."""
    block = node.get(key) if isinstance(node, Map) else None
    if isinstance(block, Map) and name in block.keys_at:
        return suite.document.key(block, name)
    return above
