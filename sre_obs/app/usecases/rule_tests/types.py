"""The field types that a rule's documents have: the telemetry contract beside the rules."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeAlias

from sre_obs.content.telemetry.load import load_contract, pack_files
from sre_obs.model.fields import FieldTypes
from sre_obs.model.problem import Problem, Severity
from sre_obs.model.telemetry import Contract

# The types of an index's fields, by its name; what is not in them is found in the documents.
Types: TypeAlias = Callable[[str], FieldTypes]

# How far above a rule's file the folder of its rules is looked for.
_DEPTH = 4


class Contracts:
    """The bundled contract with what lies in the folder `telemetry` of a rule's rules."""

    def __init__(self, bundled: Path) -> None:
        self._bundled = bundled
        self._read: dict[tuple[Path, ...], Types] = {}
        self.problems: list[Problem] = []

    def of(self, rule: Path) -> Types:
        """The types for the documents of this rule's tests. What is wrong with a pack goes
        to `problems`, once."""
        folders = (self._bundled, *_own(rule, self._bundled))
        found = self._read.get(folders)
        if found is None:
            contract, problems = load_contract(folders)
            self.problems += [p for p in problems if p.severity is Severity.ERROR]
            found = self._read[folders] = _types(contract)
        return found


def _types(contract: Contract) -> Types:
    return cache(lambda index: contract.types_of(index))


def _own(rule: Path, bundled: Path) -> list[Path]:
    """The folders `telemetry` above a rule, the outermost first."""
    above = list(rule.absolute().parents)[:_DEPTH]
    found = [folder / "telemetry" for folder in reversed(above)]
    return [one for one in found if one != bundled.absolute() and pack_files(one)]
