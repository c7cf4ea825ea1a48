"""The list of faults that tests/bench/planted.py plants fits the code as it is."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import sre_obs.query
from tests.query.parity.planted import FAULTS, Fault

ROOM = Path(sre_obs.query.__file__).parent


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_can_be_planted_in_one_place(fault: Fault) -> None:
    source = (ROOM / fault.file).read_text(encoding="utf-8")
    assert source.count(fault.old) == 1
    ast.parse(source.replace(fault.old, fault.new))


def test_every_operator_has_a_fault_of_its_own() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert len({(fault.file, fault.old, fault.new) for fault in FAULTS}) == len(FAULTS)
