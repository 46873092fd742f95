"""Who was turned away lately, and why: a bounded memory for those who look for what is wrong.

A peer that is refused tries again every few seconds, so a refusal that was not repeated for a while is over, and so is
one whose address has been admitted since.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from overlace.kit.clock import Clock

MOST = 200
"""Refusals that are remembered; of more, the oldest are forgotten."""
LATELY = timedelta(seconds=12)
"""Open vSwitch calls again after 8 seconds at the latest (ovs-vswitchd.conf.db(5), max_backoff)."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One address at one port, for one reason; `port` is what it wanted: openflow, ovsdb or enrolment."""

    port: str
    address: str
    reason: str
    at: datetime
    times: int = 1


class Refusals:
    """Fed by the ports."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str, str], Refusal] = {}

    def refused(self, port: str, peer: str, reason: str) -> None:
        """A connection from `peer` (address:port) was not taken."""
        address = peer.rpartition(":")[0] or peer
        now = self._clock.now()
        before = self._known.pop((port, address, reason), None)
        found = Refusal(port, address, reason, now)
        self._known[port, address, reason] = replace(found, times=before.times + 1) if before else found
        if len(self._known) > MOST:
            del self._known[next(iter(self._known))]

    def admitted(self, port: str, peer: str) -> None:
        """A connection from there was taken: what was wrong before is mended."""
        address = peer.rpartition(":")[0] or peer
        for key in [key for key in self._known if key[:2] == (port, address)]:
            del self._known[key]

    def lately(self) -> Sequence[Refusal]:
        """What still happens, in the order in which it happened last."""
        now = self._clock.now()
        return [each for each in self._known.values() if now - each.at <= LATELY]
