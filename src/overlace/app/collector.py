"""Python's cyclic garbage collector, set for a process with much long-lived, acyclic data.

By default it looks at young objects after every 700 allocations, which one port create exceeds many times, and walks
over everything whenever the heap has grown by a quarter: for seconds at 100,000 ports, in the middle of a change.
Nearly all that Overlace makes is freed by reference counting; what is left to the collector are a few cycles of failed
connections and the like. So what stands at the start (modules, the loaded snapshot, the first plan) is set apart
(gc.freeze) without being walked over while it is made, looks at the young are few and small, and what has come since is
looked at once, when nothing changes or after a while, and then set apart, too. Cycles that were given up only after
that stay; once a day in a quiet moment, or once a week, everything is looked at for their sake.
"""

import asyncio
import gc
from collections.abc import Callable
from enum import Enum

import structlog

from overlace.kit.revision import Revision

log = structlog.get_logger(__name__)

_YOUNG, _MIDDLE, _NEVER = 10_000, 2, 2**31 - 1
"""Allocations before a look at the young; such looks before one at the middle-aged; those before one at all."""
_INTERVAL = 5.0
"""Seconds without a change that are a quiet moment."""
_LATEST, _DAY, _WEEK = 6, 17_280, 120_960
"""In such intervals: half a minute and so on."""


class Look(Enum):
    """At whom."""

    NEW = "new"
    ALL = "all"


class Pace:
    """What is to be looked at, asked at equal intervals."""

    def __init__(self) -> None:
        self._since_new = self._since_all = 0
        self._seen: Revision | None = None
        self._looked_at: Revision | None = None

    def next(self, revision: Revision) -> Look | None:
        """Now, when this is the newest revision of what is stored."""
        quiet, self._seen = revision == self._seen, revision
        self._since_new += 1
        self._since_all += 1
        if self._since_all >= (_DAY if quiet else _WEEK):
            self._since_all = 0
            look = Look.ALL
        elif (quiet and revision != self._looked_at) or self._since_new >= _LATEST:
            look = Look.NEW
        else:
            return None
        self._since_new, self._looked_at = 0, revision
        return look


def postpone_collector() -> None:
    """Call it once, before what lives long is made."""
    gc.collect()
    gc.disable()


def settle_collector() -> None:
    """Call it once, when that has been made."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)


def look_at(look: Look) -> int:
    """How many unreachable objects there were; the others are set apart."""
    if look is Look.ALL:
        gc.unfreeze()
    found = gc.collect()
    gc.freeze()
    return found


async def look_at_intervals(revision: Callable[[], Revision]) -> None:
    """Until cancelled."""
    pace = Pace()
    while True:
        await asyncio.sleep(_INTERVAL)
        if (look := pace.next(revision())) is not None and (found := look_at(look)):
            log.debug("unreachable objects freed", found=found)
