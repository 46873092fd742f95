"""What the controller says while it works: one line an event, on standard error.

Every line carries its level and time, and within a request the request's id; so do the lines of the libraries.
Of one event only so many are written in a second.
"""

import logging
import sys
from enum import Enum

import structlog
from structlog.typing import Processor

from overlace.app.clock import SystemClock
from overlace.app.log_limit import LogLimit


class LogFormat(Enum):
    """For people (key=value), or for machines (one JSON object a line)."""

    TEXT = "text"
    JSON = "json"


def configure_logs(log_format: LogFormat, level: int) -> None:
    """Say how log lines look and which are written; `level` is one of `logging`."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last = _renderer(log_format)
    limit = LogLimit(SystemClock().monotonic)
    structlog.configure(
        processors=[limit, *shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(limit)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    # What libraries find worth telling is seldom what an operator does.
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)


def _renderer(log_format: LogFormat) -> list[Processor]:
    if log_format is LogFormat.JSON:
        return [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer(default=str)]
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
