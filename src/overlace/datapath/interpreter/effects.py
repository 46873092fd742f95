"""What a run of a packet through a switch has done to the world outside its tables."""

from dataclasses import dataclass, field

from overlace.datapath.actions import SetField
from overlace.datapath.flow import Flow
from overlace.datapath.interpreter.packet import Packet


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame left through a port; for a tunnel port `packet` holds the tunnel's fields (tun_id, tun_dst)."""

    port: int
    packet: Packet
    max_len: int = 0


@dataclass(frozen=True, slots=True)
class ToController:
    """A packet-in; `reason` is "action" or "invalid_ttl" as in OpenFlow."""

    userdata: bytes
    packet: Packet
    reason: str = "action"
    max_len: int = 0xFFFF
    controller_id: int = 0


@dataclass(frozen=True, slots=True)
class Learned:
    """learn() has added or refreshed a flow."""

    flow: Flow


@dataclass(frozen=True, slots=True)
class Committed:
    """ct(commit) has put the packet's connection into a zone."""

    zone: int
    packet: Packet
    force: bool = False
    set_fields: tuple[SetField, ...] = ()


@dataclass(frozen=True, slots=True)
class Dropped:
    """A branch of the packet's way has ended without any output.

    `flow` is the last flow that it matched, None when not even table 0 had one; `table` is the last table that
    was asked, and `packet` what had become of the packet by then.
    """

    reason: str
    flow: Flow | None
    table: int | None = field(default=None, compare=False)
    packet: Packet | None = field(default=None, compare=False)


Effect = Sent | ToController | Learned | Committed | Dropped
