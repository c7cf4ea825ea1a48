"""Arithmetic over a rule's measures: text -> `model.expression` with positions -> a number.

    parse   text -> tree, or a QueryError at the character
    check   numbers and conditions where they belong, and only names that are known
    write   tree -> text that parses to the same tree
    value   tree and the values of its names -> number, or None where that is unknown

What does not live here: the tree itself (`model.expression`), and what a name stands for
(`evaluate` measures it).
"""

from __future__ import annotations

from sre_obs.query.expression.check import check, is_condition
from sre_obs.query.expression.parse import MAX_DEPTH, MAX_LENGTH, MAX_PARTS, RESERVED, parse
from sre_obs.query.expression.value import holds, value
from sre_obs.query.expression.write import write

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_PARTS",
    "RESERVED",
    "check",
    "holds",
    "is_condition",
    "parse",
    "value",
    "write",
]
