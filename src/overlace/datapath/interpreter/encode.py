"""From a `Packet` back to the bytes of a frame, checksums included: the inverse of `decode`.

What a `Packet` does not hold is made up: identifications are 0, TCP windows full, sequence numbers as asked.
"""

from collections.abc import Callable

from overlace.datapath import prerequisites
from overlace.datapath.actions import PACKET_TYPE_ETHERNET
from overlace.datapath.fields import VLAN_PRESENT, EthType, Field, IpFrag, IpProto
from overlace.datapath.interpreter.packet import Label, Packet
from overlace.datapath.prerequisites import ND_ADVERT, ND_SOLICIT

F = Field
PseudoHeader = Callable[[int], bytes]
"""What is summed before a segment of so many bytes (RFC 9293, 3.1; RFC 8200, 8.1)."""

MINIMUM_FRAME = 60
"""Bytes of the shortest Ethernet frame without its check sequence (IEEE 802.3)."""
_LATER_OFFSET = 100
_MORE_FRAGMENTS = 0x2000
_FULL_WINDOW = 0xFFFF
_LINK_LAYER_UNITS = 1


def to_frame(packet: Packet, sequence: tuple[int, int] = (0, 0)) -> bytes:
    """The frame, padded to the Ethernet minimum; `sequence` are the TCP sequence and acknowledgement numbers.

    Raises ValueError for a packet without Ethernet header.
    """
    if packet[F.PACKET_TYPE] != PACKET_TYPE_ETHERNET:
        raise ValueError(f"packet type {packet[F.PACKET_TYPE]:#x} is no Ethernet frame")
    frame = _bytes(packet[F.ETH_DST], 6) + _bytes(packet[F.ETH_SRC], 6)
    tags = (packet[F.VLAN_TCI], *packet.tags) if packet[F.VLAN_TCI] & VLAN_PRESENT else ()
    for tag in tags:
        frame += _bytes(EthType.VLAN, 2) + _bytes(tag & ~VLAN_PRESENT, 2)
    if not packet.tags:  # else eth_type is the type of the second tag
        frame += _bytes(packet[F.ETH_TYPE], 2)
    return (frame + _network(packet, sequence)).ljust(MINIMUM_FRAME, b"\0")


def _bytes(value: int, size: int) -> bytes:
    return value.to_bytes(size, "big")


def _network(packet: Packet, sequence: tuple[int, int]) -> bytes:
    match packet[F.ETH_TYPE]:
        case EthType.ARP | EthType.RARP:
            return _arp(packet)
        case EthType.IPV4:
            return _ipv4(packet, sequence)
        case EthType.IPV6:
            return _ipv6(packet, sequence)
        case EthType.MPLS | prerequisites.MPLS_MULTICAST:
            return _mpls(packet, sequence)
        case _:
            return packet.payload


def _arp(packet: Packet) -> bytes:
    ethernet_and_ipv4 = bytes.fromhex("000108000604")
    sender = _bytes(packet[F.ARP_SHA], 6) + _bytes(packet[F.ARP_SPA], 4)
    target = _bytes(packet[F.ARP_THA], 6) + _bytes(packet[F.ARP_TPA], 4)
    return ethernet_and_ipv4 + _bytes(packet[F.ARP_OP], 2) + sender + target


def _mpls(packet: Packet, sequence: tuple[int, int]) -> bytes:
    stack = b"".join(map(_label, (packet.label, *packet.labels)))
    if packet.inner is None:
        return stack + packet.payload
    if packet.inner[F.PACKET_TYPE] == PACKET_TYPE_ETHERNET:
        return stack + to_frame(packet.inner, sequence)
    return stack + _network(packet.inner, sequence)


def _label(entry: Label) -> bytes:
    label, tc, bos, ttl = entry
    return _bytes(label << 12 | tc << 9 | bos << 8 | ttl, 4)


def _ipv4(packet: Packet, sequence: tuple[int, int]) -> bytes:
    addresses = _bytes(packet[F.IPV4_SRC], 4) + _bytes(packet[F.IPV4_DST], 4)
    body = _transport(packet, addresses, sequence)
    head = bytes((0x45, packet[F.IP_DSCP] << 2 | packet[F.IP_ECN])) + _bytes(20 + len(body), 2)
    head += _bytes(0, 2) + _bytes(_fragment_word(packet), 2)
    head += bytes((packet[F.IP_TTL], packet[F.IP_PROTO]))
    return head + _checksum(head + addresses) + addresses + body


