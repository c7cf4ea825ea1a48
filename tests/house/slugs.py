"""Every slug that the code can give a finding, read out of the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import PACKAGE

ROOMS = ("rules", "routes", "overrides", "silences", "telemetry", "tests", "yaml", "check")
# No finding of a file: the verdict of a test, and what the settings' file can have.
OTHERS = frozenset(("tests/failed",))
_SLUG = re.compile(rf"(?:{'|'.join(ROOMS)})/[a-z][a-z0-9-]+")
# What the door to every schema says, of the room that asks (content.shape).
_OF_THE_DOOR = ("unknown-key", "missing-key", "wrong-value")


def emitted() -> set[str]:
    """All slugs of findings."""
    found = {slug for path in PACKAGE.rglob("*.py") for slug in _of(path)}
    doors = {
        f"{room}/{kind}"
        for room in ("rules", "routes", "overrides", "silences", "telemetry", "tests")
        for kind in _OF_THE_DOOR
    }
    return (found | doors | {"routes/unsupported-key"}) - OTHERS


def _of(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if _SLUG.fullmatch(node.value):
                yield node.value
        elif isinstance(node, ast.Call):
            yield from _written(node, path)


def _written(call: ast.Call, path: Path) -> Iterator[str]:
    """`written.add("wrong-value", ...)`: a rule's slugs without their room."""
    if "content/rules" not in path.as_posix() and "content/overrides" not in path.as_posix():
        return
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in (
        "add",
        "add_query",
        "_add",
    ):
        return
    slugs = [*call.args[:1], *(k.value for k in call.keywords if k.arg == "slug")]
    for slug in slugs:
        for part in ast.walk(slug):
            value = part.value if isinstance(part, ast.Constant) else None
            if isinstance(value, str) and re.fullmatch(r"[a-z]+(-[a-z]+)+", value):
                yield f"rules/{value}"
