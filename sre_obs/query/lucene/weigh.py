"""A flat row of clauses -> a group, by Lucene's own rules.

Lucene has no precedence. Each clause is optional unless a + or an AND makes it required: an
AND the clause before it, too, whatever stands further left. NOT and - forbid. And plain
words in a row, without an operator among them, are one text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sre_obs.model.errors import QueryError
from sre_obs.query.lucene.nodes import Clause, Group, Node, Occur, Word


class Modifier(StrEnum):
    """What stands before a clause."""

    NONE = ""
    REQUIRED = "+"
    NOT = "-"


@dataclass(frozen=True, slots=True)
class Item:
    """A clause of the row. `join` is the operator before it: AND, OR or none ("")."""

    join: str
    modifier: Modifier
    node: Node
    start: int
    plain: bool = False  # a word without a field of its own, wildcards, boost
    lone: bool = False  # a single star
    comparison: bool = False  # >5, a word to Lucene


def weigh(row: Sequence[Item], text: str, start: int, end: int) -> Node:
    """The group of a row; its only clause where there is one that is not forbidden."""
    clauses: list[Clause] = []
    for item in _joined(row, text):
        if item.join == "AND" and clauses and clauses[-1].occur is not Occur.MUST_NOT:
            clauses[-1] = replace(clauses[-1], occur=Occur.MUST)
        if item.modifier is Modifier.NOT:
            occur = Occur.MUST_NOT
        elif item.modifier is Modifier.REQUIRED or item.join == "AND":
            occur = Occur.MUST
        else:
            occur = Occur.SHOULD
        clauses.append(Clause(occur, item.node, item.join))
    if len(clauses) == 1 and clauses[0].occur is not Occur.MUST_NOT:
        return clauses[0].node
    return Group(tuple(clauses), start, end)


def _joined(row: Sequence[Item], text: str) -> list[Item]:
    """The row with plain words next to each other made one text."""
    found: list[Item] = []
    open_text = False  # whether the last item may be continued
    for number, item in enumerate(row):
        after = row[number + 1] if number + 1 < len(row) else None
        bare = not item.join and item.modifier is Modifier.NONE
        if open_text and bare and (item.plain or item.comparison):
            if item.comparison or found[-1].comparison:
                raise QueryError(
                    "a comparison next to a word",
                    item.start,
                    item.node.end - item.start,
                    remedy="put AND or OR between them: Lucene reads both as one text",
                )
            last = found[-1].node
            if _continues(after):
                assert isinstance(last, Word)
                assert isinstance(item.node, Word)
                value = f"{last.value} {item.node.value}"
                joined = replace(last, value=value, end=item.node.end)
                found[-1] = replace(found[-1], node=joined)
                continue
        found.append(item)
        open_text = bare and (item.plain or item.comparison)
    return found


def _continues(after: Item | None) -> bool:
    """Whether what follows leaves a word to the text before it."""
    return after is None or not (after.join or after.lone)
