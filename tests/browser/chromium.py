"""A real Chromium, and pages served to it from this process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

PHONE = (360, 800)
DESKTOP = (1200, 900)

_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--no-proxy-server", "--hide-scrollbars"),
)


@contextmanager
def chromium(profile: Path, *, script: bool = True) -> Iterator[Chrome]:
    """A browser with a profile of its own; `script`: whether pages may run any."""
    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in _FLAGS:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={profile}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    if not script:
        blocked = {"profile.managed_default_content_settings.javascript": 2}
        options.add_experimental_option("prefs", blocked)
    driver = Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        size(driver, DESKTOP)
        yield driver
    finally:
        driver.quit()


def size(driver: Chrome, window: tuple[int, int]) -> None:
    """The window as that device has it; headless windows have a least width of their own."""
    width, height = window
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
    )


def scheme(driver: Chrome, name: str) -> None:
    """``light`` or ``dark``."""
    features = [{"name": "prefers-color-scheme", "value": name}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def hurry(driver: Chrome, times: int) -> None:
    """Intervals of pages that are opened from now on pass so many times as fast."""
    source = (
        "const slow = window.setInterval;"
        f"window.setInterval = (call, ms) => slow(call, ms / {times});"
    )
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})


def complaints(driver: Chrome) -> list[str]:
    """What the console was told since it was last asked: broken policy, missing files."""
    return [entry["message"] for entry in driver.get_log("browser")]


class Served:
    """`app` on a port of its own, on a loop in a thread."""

    def __init__(self, app: Any, port: int = 0) -> None:
        config = uvicorn.Config(app, port=port, log_config=None, lifespan="off", access_log=False)
        self._server = uvicorn.Server(config)
        self._socket = config.bind_socket()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Served:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def do(self, call: Callable[[], object]) -> None:
        """Call it on the loop, where the pages are built."""

        async def called() -> None:
            call()

        asyncio.run_coroutine_threadsafe(called(), self._loop).result(30)

    def stop(self) -> None:
        """Answer nobody any more."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        self._loop.run_until_complete(self._server.serve(sockets=[self._socket]))
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
