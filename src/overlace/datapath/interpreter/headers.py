"""Headers put on and taken off: VLAN tags, MPLS labels, Ethernet (ovs-actions(7), "Encapsulation").

Open vSwitch gives up on a packet that cannot be changed as asked; here that is `HeaderError`.
"""

from overlace.datapath.actions import PACKET_TYPE_ETHERNET, PACKET_TYPE_MPLS
from overlace.datapath.fields import VLAN_PRESENT, EthType, Field
from overlace.datapath.interpreter.decode import decode
from overlace.datapath.interpreter.packet import Packet
from overlace.datapath.prerequisites import MPLS_MULTICAST

F = Field

MAX_LABELS = 3
"""As many labels as Open vSwitch can push or pop (ovs-actions(7), "Too many MPLS labels")."""
_ENCAP_TTL = 64
_IPV6_EXPLICIT_NULL = 2
_ETHERNET_BYTES = 14
_LABEL_BYTES = 4
_MPLS_TYPES = (EthType.MPLS, MPLS_MULTICAST)
_ABOVE_ETHERNET = [field for field in Field if field.order > F.VLAN_TCI.order]
_ETHERNET = (F.ETH_SRC, F.ETH_DST, F.VLAN_TCI)
_METADATA = [field.order for field in Field if field.order < F.ETH_SRC.order and field is not F.PACKET_TYPE]


class HeaderError(Exception):
    """Processing of the packet ends here ("Too many MPLS labels", "Unsupported packet type")."""


def push_vlan(packet: Packet) -> None:
    """Add an empty tag outside of those present."""
    if packet[F.PACKET_TYPE] != PACKET_TYPE_ETHERNET:
        return
    if packet[F.VLAN_TCI] & VLAN_PRESENT:
        packet.tags = (packet[F.VLAN_TCI], *packet.tags)
    packet[F.VLAN_TCI] = VLAN_PRESENT


def pop_vlan(packet: Packet) -> None:
    """Remove the outermost tag, if any."""
    if packet[F.PACKET_TYPE] != PACKET_TYPE_ETHERNET:
        return
    packet[F.VLAN_TCI] = packet.tags[0] if packet.tags else 0
    packet.tags = packet.tags[1:]


def push_mpls(packet: Packet, eth_type: int) -> None:
    """Add a label behind the Ethernet header: a copy of the outermost, or one made from the IP header."""
    if packet[F.PACKET_TYPE] != PACKET_TYPE_ETHERNET:
        return
    _push_label(packet, eth_type, _first_label(packet))


def pop_mpls(packet: Packet, eth_type: int) -> None:
    """Remove the outermost label; below the last one is a packet of type `eth_type`."""
    if packet[F.PACKET_TYPE] == PACKET_TYPE_ETHERNET and packet[F.ETH_TYPE] in _MPLS_TYPES:
        _pop_label(packet, eth_type)


def encap_mpls(packet: Packet) -> None:
    """Make the whole packet the contents of a label stack, or add a label to a packet that is one."""
    if packet[F.PACKET_TYPE] == PACKET_TYPE_MPLS:
        _push_label(packet, EthType.MPLS, packet.label)
        return
    inner = packet.copy()
    packet.clear(_ETHERNET)
    packet.clear(_ABOVE_ETHERNET)
    packet.tags = ()
    packet.inner = inner
    packet[F.ETH_TYPE] = EthType.MPLS
    packet.label = (0, 0, 1, _ENCAP_TTL)
    packet[F.PACKET_TYPE] = PACKET_TYPE_MPLS
    packet.length += _LABEL_BYTES


def encap_ethernet(packet: Packet) -> None:
    """Put an Ethernet header with addresses 0 before a packet that has none.

    Raises HeaderError for an Ethernet frame.
    """
    if packet[F.PACKET_TYPE] == PACKET_TYPE_ETHERNET:
        raise HeaderError("encap(ethernet) of an Ethernet packet")
    packet[F.PACKET_TYPE] = PACKET_TYPE_ETHERNET
    packet.clear(_ETHERNET)
    packet.length += _ETHERNET_BYTES


