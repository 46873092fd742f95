"""What tells connections apart: addresses, protocol and ports, in one direction or the other.

For ICMP echo and timestamp, identifier and type stand in the place of ports, so that a request and its
reply are two directions of one connection. Other ICMP messages have no connection of their own: errors
speak of the one whose packet they quote, and the rest (neighbour discovery among them) are invalid to the
userspace connection tracker (observed on Open vSwitch 3.1).
"""

from typing import NamedTuple

from overlace.datapath.fields import EthType, Field, IpProto
from overlace.datapath.interpreter.packet import Packet

F = Field

_ICMP_ANSWER = {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15}
_ICMPV6_ANSWER = {128: 129, 129: 128}
ICMP_REQUESTS = frozenset({8, 13, 15})
ICMPV6_REQUESTS = frozenset({128})
"""Types that may begin a connection."""
_ICMP_ERRORS = frozenset({3, 4, 5, 11, 12})
_ICMPV6_ERRORS = frozenset({1, 2, 3, 4})
_UNUSED = 4
"""Bytes between the checksum of an ICMP error and the packet that it quotes."""

_PORTS = {
    IpProto.TCP: (F.TCP_SRC, F.TCP_DST),
    IpProto.UDP: (F.UDP_SRC, F.UDP_DST),
    IpProto.SCTP: (F.SCTP_SRC, F.SCTP_DST),
}


class ConnectionKey(NamedTuple):
    """One direction of a connection in a zone; for ICMP the ports are (type, identifier)."""

    zone: int
    eth_type: int
    protocol: int
    source: int
    destination: int
    source_port: int
    destination_port: int

    def reverse(self) -> "ConnectionKey":
        """The other direction."""
        source_port, destination_port = self.destination_port, self.source_port
        if self.protocol == IpProto.ICMP:
            source_port, destination_port = _ICMP_ANSWER[self.source_port], self.destination_port
        elif self.protocol == IpProto.ICMPV6:
            source_port, destination_port = _ICMPV6_ANSWER[self.source_port], self.destination_port
        return self._replace(
            source=self.destination,
            destination=self.source,
            source_port=source_port,
            destination_port=destination_port,
        )


def key_of(zone: int, packet: Packet) -> ConnectionKey | None:
    """The direction that the packet belongs to; None when it is of a kind that has no connection."""
    of_v4 = packet[F.ETH_TYPE] == EthType.IPV4
    if not of_v4 and packet[F.ETH_TYPE] != EthType.IPV6:
        return None
    source, destination = (F.IPV4_SRC, F.IPV4_DST) if of_v4 else (F.IPV6_SRC, F.IPV6_DST)
    ports = _ports(packet)
    if ports is None:
        return None
    addresses = packet[source], packet[destination]
    return ConnectionKey(zone, packet[F.ETH_TYPE], packet[F.IP_PROTO], *addresses, *ports)


def is_error(packet: Packet) -> bool:
    """True for ICMP errors, which quote a packet of another connection."""
    if packet[F.IP_PROTO] == IpProto.ICMP:
        return packet[F.ICMPV4_TYPE] in _ICMP_ERRORS
    return packet[F.IP_PROTO] == IpProto.ICMPV6 and packet[F.ICMPV6_TYPE] in _ICMPV6_ERRORS


def quoted_key(zone: int, error: Packet) -> ConnectionKey | None:
    """The direction of the packet that an ICMP error quotes, from the error's payload; None when unreadable."""
    quoted = error.payload[_UNUSED:]
    if error[F.ETH_TYPE] == EthType.IPV4 and len(quoted) >= 28:
        header_bytes = (quoted[0] & 0xF) * 4
        return _key_from_bytes(zone, error[F.ETH_TYPE], quoted[9], quoted[12:20], quoted[header_bytes:])
    if error[F.ETH_TYPE] == EthType.IPV6 and len(quoted) >= 48:
        return _key_from_bytes(zone, error[F.ETH_TYPE], quoted[6], quoted[8:40], quoted[40:])
    return None


def _ports(packet: Packet) -> tuple[int, int] | None:
    protocol = packet[F.IP_PROTO]
    if protocol in _PORTS:
        source, destination = _PORTS[protocol]
        return packet[source], packet[destination]
    if protocol == IpProto.ICMP:
        return _icmp_ports(packet, packet[F.ICMPV4_TYPE], _ICMP_ANSWER)
    if protocol == IpProto.ICMPV6:
        return _icmp_ports(packet, packet[F.ICMPV6_TYPE], _ICMPV6_ANSWER)
    return 0, 0


def _icmp_ports(packet: Packet, icmp_type: int, answers: dict[int, int]) -> tuple[int, int] | None:
    if icmp_type not in answers:
        return None
    return icmp_type, int.from_bytes(packet.payload[:2], "big")


def _key_from_bytes(
    zone: int, eth_type: int, protocol: int, addresses: bytes, transport: bytes
) -> ConnectionKey | None:
    half = len(addresses) // 2
    source, destination = (int.from_bytes(a, "big") for a in (addresses[:half], addresses[half:]))
    if len(transport) < 8:
        return None
    if protocol in (IpProto.ICMP, IpProto.ICMPV6):
        answers = _ICMP_ANSWER if protocol == IpProto.ICMP else _ICMPV6_ANSWER
        if transport[0] not in answers:
            return None
        ports = transport[0], int.from_bytes(transport[4:6], "big")
    elif protocol in _PORTS:
        ports = int.from_bytes(transport[:2], "big"), int.from_bytes(transport[2:4], "big")
    else:
        ports = 0, 0
    return ConnectionKey(zone, eth_type, protocol, source, destination, *ports)
