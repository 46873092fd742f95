"""IPv6 packets (RFC 8200); extension headers stay in the payload."""

import struct
from ipaddress import IPv6Address

import msgspec

from overlace.wire.errors import MalformedError

NEXT_HEADER_TCP = 6
NEXT_HEADER_UDP = 17
NEXT_HEADER_ICMPV6 = 58

HEADER_LENGTH = 40
ALL_NODES = IPv6Address("ff02::1")
ALL_ROUTERS = IPv6Address("ff02::2")
_SOLICITED_NODE_PREFIX = int(IPv6Address("ff02::1:ff00:0"))
_LAYOUT = struct.Struct("!IHBB16s16s")


class Ipv6Packet(msgspec.Struct, frozen=True):
    """One packet with its fixed header."""

    source: IPv6Address
    destination: IPv6Address
    next_header: int
    payload: bytes
    hop_limit: int = 64
    traffic_class: int = 0
    flow_label: int = 0

    @classmethod
    def decode(cls, data: bytes) -> "Ipv6Packet":
        """Read a packet, dropping what follows its stated length. Raises MalformedError."""
        if len(data) < HEADER_LENGTH:
            raise MalformedError(f"IPv6 packet of {len(data)} octets")
        first, length, next_header, hop_limit, source, destination = _LAYOUT.unpack_from(data)
        if first >> 28 != 6 or HEADER_LENGTH + length > len(data):
            raise MalformedError(f"IPv6 header with version {first >> 28} and length {length}")
        return cls(
            source=IPv6Address(source),
            destination=IPv6Address(destination),
            next_header=next_header,
            payload=data[HEADER_LENGTH : HEADER_LENGTH + length],
            hop_limit=hop_limit,
            traffic_class=first >> 20 & 0xFF,
            flow_label=first & 0xFFFFF,
        )

    def encode(self) -> bytes:
        """The packet. Raises ValueError when it is longer than IPv6 can say."""
        if len(self.payload) > 0xFFFF:
            raise ValueError(f"IPv6 payload of {len(self.payload)} octets")
        first = 6 << 28 | self.traffic_class << 20 | self.flow_label
        addresses = (self.source.packed, self.destination.packed)
        return (
            _LAYOUT.pack(first, len(self.payload), self.next_header, self.hop_limit, *addresses)
            + self.payload
        )


def solicited_node_address(address: IPv6Address) -> IPv6Address:
    """The multicast group where `address` is asked for (RFC 4291 2.7.1)."""
    return IPv6Address(_SOLICITED_NODE_PREFIX | int(address) & 0xFFFFFF)


def multicast_mac(group: IPv6Address) -> int:
    """The Ethernet address of an IPv6 multicast group (RFC 2464 section 7)."""
    return 0x333300000000 | int(group) & 0xFFFFFFFF
