"""OpenFlow messages as values (OpenFlow 1.5, section 7)."""

from enum import IntEnum

import msgspec

from overlace.datapath.actions import ANY, CONTROLLER, Action
from overlace.datapath.flow import Flow, Group, Meter
from overlace.datapath.match import Match

ALL_TABLES = 0xFF


class Role(IntEnum):
    """What a controller is to a switch."""

    NOCHANGE = 0
    EQUAL = 1
    MASTER = 2
    SLAVE = 3


class FlowModCommand(IntEnum):
    """OFPFC_*."""

    ADD = 0
    MODIFY = 1
    MODIFY_STRICT = 2
    DELETE = 3
    DELETE_STRICT = 4


class GroupModCommand(IntEnum):
    """OFPGC_*."""

    ADD = 0
    MODIFY = 1
    DELETE = 2


class MeterModCommand(IntEnum):
    """OFPMC_*."""

    ADD = 0
    MODIFY = 1
    DELETE = 2


class BundleControlType(IntEnum):
    """OFPBCT_*."""

    OPEN_REQUEST = 0
    OPEN_REPLY = 1
    CLOSE_REQUEST = 2
    CLOSE_REPLY = 3
    COMMIT_REQUEST = 4
    COMMIT_REPLY = 5
    DISCARD_REQUEST = 6
    DISCARD_REPLY = 7


class _Message(msgspec.Struct, frozen=True, gc=False):
    pass


class Hello(_Message, frozen=True, gc=False):
    """`versions` that the sender speaks, as wire numbers."""

    versions: tuple[int, ...]


_ERROR_TYPES = {
    0: "OFPET_HELLO_FAILED", 1: "OFPET_BAD_REQUEST", 2: "OFPET_BAD_ACTION", 3: "OFPET_BAD_INSTRUCTION",
    4: "OFPET_BAD_MATCH", 5: "OFPET_FLOW_MOD_FAILED", 6: "OFPET_GROUP_MOD_FAILED", 7: "OFPET_PORT_MOD_FAILED",
    8: "OFPET_TABLE_MOD_FAILED", 11: "OFPET_ROLE_REQUEST_FAILED", 12: "OFPET_METER_MOD_FAILED",
    13: "OFPET_TABLE_FEATURES_FAILED", 17: "OFPET_BUNDLE_FAILED", 0xFFFF: "OFPET_EXPERIMENTER",
}  # fmt: skip


class Error(_Message, frozen=True, gc=False):
    """A refusal; `data` begins with the message that was refused."""

    type: int
    code: int
    data: bytes = b""

    @property
    def name(self) -> str:
        """The error type by name, with the code's number."""
        return f"{_ERROR_TYPES.get(self.type, f'error type {self.type}')} code {self.code}"

    def __str__(self) -> str:
        return self.name


class EchoRequest(_Message, frozen=True, gc=False):
    """Are you there?"""

    data: bytes = b""


class EchoReply(_Message, frozen=True, gc=False):
    """I am."""

    data: bytes = b""


class FeaturesRequest(_Message, frozen=True, gc=False):
    """Who are you?"""


class FeaturesReply(_Message, frozen=True, gc=False):
    """What the switch is."""

    datapath_id: int
    n_buffers: int = 0
    n_tables: int = 254
    auxiliary_id: int = 0
    capabilities: int = 0


class GetConfigRequest(_Message, frozen=True, gc=False):
    """How are you set?"""


class GetConfigReply(_Message, frozen=True, gc=False):
    """The switch's configuration."""

    flags: int
    miss_send_len: int


FRAGMENTS_NX_MATCH = 3
"""OFPC_FRAG_NX_MATCH: a first fragment is matched with its ports, later ones without (ovs-ofctl(8), set-frags)."""


class SetConfig(_Message, frozen=True, gc=False):
    """Set fragment handling, and how much of a table miss goes to the controller."""

    flags: int
    miss_send_len: int


class BarrierRequest(_Message, frozen=True, gc=False):
    """Finish all before this."""


class BarrierReply(_Message, frozen=True, gc=False):
    """All before that is finished."""


class RoleRequest(_Message, frozen=True, gc=False):
    """Take a role; `generation_id` fences masters of older epochs."""

    role: Role
    generation_id: int


class RoleReply(_Message, frozen=True, gc=False):
    """The role taken."""

    role: Role
    generation_id: int


class RoleStatus(_Message, frozen=True, gc=False):
    """The role changed by another's doing."""

    role: Role
    reason: int
    generation_id: int


class FlowMod(_Message, frozen=True, gc=False):
    """Change the flow table; deletes are narrowed by cookie under `cookie_mask`."""

    command: FlowModCommand
    flow: Flow
    cookie_mask: int = 0


class FlowRemoved(_Message, frozen=True, gc=False):
    """A flow has gone; `reason` 0 idle, 1 hard timeout, 2 deleted."""

    table: int
    priority: int
    match: Match
    cookie: int
    reason: int


