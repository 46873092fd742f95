"""Keeps the log from growing with what strangers send: of one event, only so many lines in a second."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from structlog.typing import EventDict

BURST = 100
RATE = 5.0
"""Lines of one event in a second, in the long run."""
_MOST_EVENTS = 1000


@dataclass(slots=True)
class _Allowance:
    left: float
    since: float
    suppressed: int = 0


class LogLimit:
    """A processor of structlog and a filter of `logging`. An event is its text, whatever else the line says.

    The next line of an event after a gap says how many were left out. Requests that succeeded are never left out:
    who made them was let in, and a change has to leave a trace.
    """

    def __init__(self, monotonic: Callable[[], float], burst: int = BURST, rate: float = RATE) -> None:
        """`burst` lines at once, `rate` lines a second."""
        self._monotonic = monotonic
        self._burst = burst
        self._rate = rate
        self._allowances: dict[str, _Allowance] = {}

    def __call__(self, _: Any, __: str, line: EventDict) -> EventDict:
        """The line. Raises DropEvent when there were too many like it."""
        if line.get("event") == "request" and line.get("status", 500) < 400:
            return line
        suppressed = self._take(str(line.get("event")))
        if suppressed is None:
            raise structlog.DropEvent
        if suppressed:
            line["suppressed"] = suppressed
        return line

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a library's line is written."""
        return self._take(str(record.msg)) is not None

    def _take(self, event: str) -> int | None:
        """How many lines were left out before this one; None when it is left out too."""
        now = self._monotonic()
        allowance = self._allowances.get(event)
        if allowance is None:
            if len(self._allowances) >= _MOST_EVENTS:
                self._allowances.clear()
            allowance = self._allowances[event] = _Allowance(self._burst, now)
        allowance.left = min(self._burst, allowance.left + (now - allowance.since) * self._rate)
        allowance.since = now
        if allowance.left < 1:
            allowance.suppressed += 1
            return None
        allowance.left -= 1
        suppressed, allowance.suppressed = allowance.suppressed, 0
        return suppressed
