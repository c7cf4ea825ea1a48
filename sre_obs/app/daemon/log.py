"""The daemon's log: readable lines in a terminal, ECS JSON elsewhere, always on stderr.

Libraries log through the standard library, and Python itself warns: both take the same way,
so that no line is in another form than the rest.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, TextIO

import structlog

# What ECS has a place for; all else is ours, under `sre_obs`, since in ECS `source` and
# `error` are objects, and a text in their place would be refused by the index.
_ECS = frozenset({"event", "@timestamp", "exception", "exc_info", "log.level", "log.logger"})


@dataclass(frozen=True, slots=True)
class Log:
    """How it was set up: `say` writes an event of the command itself, at a level."""

    as_json: bool
    say: Callable[[str, str], None]


def configure(form: str, level: str, colour: bool = False) -> Log:
    """Set logging up once, at start. `form` is auto, text or json; `level` a lower bound."""
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    number = getattr(logging, level.upper())
    shared: list[Any] = [structlog.contextvars.merge_contextvars, _named]
    if as_json:
        import ecs_logging

        last: list[Any] = [
            structlog.processors.format_exc_info,
            _in_ecs,
            ecs_logging.StructlogFormatter(ensure_ascii=False),
        ]
    else:
        last = [
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=True),
            _escaped,
            # Not rich's traceback: it prints every variable, secrets too, for seconds.
            structlog.dev.ConsoleRenderer(
                colors=colour, exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_Named,
        cache_logger_on_first_use=False,
    )
    # Of libraries only what is wrong is worth a line; their debug lines would hold headers.
    root = logging.getLogger()
    root.handlers[:] = [_Forward()]
    root.setLevel(max(number, logging.WARNING))
    # Its "Node <...> has failed" is said by us, once and in words.
    quiet = logging.NOTSET if number <= logging.DEBUG else logging.CRITICAL
    logging.getLogger("elastic_transport").setLevel(quiet)
    logging.captureWarnings(True)
    start = structlog.get_logger("start")
    return Log(as_json, lambda line, level: start.log(getattr(logging, level.upper()), line))


class _Named:
    """Prints lines to stderr as it is now; `name` is the logger's."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    def msg(self, message: str) -> None:
        stream: TextIO | None = sys.stderr
        if stream is not None:
            stream.write(message + "\n")
            stream.flush()

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


class _Forward(logging.Handler):
    """What libraries log, to our log."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            log = structlog.get_logger(record.name)
            # With its stack, if it has one: the web server reports our own faults this way.
            stack = {"exc_info": record.exc_info} if record.exc_info else {}
            log.log(max(record.levelno, logging.WARNING), record.getMessage().strip(), **stack)
        except (TypeError, ValueError, OSError):  # a record that does not fit its arguments
            self.handleError(record)


def _named(logger: Any, _: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if getattr(logger, "name", ""):
        event["log.logger"] = logger.name
    return event


def _in_ecs(_: Any, level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    ours = {key: event.pop(key) for key in list(event) if key not in _ECS}
    if "error" in ours:
        event["error.message"] = str(ours.pop("error"))
    if "exception" in event:
        event["error.stack_trace"] = event.pop("exception")
    if ours:
        event["sre_obs"] = ours
    event["log.level"] = level
    return event


def _escaped(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Foreign text can't steer the terminal."""
    for key, value in event.items():
        if isinstance(value, str) and key != "exception" and not value.isprintable():
            event[key] = "".join(c if c.isprintable() else repr(c)[1:-1] for c in value)
    return event
