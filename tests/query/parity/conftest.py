"""Parity asks the server without the client, so another client changes nothing of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("SRE_OBS_TEST_CLIENT_MAJOR") is None:
        return
    other = [item for item in items if HERE not in item.path.parents]
    here = [item for item in items if HERE in item.path.parents]
    if here and other:  # alone they were asked for by name
        config.hook.pytest_deselected(items=here)
        items[:] = other