def decap(packet: Packet, packet_type: int | None) -> None:
    """Take the outermost header off: Ethernet, or a label below which `packet_type` is to be found.

    Raises HeaderError for a tagged frame and for a packet that is neither Ethernet nor MPLS.
    """
    if packet[F.PACKET_TYPE] == PACKET_TYPE_ETHERNET:
        if packet[F.VLAN_TCI] & VLAN_PRESENT:
            raise HeaderError("decap of an Ethernet header with a VLAN tag")
        packet[F.PACKET_TYPE] = 1 << 16 | packet[F.ETH_TYPE]
        packet.clear(_ETHERNET)
        packet.length -= _ETHERNET_BYTES
    elif packet[F.PACKET_TYPE] == PACKET_TYPE_MPLS:
        _decap_label(packet, packet_type)
    else:
        raise HeaderError(f"decap of packet type {packet[F.PACKET_TYPE]:#x}")


def _first_label(packet: Packet) -> tuple[int, int, int, int]:
    if packet[F.ETH_TYPE] in _MPLS_TYPES:
        return packet.label
    if packet[F.ETH_TYPE] not in (EthType.IPV4, EthType.IPV6):
        return 0, 0, 1, _ENCAP_TTL
    label = _IPV6_EXPLICIT_NULL if packet[F.ETH_TYPE] == EthType.IPV6 else 0
    return label, packet[F.IP_DSCP] & 7, 1, packet[F.IP_TTL]


def _push_label(packet: Packet, eth_type: int, entry: tuple[int, int, int, int]) -> None:
    if packet[F.ETH_TYPE] in _MPLS_TYPES:
        if 1 + len(packet.labels) >= MAX_LABELS:
            raise HeaderError("too many MPLS labels")
        packet.labels = (packet.label, *packet.labels)
        label, tc, _, ttl = entry
        packet.label = (label, tc, 0, ttl)
    else:
        packet.inner = _without_ethernet(packet)
        packet.clear(_ABOVE_ETHERNET)
        packet.label = entry
    packet[F.ETH_TYPE] = eth_type
    packet.length += _LABEL_BYTES


def _pop_label(packet: Packet, eth_type: int) -> None:
    packet.length -= _LABEL_BYTES
    if packet.labels:
        packet.label, packet.labels = packet.labels[0], packet.labels[1:]
        packet[F.ETH_TYPE] = eth_type
        return
    inner = _below_labels(packet, 1 << 16 | eth_type)
    packet.clear(_ABOVE_ETHERNET)
    packet[F.ETH_TYPE] = eth_type
    for field in _ABOVE_ETHERNET:
        packet.values[field.order] = inner.values[field.order]
    packet.labels, packet.inner, packet.payload = inner.labels, inner.inner, inner.payload


def _decap_label(packet: Packet, packet_type: int | None) -> None:
    if packet.labels:
        packet.length -= _LABEL_BYTES
        packet.label, packet.labels = packet.labels[0], packet.labels[1:]
        return
    if packet_type is None:
        raise HeaderError("decap of the last label into an unknown packet type")
    inner = _below_labels(packet, packet_type)
    metadata, length = packet.values, packet.length - _LABEL_BYTES
    packet.become(inner)
    packet.length = length
    for order in _METADATA:
        packet.values[order] = metadata[order]


def _below_labels(packet: Packet, packet_type: int) -> Packet:
    """What the label stack carries, read as `packet_type`; nothing can be seen when that is wrong."""
    if packet.inner is None:
        return decode(packet_type, packet.payload)
    if packet.inner[F.PACKET_TYPE] == packet_type:
        return packet.inner
    return Packet({F.PACKET_TYPE: packet_type, F.ETH_TYPE: packet_type & 0xFFFF})


def _without_ethernet(packet: Packet) -> Packet:
    inner = packet.copy()
    inner.clear(_ETHERNET)
    inner.tags = ()
    inner[F.PACKET_TYPE] = 1 << 16 | packet[F.ETH_TYPE]
    return inner
