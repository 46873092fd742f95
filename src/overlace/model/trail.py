"""Trails: what a port has left behind at hosts where it was. The conntrack zone there still knows its connections, and
the port's new host asks it about those that it does not know (`compiler/query.py`)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from overlace.model.declaration import Index, resource
from overlace.model.intents import Intents

KEPT = 16
"""Trails of a port, the newest: each is asked about every packet that the port's zone does not know. A connection in
which less than three packets follow one another within 30 seconds is known for good by that zone alone in which it was
opened."""
DAYS = 1
"""Full days for which a trail is kept: so long Open vSwitch's own tracker remembers a silent connection."""


@resource(
    "trail",
    "trails",
    Index("port", lambda t: [(t.port_id, "")]),
    Index("host", lambda t: [(t.host_id, "")]),
    Index("day", lambda t: [(t.since.date().isoformat(), "")]),
)
@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """A port was active on a host until `since` (UTC), and its connections are in `zone` there. It gets another zone
    when it comes back: what the old one remembers of connections that went on elsewhere is wrong by then."""

    port_id: str
    network_id: str
    host_id: str
    zone: int
    since: datetime

    @property
    def id(self) -> str:
        """A port can have been on a host more than once."""
        return f"{self.port_id}@{self.host_id}:{self.zone}"


def trails_of(intents: Intents, port_id: str) -> list[Trail]:
    """All of a port, the newest first."""
    found: Iterable[Trail] = intents.members(Trail, "port", port_id)
    return sorted(found, key=lambda each: (each.since, each.host_id, each.zone), reverse=True)


def leads_to(intents: Intents, port_id: str, host_id: str, zone: int) -> bool:
    """Whether a zone is one that a port has left behind."""
    return intents.get(Trail, f"{port_id}@{host_id}:{zone}") is not None


def is_old(day: str, now: datetime) -> bool:
    """Whether trails that began on that day are over."""
    return day < (now - timedelta(days=DAYS)).date().isoformat()
