"""Only one module reads a clock, and ruff says so when another does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house.tree import PACKAGE, copy_of_the_package, run_python

CLOCK = PACKAGE / "adapters" / "clock.py"


@pytest.mark.parametrize(
    ("imported", "call"),
    [
        ("import time", "time.time()"),
        ("from time import time", "time()"),
        ("import time as clock", "clock.time_ns()"),
        ("import time", "time.monotonic()"),
        ("import time", "time.sleep(1)"),
        ("import datetime", "datetime.datetime.now(datetime.UTC)"),
        ("from datetime import UTC, datetime", "datetime.now(UTC)"),
        ("from datetime import date", "date.today()"),
    ],
)
def test_a_planted_clock_call_is_found(tmp_path: Path, imported: str, call: str) -> None:
    folder = copy_of_the_package(tmp_path)
    planted = folder / "sre_obs" / "model" / "planted.py"
    planted.write_text(f"{imported}\n\nNOW = {call}\n", encoding="utf-8")
    done = run_python(["-m", "ruff", "check", "--no-cache", planted], folder)
    assert done.returncode == 1
    assert "TID251" in done.stdout


def test_no_module_excuses_itself_from_the_ban_on_clocks() -> None:
    excused = [
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if "TID251" in path.read_text(encoding="utf-8")
    ]
    assert excused == []
    assert CLOCK.is_file()
