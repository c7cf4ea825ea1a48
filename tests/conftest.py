"""Fixtures that every tier shares: goldens, property profiles, and the real servers.

What needs a real server, a browser or a kill says so by its marker, never by its
folder, because the tiers of ``tests/run`` select by marker.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.parts.fixtures"]

GOLDEN_ROOT = Path(__file__).parent / "golden"

# A shared machine stalls for seconds: a deadline would fail the machine, not the code.
settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "full", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("full" if os.environ.get("SRE_OBS_TEST_FULL") == "1" else "ci")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-goldens",
        action="store_true",
        help="write tests/golden/ anew instead of comparing with it; review the diff",
    )


Golden = Callable[[str, str, str, str], None]


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """``golden(room, case, name, text)`` compares with tests/golden/<room>/<case>/<name>."""
    update = bool(request.config.getoption("--update-goldens"))

    def compare(room: str, case: str, name: str, text: str) -> None:
        path = GOLDEN_ROOT / room / case / name
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        if not path.is_file():
            pytest.fail(f"no golden {path}; write it with --update-goldens and review the diff")
        # Compared as text so that pytest shows the diff itself.
        assert text == path.read_text(encoding="utf-8"), f"differs from {path}"

    return compare
