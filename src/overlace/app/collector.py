"""Python's cyclic garbage collector, set for a process with much long-lived, acyclic data.

By default it looks at young objects after every 700 allocations, which one port create exceeds many times, and walks
over everything whenever the heap has grown by a quarter: for a quarter of a second at 100,000 ports, in the middle of
a change. Nearly all that Overlace makes is freed by reference counting; what is left to the collector are a few cycles
of failed connections and the like. So what stands at the start (modules, the loaded snapshot, the first plan) is set
apart for good without being walked over while it is made, looks at the young are few and small, and everything is
looked at only after much was made, at a moment when nothing changes.
"""

import asyncio
import gc
from collections.abc import Callable

import structlog

from overlace.kit.revision import Revision

log = structlog.get_logger(__name__)

_YOUNG, _MIDDLE, _NEVER = 10_000, 10, 2**31 - 1
"""Allocations before a look at the young; such looks before one at the middle-aged; those before one at all."""
_MUCH, _TOO_MUCH = 10, 500
"""Looks at the middle-aged, 100,000 new objects each: that many call for a quiet moment, and that many for none."""
_INTERVAL = 5.0
"""Seconds without a change that are a quiet moment."""


def postpone_collector() -> None:
    """Call it once, before what lives long is made."""
    gc.collect()
    gc.disable()


def settle_collector() -> None:
    """Call it once, when that has been made."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)


class Growth:
    """What was made since everything was looked at, told at equal intervals."""

    def __init__(self, looks: int) -> None:
        self._since = looks
        self._seen: Revision | None = None

    def calls(self, looks: int, revision: Revision) -> bool:
        """Whether to look at everything now: so many looks at the middle-aged there have been in all, and this is the
        newest revision of what is stored."""
        quiet, self._seen = revision == self._seen, revision
        grown = looks - self._since
        if grown < (_MUCH if quiet else _TOO_MUCH):
            return False
        self._since = looks
        return True


async def collect_in_quiet_moments(revision: Callable[[], Revision]) -> None:
    """Look at everything when that is due, until cancelled."""
    growth = Growth(_looks())
    while True:
        await asyncio.sleep(_INTERVAL)
        if growth.calls(_looks(), revision()):
            log.info("unreachable objects freed", found=gc.collect())


def _looks() -> int:
    return int(gc.get_stats()[1]["collections"])
