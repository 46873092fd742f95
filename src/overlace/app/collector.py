"""Python's cyclic garbage collector, driven by the clock in a process with much long-lived, acyclic data.

By itself it looks at young objects after so many allocations less frees: where old objects are freed as new ones are
made, as in every change here, that is seldom, and then takes tens of milliseconds. And it walks over everything when
the heap has grown by a quarter: for seconds at 100,000 ports, in the middle of a change. Nearly all that Overlace makes
is freed by reference counting; what is left to the collector are a few cycles of failed connections and the like.

So it does nothing by itself. What stands at the start (modules, the loaded snapshot, the first plan) is set apart
(gc.freeze) without being walked over. From then on the young are looked at twenty times a second, for a millisecond
or two, longer only after a long turn of the event loop. How long these looks took tells how much has come: when it is
much, when nothing changes, or after a while, what has come is looked at once, and then set apart, too. Cycles that were
given up only after that stay; once a day in a quiet moment, or once a week, everything is looked at for their sake.
"""

import asyncio
import gc
import time
from collections.abc import Callable
from enum import Enum

import structlog

from overlace.kit.revision import Revision

log = structlog.get_logger(__name__)

INTERVAL = 0.05
"""Seconds between two looks."""
QUIET, LATEST = 5.0, 30.0
"""Seconds without a change that are a quiet moment; those after which what has come is looked at all the same."""
DAY, WEEK = 86_400.0, 604_800.0
MUCH = 0.04
"""Seconds that looks at the young have taken: one at all that has come since takes 30 to 90 ms then."""


class Look(Enum):
    """At whom."""

    YOUNG = "young"
    NEW = "new"
    ALL = "all"


class Pace:
    """What is to be looked at next; `now` is in seconds of a clock that never goes back."""

    def __init__(self, now: float) -> None:
        self._new_at = self._all_at = self._changed_at = now
        self._seen: Revision | None = None
        self._looked_at: Revision | None = None

    def next(self, now: float, revision: Revision, spent: float = 0.0) -> Look:
        """When this is the newest revision of what is stored, and looks at the young took so many seconds since the
        last at more than those."""
        if revision != self._seen:
            self._seen, self._changed_at = revision, now
        quiet = now - self._changed_at >= QUIET
        if now - self._all_at >= (DAY if quiet else WEEK):
            self._all_at = now
            look = Look.ALL
        elif (quiet and revision != self._looked_at) or now - self._new_at >= LATEST or spent >= MUCH:
            look = Look.NEW
        else:
            return Look.YOUNG
        self._new_at, self._looked_at = now, revision
        return look


def postpone_collector() -> None:
    """Call it once, before what lives long is made."""
    gc.collect()
    gc.disable()


def look_at(look: Look) -> int:
    """How many unreachable objects there were; unless only the young were looked at, the others are set apart."""
    if look is Look.YOUNG:
        return gc.collect(0)
    if look is Look.ALL:
        gc.unfreeze()
    found = gc.collect()
    gc.freeze()
    return found


async def look_at_intervals(revision: Callable[[], Revision]) -> None:
    """Set apart what stands now, and go on until cancelled."""
    gc.freeze()
    pace, spent = Pace(time.monotonic()), 0.0
    while True:
        await asyncio.sleep(INTERVAL)
        began = time.monotonic()
        look = pace.next(began, revision(), spent)
        found = look_at(look)
        spent = spent + time.monotonic() - began if look is Look.YOUNG else 0.0
        if found and look is not Look.YOUNG:
            log.debug("unreachable objects freed", found=found)
