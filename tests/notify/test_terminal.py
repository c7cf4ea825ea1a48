"""A notice on a terminal: a few plain lines that cannot drive it."""

from __future__ import annotations

import pytest

from sre_obs.notify.terminal import render
from tests.conftest import Golden
from tests.notify.notices import CASES


@pytest.mark.parametrize("case", CASES)
def test_a_state_is_printed_as_its_golden_says(case: str, golden: Golden) -> None:
    golden("notify", case, "terminal.txt", render(CASES[case]) + "\n")


@pytest.mark.parametrize("case", CASES)
def test_no_line_can_drive_the_terminal_or_runs_away(case: str) -> None:
    lines = render(CASES[case]).split("\n")
    assert all(line.isprintable() for line in lines)
    assert max(map(len, lines)) <= 202
    assert len(lines) <= 12