class GroupMod(_Message, frozen=True, gc=False):
    """Change the group table."""

    command: GroupModCommand
    group: Group


class MeterMod(_Message, frozen=True, gc=False):
    """Change the meter table."""

    command: MeterModCommand
    meter: Meter


class PacketOut(_Message, frozen=True, gc=False):
    """Let a frame into the switch."""

    frame: bytes
    actions: tuple[Action, ...]
    in_port: int = CONTROLLER


class PacketIn(_Message, frozen=True, gc=False):
    """A frame from the switch, with the metadata it had and the userdata of the action that sent it."""

    frame: bytes
    total_len: int
    reason: int
    table: int
    cookie: int
    metadata: Match
    userdata: bytes = b""


class PortDescription(msgspec.Struct, frozen=True, gc=False):
    """One port of the switch."""

    number: int
    name: str
    mac: int
    config: int
    state: int


class PortStatus(_Message, frozen=True, gc=False):
    """A port was added (0), deleted (1) or modified (2)."""

    reason: int
    port: PortDescription


class PortDescRequest(_Message, frozen=True, gc=False):
    """List the ports."""


class PortDescReply(_Message, frozen=True, gc=False):
    """Some of the ports."""

    ports: tuple[PortDescription, ...]
    more: bool = False


class FlowStatsRequest(_Message, frozen=True, gc=False):
    """Tell the flows that a table, match and cookie select."""

    table: int = ALL_TABLES
    match: Match = Match()
    cookie: int = 0
    cookie_mask: int = 0
    out_port: int = ANY


class FlowEntry(msgspec.Struct, frozen=True, gc=False):
    """An installed flow with its counters; `duration` in seconds."""

    flow: Flow
    packets: int
    bytes: int
    duration: float


class FlowStatsReply(_Message, frozen=True, gc=False):
    """Some of the flows; `unreadable` counts entries with parts that this codec does not know."""

    entries: tuple[FlowEntry, ...]
    more: bool = False
    unreadable: int = 0


class AggregateRequest(_Message, frozen=True, gc=False):
    """Sum over flows."""

    table: int = ALL_TABLES
    match: Match = Match()
    cookie: int = 0
    cookie_mask: int = 0


class AggregateReply(_Message, frozen=True, gc=False):
    """The sums."""

    packets: int
    bytes: int
    flows: int


class GroupDescRequest(_Message, frozen=True, gc=False):
    """List the groups."""


class GroupDescReply(_Message, frozen=True, gc=False):
    """Some of the groups."""

    groups: tuple[Group, ...]
    more: bool = False


class MeterConfigRequest(_Message, frozen=True, gc=False):
    """List the meters."""


class MeterConfigReply(_Message, frozen=True, gc=False):
    """Some of the meters."""

    meters: tuple[Meter, ...]
    more: bool = False


class BundleControl(_Message, frozen=True, gc=False):
    """Open, commit or discard a bundle, or the answer."""

    bundle_id: int
    type: BundleControlType
    flags: int = 0


class BundleAdd(_Message, frozen=True, gc=False):
    """Put an encoded message into a bundle; its transaction id must be that of this message."""

    bundle_id: int
    flags: int
    message: bytes


class NxSetPacketInFormat(_Message, frozen=True, gc=False):
    """Choose how packet-ins look; 2 is NXT_PACKET_IN2."""

    format: int = 2


class NxSetControllerId(_Message, frozen=True, gc=False):
    """Choose which ``controller(id=...)`` reach this connection."""

    controller_id: int


class SetAsync(_Message, frozen=True, gc=False):
    """Choose asynchronous messages: (property type, mask of reasons) pairs (OpenFlow 1.5, 7.3.10)."""

    masks: tuple[tuple[int, int], ...]


class Unknown(_Message, frozen=True, gc=False):
    """A message that nobody here reads."""

    type: int
    body: bytes


class Malformed(_Message, frozen=True, gc=False):
    """A message whose frame was right and whose body was not."""

    type: int
    reason: str
    raw: bytes


Message = (
    Hello | Error | EchoRequest | EchoReply | FeaturesRequest | FeaturesReply | GetConfigRequest | GetConfigReply
    | SetConfig | BarrierRequest | BarrierReply | RoleRequest | RoleReply | RoleStatus | FlowMod | FlowRemoved
    | GroupMod | MeterMod | PacketOut | PacketIn | PortStatus | PortDescRequest | PortDescReply | FlowStatsRequest
    | FlowStatsReply | AggregateRequest | AggregateReply | GroupDescRequest | GroupDescReply | MeterConfigRequest
    | MeterConfigReply | BundleControl | BundleAdd | NxSetPacketInFormat | NxSetControllerId | SetAsync | Unknown
    | Malformed
)  # fmt: skip
