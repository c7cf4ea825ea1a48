"""A real Chromium, and pages served to it from this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
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


@contextmanager
def served(app: Any) -> Iterator[str]:
    """`app` on a port of its own; its address."""
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", access_log=False)
    server = uvicorn.Server(config)
    sock = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        sock.close()
