"""What is in the wheel, and that it works where nothing else is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import click
import pytest

from tests.house.tree import REPOSITORY, run_python, tracked_files

# Loads the package in an interpreter that has nothing else, and says what came with it.
IMPORT = """
import sys
before = set(sys.modules)
import sre_obs
print(sre_obs.__file__)
print(sorted(name for name in set(sys.modules) - before if not name.startswith("sre_obs")))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source archive as a package index would have it."""
    folder = tmp_path_factory.mktemp("dist")
    build = ["-m", "build", "--no-isolation", "--outdir", folder, REPOSITORY]
    done = run_python(build, folder)
    assert done.returncode == 0, done.stdout
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel and none of its dependencies."""
    folder = tmp_path_factory.mktemp("venv")
    made = run_python(["-m", "venv", "--without-pip", folder], folder)
    assert made.returncode == 0, made.stdout
    python = folder / "bin" / "python"
    pip = ["-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel]
    done = run_python(pip, folder, PIP_DISABLE_PIP_VERSION_CHECK="1")
    assert done.returncode == 0, done.stdout
    return python


def test_importing_the_package_alone_costs_nothing(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed, "-I", "-c", IMPORT], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    where, came_along = done.stdout.splitlines()
    assert Path(where).is_relative_to(installed.parents[1])
    assert came_along == "[]"


def test_the_command_works_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    # Its dependencies come from this environment, the package itself from the wheel.
    dependencies = str(Path(click.__file__).parents[1])
    done = subprocess.run(
        [installed.with_name("sre-obs"), "--help"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": dependencies},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "Usage: sre-obs" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.crash  # half a minute: too slow among the tests that need no process
def test_the_demo_runs_from_the_wheel_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    dependencies = str(Path(click.__file__).parents[1])
    done = subprocess.run(
        [
            *(installed.with_name("sre-obs"), "demo", "--listen", "127.0.0.1:0"),
            *("--exit-after", "20s", "--output", "json"),
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": dependencies},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found) == ["documents", "rules", "fired", "resolved", "delivered"]
    assert all(number > 0 for number in found.values()), found
    assert list(tmp_path.iterdir()) == []


def test_the_wheel_says_that_it_is_typed_and_under_which_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as zipped:
        names = zipped.namelist()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        text = zipped.read(metadata).decode()
    assert "sre_obs/py.typed" in names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert any(name.endswith(".dist-info/licenses/NOTICE") for name in names)
    assert "License-Expression: Apache-2.0" in text


def test_the_data_folders_are_in_the_wheel_whole(wheel: Path) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    folders: dict[str, str] = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    with zipfile.ZipFile(wheel) as zipped:
        names = set(zipped.namelist())
    for folder, place in folders.items():
        data = [path for path in tracked_files() if path.is_relative_to(REPOSITORY / folder)]
        assert data, f"{folder} is in pyproject.toml and has no file"
        for path in data:
            relative = path.relative_to(REPOSITORY / folder).as_posix()
            assert f"{place}/{relative}" in names


def test_every_file_of_the_package_is_in_the_wheel_and_no_test_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as zipped:
        names = set(zipped.namelist())
    package = [path.relative_to(REPOSITORY) for path in tracked_files()]
    missing = {path.as_posix() for path in package if path.parts[0] == "sre_obs"} - names
    assert missing == set()
    assert not [name for name in names if name.startswith("tests/") or "__pycache__" in name]


def test_the_wheel_is_for_the_pythons_that_the_tests_run_on(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as zipped:
        (metadata,) = (name for name in zipped.namelist() if name.endswith(".dist-info/METADATA"))
        text = zipped.read(metadata).decode()
    assert "Requires-Python: >=3.11" in text
    assert f"Programming Language :: Python :: 3.{sys.version_info.minor}" in text
