"""What the parts of one southbound share, and the limits they keep."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from overlace.compiler.pipeline import CookieClass, Table, cookie, is_learned
from overlace.compiler.technologies.label import host_label
from overlace.datapath.fields import EthType, Field
from overlace.datapath.match import match
from overlace.kit.clock import Clock
from overlace.southbound.encoding import Encoder
from overlace.southbound.events import PlanListener
from overlace.southbound.flow_holders import FlowHolders
from overlace.southbound.lineage import Lineage
from overlace.southbound.marker import MarkerPlace, Stamp
from overlace.southbound.order import DEFAULT_LIMIT
from overlace.southbound.reading import DEFAULT_PIECE

MARKER_PLACE = MarkerPlace(Table.MARKER, 0, cookie(CookieClass.MARKER))
"""The room that the compiler's pipeline leaves for the marker."""
TRANSIT_MARKER_PLACE = MarkerPlace(
    Table.CLASSIFY,
    0,
    cookie(CookieClass.MARKER),
    match({Field.ETH_DST: host_label(0), Field.ETH_TYPE: EthType.IPV6}),
    plain=True,
)
"""The same in the one table that every OpenFlow switch has: frames to the label of no host."""


COMPARED_AT_ONCE = 16
"""Switches that are read and compared at the same time when hundreds return together."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits; times in seconds."""

    brake_share: float = 0.5
    """A comparison that would remove more than this share of a switch's flows stops and asks ..."""
    brake_minimum: int = 100
    """... when these are more than so many."""
    piece_size: int = DEFAULT_PIECE
    batch_limit: int = DEFAULT_LIMIT
    transaction_timeout: float = 30.0
    retry_interval: float = 30.0
    """Between attempts at what a switch refused."""
    stamp_interval: float = 5.0
    """At most one new stamp in a host's database in this time."""
    parking_time: float = 30.0
    """How long a switch that is not known (yet) may stay connected."""
    removal_grace: float = 1.0
    """How long removals wait for the additions of the same change on other switches."""


@dataclass(frozen=True, slots=True)
class Context:
    """Handed to every switch."""

    clock: Clock
    tasks: asyncio.TaskGroup
    encoder: Encoder
    listener: PlanListener
    stamp: Callable[[], Stamp]
    """The cluster, epoch and revision of the plan as it is now."""
    generation_id: Callable[[], int]
    """The epoch of the lease under which this controller writes."""
    lineage: Callable[[], Lineage] = Lineage
    """The epochs before the present one."""
    requires_database: bool = True
    """Hosts are written to only once their database was seen."""
    settings: Settings = field(default_factory=Settings)
    marker: MarkerPlace = MARKER_PLACE
    is_learned: Callable[[int], bool] = is_learned
    holders: FlowHolders = field(default_factory=FlowHolders)
    comparing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(COMPARED_AT_ONCE))
    """Held by a switch that is read as a whole: what it says takes much more memory than what it is to hold."""
