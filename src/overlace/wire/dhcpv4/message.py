"""DHCPv4 messages (RFC 2131 section 2): the fixed BOOTP part and the options, which are kept as they came.

Reading joins an option that was sent in several pieces (RFC 3396) and options that overflow into the `file`
and `sname` fields (RFC 2132 9.3). Writing splits long options the same way and never overflows.
"""

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Final

import msgspec

from overlace.wire.errors import MalformedError

CLIENT_PORT = 68
SERVER_PORT = 67

BOOTREQUEST = 1
BOOTREPLY = 2
HARDWARE_ETHERNET = 1
BROADCAST_FLAG = 0x8000

MIN_LENGTH = 300
"""Octets that BOOTP relays and old clients expect a message to have at least (RFC 1542 2.1)."""

_PAD: Final = 0
_END: Final = 255
_OVERLOAD: Final = 52
_MAGIC = b"\x63\x82\x53\x63"
_LAYOUT = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s4s")
_ANY = IPv4Address(0)

Option = tuple[int, bytes]


class DhcpMessage(msgspec.Struct, frozen=True):
    """One message; `options` are code and value in the order of the wire, each code once.

    `sname` and `file` are without their trailing zeros, and empty when options were found in them.
    """

    op: int
    xid: int
    chaddr: bytes
    options: tuple[Option, ...]
    flags: int = 0
    secs: int = 0
    hops: int = 0
    hardware_type: int = HARDWARE_ETHERNET
    ciaddr: IPv4Address = _ANY
    yiaddr: IPv4Address = _ANY
    siaddr: IPv4Address = _ANY
    giaddr: IPv4Address = _ANY
    sname: bytes = b""
    file: bytes = b""

    @property
    def broadcast(self) -> bool:
        """The client asks to be answered by broadcast (RFC 2131 4.1)."""
        return bool(self.flags & BROADCAST_FLAG)

    def option(self, code: int) -> bytes | None:
        """The value of an option, None when it is absent."""
        return next((value for found, value in self.options if found == code), None)

    @classmethod
    def decode(cls, data: bytes) -> "DhcpMessage":
        """Read a UDP payload. Raises MalformedError when it is not a DHCP message."""
        if len(data) < _LAYOUT.size:
            raise MalformedError(f"DHCP message of {len(data)} octets")
        op, hardware_type, length, hops, xid, secs, flags, *rest = _LAYOUT.unpack_from(data)
        ciaddr, yiaddr, siaddr, giaddr, chaddr, sname, file, magic = rest
        if op not in (BOOTREQUEST, BOOTREPLY) or length > 16 or magic != _MAGIC:
            raise MalformedError(
                f"not a DHCP message: op {op}, hardware length {length}, cookie {magic.hex()}"
            )
        options, overload = _decode_options(data[_LAYOUT.size :], sname, file)
        return cls(
            op=op,
            xid=xid,
            chaddr=chaddr[:length],
            options=options,
            flags=flags,
            secs=secs,
            hops=hops,
            hardware_type=hardware_type,
            ciaddr=IPv4Address(ciaddr),
            yiaddr=IPv4Address(yiaddr),
            siaddr=IPv4Address(siaddr),
            giaddr=IPv4Address(giaddr),
            sname=b"" if overload & 2 else _text(sname),
            file=b"" if overload & 1 else _text(file),
        )

    def encode(self) -> bytes:
        """The UDP payload, padded to 300 octets. Raises ValueError when a fixed field is too long."""
        if len(self.chaddr) > 16 or len(self.sname) > 64 or len(self.file) > 128:
            raise ValueError("DHCP hardware address, server name or file name too long")
        fixed = _LAYOUT.pack(
            self.op,
            self.hardware_type,
            len(self.chaddr),
            self.hops,
            self.xid,
            self.secs,
            self.flags,
            self.ciaddr.packed,
            self.yiaddr.packed,
            self.siaddr.packed,
            self.giaddr.packed,
            self.chaddr,
            self.sname,
            self.file,
            _MAGIC,
        )
        options = b"".join(encode_option(code, value) for code, value in self.options)
        return (fixed + options + bytes((_END,))).ljust(MIN_LENGTH, b"\0")


def encode_option(code: int, value: bytes) -> bytes:
    """One option, in pieces of 255 octets when it is longer (RFC 3396). Raises ValueError for pad and end."""
    if code in (_PAD, _END):
        raise ValueError(f"{code} is not the code of an option with a value")
    pieces = [value[at : at + 255] for at in range(0, len(value), 255)] or [b""]
    return b"".join(bytes((code, len(piece))) + piece for piece in pieces)


def encoded_length(options: tuple[Option, ...]) -> int:
    """How long a message with these options is, in octets of UDP payload."""
    return _LAYOUT.size + sum(len(encode_option(code, value)) for code, value in options) + 1


def _decode_options(data: bytes, sname: bytes, file: bytes) -> tuple[tuple[Option, ...], int]:
    """All options, and which fields they overflowed into: 1 `file`, 2 `sname`, 3 both."""
    found: dict[int, bytes] = {}
    _collect(found, data)
    overload = found.pop(_OVERLOAD, b"\0")
    if overload not in (b"\0", b"\1", b"\2", b"\3"):
        raise MalformedError(f"option overload {overload.hex()!r}")
    if overload[0] & 1:
        _collect(found, file)
    if overload[0] & 2:
        _collect(found, sname)
    found.pop(_OVERLOAD, None)
    return tuple(found.items()), overload[0]


def _collect(found: dict[int, bytes], data: bytes) -> None:
    for code, value in _pieces(data):
        found[code] = found.get(code, b"") + value


def _pieces(data: bytes) -> Iterator[Option]:
    position = 0
    while position < len(data) and data[position] != _END:
        code = data[position]
        position += 1
        if code == _PAD:
            continue
        length = data[position] if position < len(data) else 256
        value = data[position + 1 : position + 1 + length]
        if len(value) < length:
            raise MalformedError(f"DHCP option {code} is cut short")
        yield code, value
        position += 1 + length


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]
