"""Imports go down only, and lint-imports says so when they do not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.house.tree import REPOSITORY, copy_of_the_package, run_python

COMMAND = "from importlinter.cli import lint_imports_command as run; run()"


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    # The copy comes first on the path: an editable install must not stand in for it.
    return run_python(["-c", COMMAND, "--no-cache"], folder, PYTHONPATH=str(folder))


def test_the_package_keeps_its_contracts() -> None:
    done = lint_imports(REPOSITORY)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("room", "line", "contract"),
    [
        ("model", "import sre_obs.query", "imports go down only"),
        ("query", "import sre_obs.content", "imports go down only"),
        ("evaluate", "import sre_obs.adapters", "imports go down only"),
        ("adapters", "import sre_obs.app", "imports go down only"),
        ("route", "import sre_obs.notify", "imports go down only"),
        ("model", "import yaml", "nouns need nobody"),
        ("notify", "import slack_sdk", "sockets, databases and clients"),
        ("evaluate", "import sqlalchemy", "sockets, databases and clients"),
        ("app/daemon", "import sre_obs.app.demo", "the daemon does not know the demo"),
    ],
)
def test_a_planted_violation_breaks_its_contract(
    tmp_path: Path, room: str, line: str, contract: str
) -> None:
    folder = copy_of_the_package(tmp_path)
    (folder / "sre_obs" / room / "planted.py").write_text(f"{line}\n", encoding="utf-8")
    done = lint_imports(folder)
    broken = [said for said in done.stdout.splitlines() if said.endswith("BROKEN")]
    assert done.returncode == 1, done.stdout
    assert any(said.startswith(contract) for said in broken), done.stdout


def test_a_room_that_nobody_decided_on_breaks_the_layers(tmp_path: Path) -> None:
    folder = copy_of_the_package(tmp_path)
    (folder / "sre_obs" / "planted").mkdir()
    (folder / "sre_obs" / "planted" / "__init__.py").write_text('"""New."""\n', encoding="utf-8")
    done = lint_imports(folder)
    assert done.returncode == 1
    assert "sre_obs.planted" in done.stdout
