"""Reading and writing subfields of a packet, with the rule that absent fields cannot be written."""

from overlace.datapath.actions import SetField, Subfield
from overlace.datapath.fields import Field
from overlace.datapath.interpreter.packet import Packet
from overlace.datapath.prerequisites import field_exists


def read(packet: Packet, source: Subfield) -> int:
    """The bits of a subfield; 0 for an absent field."""
    return packet.values[source.field.order] >> source.start & ((1 << source.bits) - 1)


def write(packet: Packet, target: Subfield, value: int) -> None:
    """Write a subfield; nothing happens when the packet lacks the field (ovs-actions(7), set_field)."""
    mask = ((1 << target.bits) - 1) << target.start
    write_masked(packet, target.field, value << target.start, mask)


def set_bits(packet: Packet, action: SetField) -> None:
    """Do what a set_field action says."""
    write_masked(packet, action.field, action.value, action.mask)


def write_masked(packet: Packet, field: Field, value: int, mask: int) -> None:
    """Write the bits of a field under a mask, when the packet has the field."""
    values = packet.values
    if field_exists(field, values):
        order = field.order
        values[order] = values[order] & ~mask | value & mask
