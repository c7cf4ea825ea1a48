"""Which of a rule's fields do not exist: such a rule can't work as written, and says so."""

from __future__ import annotations

import re

from sre_obs.model.fields import FieldTypes
from sre_obs.model.rule import Rule


def missing_fields(rule: Rule, types: FieldTypes) -> list[str]:
    """The fields that the rule reads and `types` lacks, in the rule's order.

    A pattern is missing if no field matches it. Below a `flattened` field anything exists.
    The fields of evidence are not asked for: a document without them is shown without.
    """
    used = dict.fromkeys((*rule.query.fields, *rule.group_by, rule.threshold.field))
    return [name for name in used if name and not _exists(name, types)]


def _exists(name: str, types: FieldTypes) -> bool:
    if name.startswith("_") or name in types:
        return True
    if "*" in name:
        pattern = re.compile(".*".join(re.escape(part) for part in name.split("*")), re.DOTALL)
        return name.strip("*") == "" or any(pattern.fullmatch(known) for known in types)
    parts = name.split(".")
    parents = (".".join(parts[:n]) for n in range(1, len(parts)))
    return any(types.get(parent) == "flattened" for parent in parents)
