"""Flows, groups and meters: the contents of a switch, as values."""

from enum import Enum

import msgspec

from overlace.datapath.actions import Action
from overlace.datapath.match import Match


class FlowKey(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """What makes two flow entries the same one for the switch (OpenFlow 1.5, 6.4 "identical flow entry")."""

    table: int
    priority: int
    match: Match


class Flow(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """One flow entry. `idle_timeout` and `hard_timeout` in seconds, 0 is never."""

    table: int
    priority: int
    match: Match
    actions: tuple[Action, ...]
    cookie: int = 0
    idle_timeout: int = 0
    hard_timeout: int = 0
    send_flow_removed: bool = False

    @property
    def key(self) -> FlowKey:
        """The identity of this entry in its switch."""
        return FlowKey(self.table, self.priority, self.match)


class GroupType(Enum):
    """OpenFlow 1.5, 5.10.1."""

    ALL = "all"
    SELECT = "select"
    INDIRECT = "indirect"
    FAST_FAILOVER = "ff"


class Bucket(msgspec.Struct, frozen=True, gc=False):
    """One alternative of a group; `watch_port` only for fast failover, `weight` only for select."""

    bucket_id: int
    actions: tuple[Action, ...]
    weight: int = 0
    watch_port: int | None = None


class Group(msgspec.Struct, frozen=True, gc=False):
    """A group entry; `selection_method` ("" or "dp_hash" or "hash") counts only for select."""

    group_id: int
    type: GroupType
    buckets: tuple[Bucket, ...]
    selection_method: str = ""


class MeterUnit(Enum):
    """What a meter counts."""

    KBPS = "kbps"
    PKTPS = "pktps"


class Meter(msgspec.Struct, frozen=True, gc=False):
    """A meter with one drop band; `burst` in kilobits or packets, 0 lets the switch choose."""

    meter_id: int
    unit: MeterUnit
    rate: int
    burst: int = 0
