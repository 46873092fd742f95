"""From bytes to a `Packet`, seeing as far as Open vSwitch sees (ovs-fields(7), per field).

The switch parses tolerantly: what is cut short or inconsistent is not an error, its fields are just absent
(0). Later fragments have no transport header; an IEEE 802.3 frame has eth_type 0x05ff.
"""

from collections.abc import Callable

from overlace.datapath.actions import PACKET_TYPE_ETHERNET
from overlace.datapath.fields import VLAN_PRESENT, EthType, Field, IpFrag, IpProto
from overlace.datapath.interpreter.packet import Packet
from overlace.datapath.prerequisites import MPLS_MULTICAST, ND_ADVERT, ND_SOLICIT

F = Field

NOT_ETH_TYPE = 0x05FF
"""eth_type of a frame with a length instead of a type and no SNAP header."""
_SNAP = bytes.fromhex("aaaa03000000")
_MINIMUM_ETH_TYPE = 0x0600
_VLAN_TPIDS = (EthType.VLAN, EthType.QINQ)
_IPV6_FRAGMENT = IpProto.IPV6_FRAGMENT
_EXTENSION_HEADERS = frozenset({0, 43, 51, 60})
"""Hop-by-hop options, routing, authentication, destination options (RFC 8200, RFC 4302): what is looked behind."""
_AUTHENTICATION = 51
_OPTION_SOURCE, _OPTION_TARGET = 1, 2


def from_frame(frame: bytes) -> Packet:
    """Read an Ethernet frame. Raises ValueError when it is shorter than an Ethernet header."""
    return decode(PACKET_TYPE_ETHERNET, frame)


def decode(packet_type: int, data: bytes) -> Packet:
    """Read a packet of a given packet_type (OpenFlow 1.5, 7.2.3.11).

    Raises ValueError when an Ethernet frame is shorter than its header.
    """
    packet = Packet({F.PACKET_TYPE: packet_type}, len(data))
    if packet_type == PACKET_TYPE_ETHERNET:
        eth_type, offset = _ethernet(packet, data)
    else:
        eth_type, offset = packet_type & 0xFFFF, 0
    packet[F.ETH_TYPE] = eth_type
    if not packet.tags and (parser := _NETWORK_PARSERS.get(eth_type)):
        offset = parser(packet, data, offset)
    packet.payload = data[offset:]
    return packet


def _number(data: bytes, start: int, size: int) -> int:
    return int.from_bytes(data[start : start + size], "big")


def _ethernet(packet: Packet, data: bytes) -> tuple[int, int]:
    if len(data) < 14:
        raise ValueError(f"a frame of {len(data)} bytes has no Ethernet header")
    packet[F.ETH_DST] = _number(data, 0, 6)
    packet[F.ETH_SRC] = _number(data, 6, 6)
    offset = 12
    if _number(data, offset, 2) in _VLAN_TPIDS and len(data) >= 18:
        packet[F.VLAN_TCI] = _number(data, offset + 2, 2) | VLAN_PRESENT
        packet.length -= 4
        offset += 4
    eth_type = _number(data, offset, 2)
    if eth_type in _VLAN_TPIDS and len(data) >= offset + 6:
        packet.tags = (_number(data, offset + 2, 2) | VLAN_PRESENT,)
        return eth_type, offset + 6
    if eth_type >= _MINIMUM_ETH_TYPE:
        return eth_type, offset + 2
    return _snap_type(data, offset + 2)


def _snap_type(data: bytes, offset: int) -> tuple[int, int]:
    if data[offset : offset + 6] == _SNAP and len(data) >= offset + 8:
        inner = _number(data, offset + 6, 2)
        return (inner if inner >= _MINIMUM_ETH_TYPE else NOT_ETH_TYPE), offset + 8
    return NOT_ETH_TYPE, offset


