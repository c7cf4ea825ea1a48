"""The daemon's log: readable lines in a terminal, ECS JSON elsewhere, always on stderr."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog


def configure(form: str, level: str) -> None:
    """Set logging up once, at start. `form` is auto, text or json."""
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
    ]
    if as_json:
        import ecs_logging

        shared += [structlog.processors.format_exc_info, ecs_logging.StructlogFormatter()]
    else:
        shared += [
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=True),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ]
    number = getattr(logging, level.upper())
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries log through the standard library: only what is wrong is worth a line, and
    # their debug lines would hold headers.
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr)
