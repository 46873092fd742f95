"""IPv4 packets (RFC 791)."""

import struct
from ipaddress import IPv4Address

import msgspec

from overlace.wire.checksum import internet_checksum
from overlace.wire.errors import MalformedError

PROTOCOL_ICMP = 1
PROTOCOL_TCP = 6
PROTOCOL_UDP = 17

HEADER_LENGTH = 20
_LAYOUT = struct.Struct("!BBHHHBBH4s4s")


class Ipv4Packet(msgspec.Struct, frozen=True):
    """One packet or fragment; `fragment_offset` counts units of 8 octets, `options` is padded to 4 octets."""

    source: IPv4Address
    destination: IPv4Address
    protocol: int
    payload: bytes
    ttl: int = 64
    tos: int = 0
    identification: int = 0
    dont_fragment: bool = False
    more_fragments: bool = False
    fragment_offset: int = 0
    options: bytes = b""

    @property
    def is_fragment(self) -> bool:
        """True for every fragment of a fragmented packet, the first included."""
        return self.more_fragments or self.fragment_offset > 0

    @classmethod
    def decode(cls, data: bytes) -> "Ipv4Packet":
        """Read a packet, dropping what follows its stated length.

        Raises MalformedError, also on a bad checksum.
        """
        if len(data) < HEADER_LENGTH:
            raise MalformedError(f"IPv4 packet of {len(data)} octets")
        first, tos, total, identification, fragment, ttl, protocol, _, source, destination = (
            _LAYOUT.unpack_from(data)
        )
        header_length = (first & 0xF) * 4
        if first >> 4 != 4 or not HEADER_LENGTH <= header_length <= total <= len(data):
            raise MalformedError(
                f"IPv4 header with version {first >> 4}, lengths {header_length} and {total}"
            )
        if internet_checksum(data[:header_length]):
            raise MalformedError("IPv4 header checksum is wrong")
        return cls(
            source=IPv4Address(source),
            destination=IPv4Address(destination),
            protocol=protocol,
            payload=data[header_length:total],
            ttl=ttl,
            tos=tos,
            identification=identification,
            dont_fragment=bool(fragment & 0x4000),
            more_fragments=bool(fragment & 0x2000),
            fragment_offset=fragment & 0x1FFF,
            options=data[HEADER_LENGTH:header_length],
        )

    def encode(self) -> bytes:
        """The packet with its checksum. Raises ValueError when it is longer than IPv4 can say."""
        header_length = HEADER_LENGTH + len(self.options)
        total = header_length + len(self.payload)
        if len(self.options) % 4 or len(self.options) > 40 or total > 0xFFFF:
            raise ValueError(f"IPv4 packet with {len(self.options)} octets of options, {total} in all")
        header = _LAYOUT.pack(
            0x40 | header_length // 4,
            self.tos,
            total,
            self.identification,
            self.dont_fragment << 14 | self.more_fragments << 13 | self.fragment_offset,
            self.ttl,
            self.protocol,
            0,
            self.source.packed,
            self.destination.packed,
        )
        checksum = internet_checksum(header + self.options)
        return header[:10] + checksum.to_bytes(2, "big") + header[12:] + self.options + self.payload