def _arp(packet: Packet, data: bytes, offset: int) -> int:
    ethernet_and_ipv4 = bytes.fromhex("000108000604")
    if len(data) < offset + 28 or data[offset : offset + 6] != ethernet_and_ipv4:
        return offset
    operation = _number(data, offset + 6, 2)
    # The switch keeps the operation in eight bits (ovs-fields(7), nw_proto).
    packet[F.ARP_OP] = operation if operation <= 0xFF else 0
    packet[F.ARP_SHA] = _number(data, offset + 8, 6)
    packet[F.ARP_SPA] = _number(data, offset + 14, 4)
    packet[F.ARP_THA] = _number(data, offset + 18, 6)
    packet[F.ARP_TPA] = _number(data, offset + 24, 4)
    return offset + 28


def _mpls(packet: Packet, data: bytes, offset: int) -> int:
    entries: list[tuple[int, int, int, int]] = []
    while len(data) >= offset + 4 and not (entries and entries[-1][2]):
        word = _number(data, offset, 4)
        entries.append((word >> 12, word >> 9 & 7, word >> 8 & 1, word & 0xFF))
        offset += 4
    if entries:
        packet.label, packet.labels = entries[0], tuple(entries[1:])
    return offset


def _ipv4(packet: Packet, data: bytes, offset: int) -> int:
    header_bytes = (data[offset] & 0xF) * 4 if len(data) >= offset + 20 else 0
    total = _number(data, offset + 2, 2)
    if header_bytes < 20 or not header_bytes <= total <= len(data) - offset:
        return offset
    _traffic_class(packet, data[offset + 1])
    packet[F.IP_TTL] = data[offset + 8]
    packet[F.IP_PROTO] = data[offset + 9]
    packet[F.IPV4_SRC] = _number(data, offset + 12, 4)
    packet[F.IPV4_DST] = _number(data, offset + 16, 4)
    fragment = _number(data, offset + 6, 2)
    packet[F.IP_FRAG] = _fragment(more=bool(fragment & 0x2000), start=fragment & 0x1FFF)
    return _transport(packet, data[: offset + total], offset + header_bytes)


def _ipv6(packet: Packet, data: bytes, offset: int) -> int:
    payload_bytes = _number(data, offset + 4, 2)
    if len(data) < offset + 40 or payload_bytes > len(data) - offset - 40:
        return offset
    packet[F.IPV6_SRC] = _number(data, offset + 8, 16)
    packet[F.IPV6_DST] = _number(data, offset + 24, 16)
    payload = data[offset + 40 : offset + 40 + payload_bytes]
    chain = _ipv6_extensions(payload, data[offset + 6])
    if chain is None:  # nothing of it is seen then, neither the hop limit nor the traffic class
        return offset + 40
    packet[F.IP_PROTO], packet[F.IP_FRAG], read = chain
    packet[F.IP_TTL] = data[offset + 7]
    _traffic_class(packet, _number(data, offset, 2) >> 4 & 0xFF)
    return _transport(packet, data[: offset + 40 + payload_bytes], offset + 40 + read)


def _ipv6_extensions(payload: bytes, header: int) -> tuple[int, int, int] | None:
    """(protocol, `Field.IP_FRAG`, bytes read) of a chain of headers; None where it does not come to an end.

    The chain of a later fragment ends with its fragment header.
    """
    fragment, read = 0, 0
    while header in _EXTENSION_HEADERS or header == _IPV6_FRAGMENT:
        if len(payload) < read + 8:
            return None
        following, length = payload[read], payload[read + 1]
        if header == _IPV6_FRAGMENT:
            size, word = 8, _number(payload, read + 2, 2)
            fragment = _fragment(more=bool(word & 7), start=word >> 3) or fragment
            following = _IPV6_FRAGMENT if word >> 3 else following
        else:
            size = (length + 2) * 4 if header == _AUTHENTICATION else (length + 1) * 8
        header, read = following, read + size
        if len(payload) < read:
            return None
        if fragment & IpFrag.LATER:
            break
    return header, fragment, read


def _fragment(*, more: bool, start: int) -> int:
    if start:
        return IpFrag.ANY | IpFrag.LATER
    return IpFrag.ANY if more else 0


