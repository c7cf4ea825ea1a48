"""What no file may hold: this machine's paths, a registry's host, a wait for nothing."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.house.tree import REPOSITORY, tracked_files

# Recorded telemetry and lock files are others' words.
DATA = {".ndjson", ".lock", ".log"}
# Rooms whose tests run real processes, and so wait for them.
WAITING_ROOMS = {"parts", "tiers", "bench", "crash", "faults", "browser", "fakes"}

# Put together here, so that this file does not hold what it looks for.
PLACES = re.compile(
    r"(?<![\w.~$}])/(?:" + "|".join(("work", "root", "tmp", "home")) + r")/\w"
    r"|\.\./" + "shared" + r"\b"
)
REGISTRIES = re.compile(
    r"\b(?:"
    + "|".join(
        re.escape(host)
        for host in (
            "pypi" + ".org",
            "pythonhosted" + ".org",
            "repo1.maven" + ".org",
            "repo.maven" + ".apache.org",
            "registry.npmjs" + ".org",
            "proxy.golang" + ".org",
            "deb.debian" + ".org",
            "crates" + ".io",
        )
    )
    + ")"
)


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in tracked_files():
        if path.suffix in DATA:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()}"
            for number, line in enumerate(text.splitlines(), start=1)
            if pattern.search(line)
        ]
    return found


def test_no_file_names_a_path_of_one_machine() -> None:
    assert lines_with(PLACES) == []


def test_no_file_names_a_package_registry() -> None:
    assert lines_with(REGISTRIES) == []


def test_no_test_sleeps() -> None:
    sleeping = []
    for path in (REPOSITORY / "tests").rglob("*.py"):
        room = path.relative_to(REPOSITORY / "tests").parts[0]
        if room not in WAITING_ROOMS:
            sleeping += [f"{path.relative_to(REPOSITORY)}:{line}" for line in sleeps(path)]
    assert sleeping == []


def sleeps(path: Path) -> list[int]:
    """The lines that call time.sleep; asyncio's runs on virtual clocks as well."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr == "sleep"
        and isinstance(node.value, ast.Name)
        and node.value.id == "time"
    ]
