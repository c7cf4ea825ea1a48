"""The lock files satisfy pyproject.toml, and every line of them is hashed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.house.tree import REPOSITORY

MAIN = REPOSITORY / "tests" / "requirements.lock"
CLIENT8 = REPOSITORY / "tests" / "requirements-client8.lock"
ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+?)(?P<rest>\s.*)?$")


def entries(lock: Path) -> dict[str, Version]:
    """Pinned version by canonical name; asserts that each has a hash."""
    found: dict[str, Version] = {}
    for block in re.split(r"\n(?=[A-Za-z0-9])", lock.read_text(encoding="utf-8")):
        if match := ENTRY.match(block.partition("\n")[0]):
            assert "--hash=sha256:" in block, match["name"]
            found[canonicalize_name(match["name"])] = Version(match["version"])
    return found


def requirements() -> list[Requirement]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    texts = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_the_lock_file_has_a_version_that_fits(requirement: Requirement) -> None:
    pinned = entries(MAIN)
    name = canonicalize_name(requirement.name)
    assert name in pinned, "renew the lock file with tests/relock"
    assert requirement.specifier.contains(pinned[name], prereleases=True)


def test_the_older_client_is_one_that_the_package_allows() -> None:
    pinned = entries(CLIENT8)
    (client,) = (one for one in requirements() if one.name == "elasticsearch")
    assert pinned["elasticsearch"].major == 8
    assert client.specifier.contains(pinned["elasticsearch"])


def test_the_older_client_brings_nothing_else_in_another_version() -> None:
    main, older = entries(MAIN), entries(CLIENT8)
    same = set(older) - {"elasticsearch", "elastic-transport"}
    assert {name: older[name] for name in same} == {name: main[name] for name in same}


@pytest.mark.parametrize("lock", [MAIN, CLIENT8], ids=lambda path: path.name)
def test_a_lock_file_does_not_say_where_it_was_made(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert not re.search(r"://|--index|--find-links|--extra-index", text)
