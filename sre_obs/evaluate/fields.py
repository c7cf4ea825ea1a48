"""Which of a rule's fields do not exist: such a rule can't work as written, and says so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from sre_obs.model.fields import FieldTypes
from sre_obs.model.rule import Rule


def fields_of(rule: Rule) -> Mapping[tuple[str, ...], tuple[str, ...]]:
    """The fields that the rule reads in each index: its own and those of its measures.

    The fields of evidence are not among them: a document without them is shown without.
    """
    found: dict[tuple[str, ...], dict[str, None]] = {rule.index: {}}

    def reads(index: tuple[str, ...], names: Iterable[str]) -> None:
        found.setdefault(index, {}).update(dict.fromkeys(name for name in names if name))

    if not rule.measures:
        reads(rule.index, (*rule.query.fields, *rule.group_by, rule.threshold.field))
    for measure in rule.measures:
        index = measure.index or rule.index
        if not measure.index:
            reads(index, rule.query.fields)
        scope = rule.group_by if measure.by is None else measure.by
        reads(index, (*measure.query.fields, *scope, *measure.series, measure.field))
        if measure.order != "@timestamp":  # which every stream has
            reads(index, (measure.order,))
    return {index: tuple(names) for index, names in found.items()}


def indices_of(rule: Rule) -> tuple[str, ...]:
    """Every index that the rule reads, each once."""
    measured = (name for measure in rule.measures for name in measure.index)
    return tuple(dict.fromkeys((*rule.index, *measured)))


def missing(names: Iterable[str], types: FieldTypes) -> list[str]:
    """Those of `names` that `types` lacks.

    A pattern is missing if no field matches it. Below a `flattened` field anything exists.
    """
    return [name for name in names if not _exists(name, types)]


def _exists(name: str, types: FieldTypes) -> bool:
    if name.startswith("_") or name in types:
        return True
    if "*" in name:
        pattern = re.compile(".*".join(re.escape(part) for part in name.split("*")), re.DOTALL)
        return name.strip("*") == "" or any(pattern.fullmatch(known) for known in types)
    parts = name.split(".")
    parents = (".".join(parts[:n]) for n in range(1, len(parts)))
    return any(types.get(parent) == "flattened" for parent in parents)
