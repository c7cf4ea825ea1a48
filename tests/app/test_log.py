"""The daemon's log in every form."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import logging
import structlog
from sre_obs.app.daemon.log import configure

configure({form!r}, "info")

def fails(key):
    raise ValueError("it broke")

try:
    fails("can" + "ary")
except ValueError:
    {logger}.exception("failed")
"""
LOGGERS = ["structlog.get_logger('test')", "logging.getLogger('uvicorn.error')"]


@pytest.mark.parametrize("logger", LOGGERS, ids=["ours", "a library's"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_an_error_is_told_by_its_place_and_without_variables(form: str, logger: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(form=form, logger=logger)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "ValueError: it broke" in done.stderr
    assert "in fails" in done.stderr
    assert "canary" not in done.stderr
