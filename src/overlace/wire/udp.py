"""UDP datagrams (RFC 768)."""

import struct

import msgspec

from overlace.kit.addresses import IPAddress
from overlace.wire.checksum import transport_checksum
from overlace.wire.errors import MalformedError
from overlace.wire.ipv4 import PROTOCOL_UDP

HEADER_LENGTH = 8
_LAYOUT = struct.Struct("!HHHH")


class UdpDatagram(msgspec.Struct, frozen=True):
    """One datagram."""

    source_port: int
    destination_port: int
    payload: bytes

    @classmethod
    def decode(cls, data: bytes) -> "UdpDatagram":
        """Read a datagram without looking at its checksum. Raises MalformedError when it is cut short."""
        if len(data) < HEADER_LENGTH:
            raise MalformedError(f"UDP datagram of {len(data)} octets")
        source_port, destination_port, length, _ = _LAYOUT.unpack_from(data)
        if not HEADER_LENGTH <= length <= len(data):
            raise MalformedError(f"UDP datagram says it has {length} of {len(data)} octets")
        return cls(source_port, destination_port, data[HEADER_LENGTH:length])

    def encode(self, source: IPAddress, destination: IPAddress) -> bytes:
        """The datagram with its checksum. Raises ValueError when it is longer than UDP can say."""
        length = HEADER_LENGTH + len(self.payload)
        if length > 0xFFFF:
            raise ValueError(f"UDP payload of {len(self.payload)} octets")
        segment = _LAYOUT.pack(self.source_port, self.destination_port, length, 0) + self.payload
        # RFC 768: a computed zero is sent as all ones, since zero says "no checksum".
        checksum = transport_checksum(source, destination, PROTOCOL_UDP, segment) or 0xFFFF
        return segment[:6] + checksum.to_bytes(2, "big") + self.payload


def has_right_checksum(data: bytes, source: IPAddress, destination: IPAddress) -> bool:
    """Whether an encoded datagram's checksum is right, or absent where that is allowed (IPv4 only)."""
    if len(data) < HEADER_LENGTH:
        return False
    if data[6:8] == b"\0\0":
        return source.version == 4
    length = int.from_bytes(data[4:6], "big")
    return transport_checksum(source, destination, PROTOCOL_UDP, data[:length]) == 0