def _fragment_word(packet: Packet) -> int:
    if packet[F.IP_FRAG] & IpFrag.LATER:
        return _LATER_OFFSET
    return _MORE_FRAGMENTS if packet[F.IP_FRAG] & IpFrag.ANY else 0


def _ipv6(packet: Packet, sequence: tuple[int, int]) -> bytes:
    addresses = _bytes(packet[F.IPV6_SRC], 16) + _bytes(packet[F.IPV6_DST], 16)
    body = _transport(packet, addresses, sequence)
    traffic_class = packet[F.IP_DSCP] << 2 | packet[F.IP_ECN]
    header = packet[F.IP_PROTO]
    if packet[F.IP_FRAG]:
        body = _fragment_header(packet) + body
        header = IpProto.IPV6_FRAGMENT
    head = _bytes(6 << 28 | traffic_class << 20, 4) + _bytes(len(body), 2)
    return head + bytes((header, packet[F.IP_TTL])) + addresses + body


def _fragment_header(packet: Packet) -> bytes:
    """RFC 8200, 4.5: next header, offset in units of 8 octets with the M flag, identification."""
    is_later = packet[F.IP_FRAG] & IpFrag.LATER
    return bytes((packet[F.IP_PROTO], 0)) + _bytes(_LATER_OFFSET << 3 if is_later else 1, 2) + bytes(4)


def _transport(packet: Packet, addresses: bytes, sequence: tuple[int, int]) -> bytes:
    if packet[F.IP_FRAG] & IpFrag.LATER:
        return packet.payload
    match packet[F.IP_PROTO]:
        case IpProto.TCP:
            return _summed(_tcp(packet, sequence), 16, _pseudo_header(packet, addresses))
        case IpProto.UDP:
            return _summed(_udp(packet), 6, _pseudo_header(packet, addresses))
        case IpProto.SCTP:
            ports = _bytes(packet[F.SCTP_SRC], 2) + _bytes(packet[F.SCTP_DST], 2)
            return ports + bytes(8) + packet.payload
        case IpProto.ICMP:
            message = bytes((packet[F.ICMPV4_TYPE], packet[F.ICMPV4_CODE], 0, 0))
            return _summed(message + (packet.payload or bytes(4)), 2, lambda _: b"")
        case IpProto.ICMPV6:
            return _summed(_icmpv6(packet), 2, _pseudo_header(packet, addresses))
        case _:
            return packet.payload


def _tcp(packet: Packet, sequence: tuple[int, int]) -> bytes:
    ports = _bytes(packet[F.TCP_SRC], 2) + _bytes(packet[F.TCP_DST], 2)
    numbers = _bytes(sequence[0], 4) + _bytes(sequence[1], 4)
    words = _bytes(5 << 12 | packet[F.TCP_FLAGS], 2) + _bytes(_FULL_WINDOW, 2)
    return ports + numbers + words + bytes(4) + packet.payload


def _udp(packet: Packet) -> bytes:
    ports = _bytes(packet[F.UDP_SRC], 2) + _bytes(packet[F.UDP_DST], 2)
    return ports + _bytes(8 + len(packet.payload), 2) + bytes(2) + packet.payload


def _icmpv6(packet: Packet) -> bytes:
    head = bytes((packet[F.ICMPV6_TYPE], packet[F.ICMPV6_CODE], 0, 0))
    if packet[F.ICMPV6_TYPE] not in (ND_SOLICIT, ND_ADVERT) or packet[F.ICMPV6_CODE]:
        return head + (packet.payload or bytes(4))
    message = head + _bytes(packet[F.ND_RESERVED], 4) + _bytes(packet[F.ND_TARGET], 16)
    if not packet[F.ND_OPTIONS_TYPE]:
        return message
    address = packet[F.ND_SLL] if packet[F.ICMPV6_TYPE] == ND_SOLICIT else packet[F.ND_TLL]
    return message + bytes((packet[F.ND_OPTIONS_TYPE], _LINK_LAYER_UNITS)) + _bytes(address, 6)


def _pseudo_header(packet: Packet, addresses: bytes) -> PseudoHeader:
    protocol = packet[F.IP_PROTO]
    return lambda size: addresses + _bytes(size, 4) + _bytes(protocol, 4)


def _summed(segment: bytes, at: int, pseudo_header: PseudoHeader) -> bytes:
    """Put the internet checksum (RFC 1071) into the two bytes `at`."""
    return segment[:at] + _checksum(pseudo_header(len(segment)) + segment) + segment[at + 2 :]


def _checksum(data: bytes) -> bytes:
    data += b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return _bytes(total ^ 0xFFFF, 2)
