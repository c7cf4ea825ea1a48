"""A browser for the run, and a window in it for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome

from tests.browser.chromium import DESKTOP, chromium, complaints, scheme, size


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker("browser")


@pytest.fixture(scope="session")
def _chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@pytest.fixture
def browser(_chromium: Chrome) -> Iterator[Chrome]:
    """A tab of its own: what a test emulates ends with it. What the console was told
    (a broken policy, a missing file) fails the test."""
    first = _chromium.current_window_handle
    _chromium.switch_to.new_window("tab")
    size(_chromium, DESKTOP)
    scheme(_chromium, "light")
    complaints(_chromium)
    yield _chromium
    # A test's server ends before its tab, whose page may ask for news in between.
    told = [one for one in complaints(_chromium) if "ERR_CONNECTION_REFUSED" not in one]
    _chromium.close()
    _chromium.switch_to.window(first)
    assert told == []