def _traffic_class(packet: Packet, byte: int) -> None:
    packet[F.IP_DSCP] = byte >> 2
    packet[F.IP_ECN] = byte & 3


def _transport(packet: Packet, data: bytes, offset: int) -> int:
    parser = _TRANSPORT_PARSERS.get(packet[F.IP_PROTO])
    if parser is None or packet[F.IP_FRAG] & IpFrag.LATER:
        return offset
    return parser(packet, data, offset)


def _tcp(packet: Packet, data: bytes, offset: int) -> int:
    if len(data) < offset + 20:
        return offset
    packet[F.TCP_SRC] = _number(data, offset, 2)
    packet[F.TCP_DST] = _number(data, offset + 2, 2)
    packet[F.TCP_FLAGS] = _number(data, offset + 12, 2) & 0xFFF
    return offset + (data[offset + 12] >> 4) * 4


def _ports(source: Field, destination: Field, header_bytes: int) -> Callable[[Packet, bytes, int], int]:
    def parse(packet: Packet, data: bytes, offset: int) -> int:
        if len(data) < offset + header_bytes:
            return offset
        packet[source] = _number(data, offset, 2)
        packet[destination] = _number(data, offset + 2, 2)
        return offset + header_bytes

    return parse


def _icmp(packet: Packet, data: bytes, offset: int) -> int:
    if len(data) < offset + 8 or packet[F.ETH_TYPE] != EthType.IPV4:
        return offset
    packet[F.ICMPV4_TYPE] = data[offset]
    packet[F.ICMPV4_CODE] = data[offset + 1]
    return offset + 4


def _icmpv6(packet: Packet, data: bytes, offset: int) -> int:
    if len(data) < offset + 8 or packet[F.ETH_TYPE] != EthType.IPV6:
        return offset
    packet[F.ICMPV6_TYPE] = data[offset]
    packet[F.ICMPV6_CODE] = data[offset + 1]
    if data[offset] in (ND_SOLICIT, ND_ADVERT) and data[offset + 1] == 0 and len(data) >= offset + 24:
        _neighbour_discovery(packet, data, offset)
    return offset + 4


def _neighbour_discovery(packet: Packet, data: bytes, offset: int) -> None:
    packet[F.ND_RESERVED] = _number(data, offset + 4, 4)
    options, twice = _link_layer_options(data[offset + 24 :])
    packet[F.ND_OPTIONS_TYPE] = next(iter(options), 0)
    if twice:  # makes the switch see neither target nor addresses
        return
    packet[F.ND_TARGET] = _number(data, offset + 8, 16)
    if packet[F.ICMPV6_TYPE] == ND_SOLICIT:
        packet[F.ND_SLL] = options.get(_OPTION_SOURCE, 0)
    else:
        packet[F.ND_TLL] = options.get(_OPTION_TARGET, 0)


def _link_layer_options(data: bytes) -> tuple[dict[int, int], bool]:
    """The addresses by option type, in the order in which they are there; whether one was there twice."""
    found: dict[int, int] = {}
    while len(data) >= 8 and 0 < data[1] * 8 <= len(data):
        kind, length = data[0], data[1] * 8
        if kind in (_OPTION_SOURCE, _OPTION_TARGET) and length == 8:
            if found.get(kind):
                return found, True
            found[kind] = _number(data, 2, 6)
        data = data[length:]
    return found, False


_NETWORK_PARSERS = {
    EthType.ARP: _arp,
    EthType.RARP: _arp,
    EthType.IPV4: _ipv4,
    EthType.IPV6: _ipv6,
    EthType.MPLS: _mpls,
    MPLS_MULTICAST: _mpls,
}
_TRANSPORT_PARSERS = {
    IpProto.TCP: _tcp,
    IpProto.UDP: _ports(F.UDP_SRC, F.UDP_DST, 8),
    IpProto.SCTP: _ports(F.SCTP_SRC, F.SCTP_DST, 12),
    IpProto.ICMP: _icmp,
    IpProto.ICMPV6: _icmpv6,
}
