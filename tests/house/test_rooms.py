"""Each room says what lives in it, and nothing lives in a room without a name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.house.tree import PACKAGE, REPOSITORY, tracked_files

ROOMS = sorted({path.parent for path in PACKAGE.rglob("*.py")})
NAMELESS = {"utils", "util", "common", "helpers", "helper", "misc", "core", "base"}
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME")) + r")\b")


def docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.relative_to(REPOSITORY).as_posix())
def test_a_room_says_in_a_sentence_what_lives_there(room: Path) -> None:
    init = room / "__init__.py"
    assert init.is_file(), "a folder with modules is a package"
    # A sentence: several words, and a stop or the colon before a list.
    assert re.search(r"\w+(\W+\w+){3,}.*[.:]", docstring(init), re.DOTALL)


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        path.relative_to(REPOSITORY).as_posix()
        for path in PACKAGE.rglob("*.py")
        if not docstring(path)
    ]
    assert silent == []


def test_no_module_is_called_after_nothing() -> None:
    assert [path.name for path in PACKAGE.rglob("*.py") if path.stem in NAMELESS] == []


def test_nothing_is_left_for_later() -> None:
    unfinished = [
        f"{path.relative_to(REPOSITORY)}:{number}"
        for path in tracked_files()
        if path.suffix in {".py", ".toml", ".md", ".yml", ".html", ".css", ".js"}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if UNFINISHED.search(line)
    ]
    assert unfinished == []


def test_importing_the_package_imports_nothing() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
