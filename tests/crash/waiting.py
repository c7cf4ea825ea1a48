"""Waiting for what another process does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def until(check: Callable[[], Any], seconds: float = 30.0) -> Any:
    """What `check` returns as soon as it is true. Fails when it does not come."""
    end = time.monotonic() + seconds
    while not (found := check()):
        if time.monotonic() > end:
            raise AssertionError(f"it did not come within {seconds:.0f} s")
        time.sleep(0.02)
    return found
