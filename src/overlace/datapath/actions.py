"""Actions: what a flow does with a packet, by their ovs-actions(7) names.

A flow's `actions` are applied in order; an empty tuple drops. `Goto` (the goto_table instruction), where
present, is the last. All are frozen values compared by content.
"""

from functools import lru_cache

import msgspec

from overlace.datapath.fields import Field
from overlace.datapath.match import CACHED

IN_PORT = 0xFFFFFFF8
"""OFPP_IN_PORT: send back where the packet came from."""
CONTROLLER = 0xFFFFFFFD
"""OFPP_CONTROLLER."""
LOCAL = 0xFFFFFFFE
"""OFPP_LOCAL."""
ANY = 0xFFFFFFFF
"""OFPP_ANY."""


class _Action(msgspec.Struct, frozen=True, gc=False):
    pass


class Subfield(msgspec.Struct, frozen=True, gc=False):
    """Bits ``start .. start+bits-1`` of a field, as in ``NXM_NX_REG0[0..15]``."""

    field: Field
    start: int
    bits: int


def whole(field: Field) -> Subfield:
    """All bits of a field, as in ``NXM_NX_REG0[]``."""
    return Subfield(field, 0, field.bits)


class Output(_Action, frozen=True, gc=False):
    """Send to an OpenFlow port; `max_len` counts only for the controller port."""

    port: int
    max_len: int = 0


class OutputField(_Action, frozen=True, gc=False):
    """Send to the port whose number stands in a subfield (``output:NXM_NX_REG0[]``)."""

    source: Subfield
    max_len: int = 0


class SetField(_Action, frozen=True, gc=False):
    """Write `value` into the field's bits under `mask`."""

    field: Field
    value: int
    mask: int


class Move(_Action, frozen=True, gc=False):
    """Copy bits from one subfield to another of the same width (``move:``)."""

    source: Subfield
    target: Subfield


class Resubmit(_Action, frozen=True, gc=False):
    """Look the packet up in `table` too, then go on with the next action; None keeps the in_port."""

    table: int
    in_port: int | None = None


class Goto(_Action, frozen=True, gc=False):
    """The goto_table instruction: forward only, always last."""

    table: int


class SendToGroup(_Action, frozen=True, gc=False):
    """Hand the packet to a group."""

    group_id: int


class ApplyMeter(_Action, frozen=True, gc=False):
    """Drop the packet where the meter says so."""

    meter_id: int


class Conntrack(_Action, frozen=True, gc=False):
    """``ct(...)``: send through the connection tracker; with `table`, go on there with ct_state set."""

    zone: int | Subfield
    commit: bool = False
    force: bool = False
    table: int | None = None
    set_fields: tuple[SetField, ...] = ()
    """``exec(...)``: what to write into ct_mark or ct_label on commit."""


class ConntrackClear(_Action, frozen=True, gc=False):
    """``ct_clear``: forget the connection tracking state of the packet."""


class LearnMatch(msgspec.Struct, frozen=True, gc=False):
    """A condition of a learned flow: the target bits compared with a constant or with bits of this packet."""

    target: Subfield
    source: Subfield | int


class LearnLoad(msgspec.Struct, frozen=True, gc=False):
    """A write of a learned flow: a constant, or bits of this packet, into the target bits."""

    target: Subfield
    source: Subfield | int


class LearnOutput(msgspec.Struct, frozen=True, gc=False):
    """An output of a learned flow to the port that stands in bits of this packet."""

    source: Subfield


LearnSpec = LearnMatch | LearnLoad | LearnOutput


class Learn(_Action, frozen=True, gc=False):
    """``learn(...)``: add a flow made from this packet; timeouts in seconds, 0 is never."""

    table: int
    priority: int
    cookie: int
    specs: tuple[LearnSpec, ...]
    idle_timeout: int = 0
    hard_timeout: int = 0
    send_flow_removed: bool = False
    delete_learned: bool = False


class SendToController(_Action, frozen=True, gc=False):
    """``controller(...)``: packet-in (NXT_PACKET_IN2) with `userdata` handed back; optionally metered."""

    userdata: bytes
    max_len: int = 0xFFFF
    controller_id: int = 0
    meter_id: int | None = None


class CheckPacketLarger(_Action, frozen=True, gc=False):
    """``check_pkt_larger(n)->bit``: one bit tells whether the frame is longer than `length` bytes."""

    length: int
    target: Subfield


class DecrementTtl(_Action, frozen=True, gc=False):
    """``dec_ttl``: one less, or a packet-in with reason invalid_ttl."""


class PushVlan(_Action, frozen=True, gc=False):
    """``push_vlan``: add an empty tag of the given TPID."""

    eth_type: int


class PopVlan(_Action, frozen=True, gc=False):
    """``pop_vlan``: remove the outermost tag."""


class PushMpls(_Action, frozen=True, gc=False):
    """``push_mpls``: add a label stack entry behind the Ethernet header (OpenFlow 1.3)."""

    eth_type: int


class PopMpls(_Action, frozen=True, gc=False):
    """``pop_mpls``: remove the outermost label; `eth_type` is what comes out (OpenFlow 1.3)."""

    eth_type: int


class Encap(_Action, frozen=True, gc=False):
    """``encap(ethernet)`` / ``encap(mpls)``: put a new outermost header on."""

    packet_type: int


class Decap(_Action, frozen=True, gc=False):
    """``decap()``: take the outermost header off; `packet_type` None lets the switch tell what is below."""

    packet_type: int | None = None


PACKET_TYPE_ETHERNET = 0x0000_0000
"""packet_type (ns=0, type=0)."""
PACKET_TYPE_MPLS = 0x0001_8847
"""packet_type (ns=1 ethertype, type=0x8847)."""


class Clone(_Action, frozen=True, gc=False):
    """``clone(...)``: run actions on a copy; the packet itself goes on unchanged."""

    actions: tuple["Action", ...]


class Note(_Action, frozen=True, gc=False):
    """``note:``: no effect; carries bytes that a reader of the table finds again."""

    data: bytes


Action = (
    Output
    | OutputField
    | SetField
    | Move
    | Resubmit
    | Goto
    | SendToGroup
    | ApplyMeter
    | Conntrack
    | ConntrackClear
    | Learn
    | SendToController
    | CheckPacketLarger
    | DecrementTtl
    | PushVlan
    | PopVlan
    | PushMpls
    | PopMpls
    | Encap
    | Decap
    | Clone
    | Note
)


@lru_cache(maxsize=CACHED)
def set_field(field: Field, value: int, mask: int | None = None) -> SetField:
    """Write a whole field, or the bits under `mask`. Raises ValueError when the value does not fit."""
    mask = field.full_mask if mask is None else mask
    if not 0 <= value <= field.full_mask or value & ~mask:
        raise ValueError(f"{value:#x}/{mask:#x} does not fit {field.ovs_name} ({field.bits} bits)")
    return SetField(field, value, mask)


def move(source: Field, target: Field) -> Move:
    """Copy a whole field onto another, from bit 0, over the width of the narrower one."""
    bits = min(source.bits, target.bits)
    return Move(Subfield(source, 0, bits), Subfield(target, 0, bits))
