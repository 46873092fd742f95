"""DHCPv6 messages between clients and servers (RFC 8415 section 8): a type, a transaction and options."""

import struct
from enum import IntEnum
from ipaddress import IPv6Address
from typing import Final

import msgspec

from overlace.wire.errors import MalformedError

CLIENT_PORT = 546
SERVER_PORT = 547
ALL_SERVERS = IPv6Address("ff02::1:2")
"""The group of all relay agents and servers on the link, to which clients send everything."""

Option = tuple[int, bytes]

_HEADER = struct.Struct("!HH")
_RELAYED: Final = (12, 13)


class MessageType(IntEnum):
    """RFC 8415 7.3, without what relay agents say among themselves."""

    SOLICIT = 1
    ADVERTISE = 2
    REQUEST = 3
    CONFIRM = 4
    RENEW = 5
    REBIND = 6
    REPLY = 7
    RELEASE = 8
    DECLINE = 9
    RECONFIGURE = 10
    INFORMATION_REQUEST = 11


class Dhcpv6Message(msgspec.Struct, frozen=True):
    """One message; `options` are code and value in the order of the wire, and a code may be there again."""

    type: int
    transaction: int
    options: tuple[Option, ...] = ()

    @classmethod
    def decode(cls, data: bytes) -> "Dhcpv6Message":
        """Read a message. Raises MalformedError, also for those of relay agents, which have another form."""
        if len(data) < 4:
            raise MalformedError(f"DHCPv6 message of {len(data)} octets")
        if data[0] in _RELAYED:
            raise MalformedError("DHCPv6 message of a relay agent")
        return cls(data[0], int.from_bytes(data[1:4], "big"), decode_options(data[4:]))

    def encode(self) -> bytes:
        """The message."""
        return bytes((self.type,)) + self.transaction.to_bytes(3, "big") + encode_options(self.options)

    def option(self, code: int) -> bytes | None:
        """The value of the first option of this code, None without one."""
        return next((value for found, value in self.options if found == code), None)

    def all_of(self, code: int) -> tuple[bytes, ...]:
        """The values of all options of this code."""
        return tuple(value for found, value in self.options if found == code)


def decode_options(data: bytes) -> tuple[Option, ...]:
    """Read options, those of a message or those inside another option. Raises MalformedError."""
    options: list[Option] = []
    position = 0
    while position < len(data):
        if position + _HEADER.size > len(data):
            raise MalformedError("DHCPv6 option cut short")
        code, length = _HEADER.unpack_from(data, position)
        position += _HEADER.size
        if position + length > len(data):
            raise MalformedError(
                f"DHCPv6 option {code} of {length} octets where {len(data) - position} are left"
            )
        options.append((code, data[position : position + length]))
        position += length
    return tuple(options)


def encode_options(options: tuple[Option, ...]) -> bytes:
    """Write options one after another. Raises ValueError for one that is longer than its length can say."""
    for code, value in options:
        if len(value) > 0xFFFF:
            raise ValueError(f"DHCPv6 option {code} of {len(value)} octets")
    return b"".join(_HEADER.pack(code, len(value)) + value for code, value in options)
