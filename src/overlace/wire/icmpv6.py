"""ICMPv6 messages of Neighbour Discovery (RFC 4861 4.1 to 4.4) and echo (RFC 4443 section 4)."""

import struct
from ipaddress import IPv6Address

import msgspec

from overlace.wire.checksum import transport_checksum
from overlace.wire.errors import MalformedError
from overlace.wire.ipv6 import NEXT_HEADER_ICMPV6
from overlace.wire.nd_options import NdOption, decode_options, encode_options

ECHO_REQUEST = 128
ECHO_REPLY = 129
ROUTER_SOLICITATION = 133
ROUTER_ADVERTISEMENT = 134
NEIGHBOUR_SOLICITATION = 135
NEIGHBOUR_ADVERTISEMENT = 136

DISCOVERY_HOP_LIMIT = 255
"""Neighbour Discovery packets with any other hop limit come from off link and are to be dropped."""

_TARGET = struct.Struct("!I16s")
_ROUTER = struct.Struct("!BBHII")


class Echo(msgspec.Struct, frozen=True):
    """Echo request, or reply to one."""

    is_request: bool
    identifier: int
    sequence: int
    data: bytes = b""


class RouterSolicitation(msgspec.Struct, frozen=True):
    """A host asks routers to advertise themselves."""

    options: tuple[NdOption, ...] = ()


class RouterAdvertisement(msgspec.Struct, frozen=True):
    """What hosts shall use; `lifetime_seconds` 0 means: not a default router.

    0 elsewhere means unspecified.
    """

    hop_limit: int = 64
    managed: bool = False
    other_configuration: bool = False
    lifetime_seconds: int = 0
    reachable_milliseconds: int = 0
    retransmit_milliseconds: int = 0
    options: tuple[NdOption, ...] = ()


class NeighbourSolicitation(msgspec.Struct, frozen=True):
    """Who has `target`?"""

    target: IPv6Address
    options: tuple[NdOption, ...] = ()


class NeighbourAdvertisement(msgspec.Struct, frozen=True):
    """Here is `target`."""

    target: IPv6Address
    router: bool = False
    solicited: bool = False
    override: bool = False
    options: tuple[NdOption, ...] = ()


Icmpv6Message = (
    Echo | RouterSolicitation | RouterAdvertisement | NeighbourSolicitation | NeighbourAdvertisement
)


def decode(data: bytes, source: IPv6Address, destination: IPv6Address) -> Icmpv6Message:
    """Read a message. Raises MalformedError, also on a bad checksum and for types that are none of these."""
    if len(data) < 8:
        raise MalformedError(f"ICMPv6 message of {len(data)} octets")
    if transport_checksum(source, destination, NEXT_HEADER_ICMPV6, data):
        raise MalformedError("ICMPv6 checksum is wrong")
    if data[1] != 0:
        raise MalformedError(f"ICMPv6 type {data[0]} with code {data[1]}")
    return _decode_body(data[0], data[4:])


def encode(message: Icmpv6Message, source: IPv6Address, destination: IPv6Address) -> bytes:
    """The message with its checksum."""
    message_type, body = _encode_body(message)
    unsummed = bytes((message_type, 0, 0, 0)) + body
    checksum = transport_checksum(source, destination, NEXT_HEADER_ICMPV6, unsummed)
    return unsummed[:2] + checksum.to_bytes(2, "big") + body


def _decode_body(message_type: int, body: bytes) -> Icmpv6Message:
    match message_type:
        case 128 | 129:
            identifier, sequence = struct.unpack_from("!HH", body)
            return Echo(message_type == ECHO_REQUEST, identifier, sequence, body[4:])
        case 133:
            return RouterSolicitation(decode_options(body[4:]))
        case 134:
            return _decode_router_advertisement(body)
        case 135:
            _, target, options = _decode_target(body)
            return NeighbourSolicitation(target, options)
        case 136:
            flags, target, options = _decode_target(body)
            router, solicited, override = bool(flags >> 31 & 1), bool(flags >> 30 & 1), bool(flags >> 29 & 1)
            return NeighbourAdvertisement(target, router, solicited, override, options)
    raise MalformedError(f"ICMPv6 type {message_type} is not read here")


def _decode_target(body: bytes) -> tuple[int, IPv6Address, tuple[NdOption, ...]]:
    if len(body) < _TARGET.size:
        raise MalformedError(f"neighbour message of {len(body)} octets")
    flags, target = _TARGET.unpack_from(body)
    address = IPv6Address(target)
    if address.is_multicast:
        raise MalformedError(f"neighbour message about the multicast address {address}")
    return flags, address, decode_options(body[_TARGET.size :])


def _decode_router_advertisement(body: bytes) -> RouterAdvertisement:
    if len(body) < _ROUTER.size:
        raise MalformedError(f"router advertisement of {len(body)} octets")
    hop_limit, flags, lifetime, reachable, retransmit = _ROUTER.unpack_from(body)
    return RouterAdvertisement(
        hop_limit=hop_limit,
        managed=bool(flags & 0x80),
        other_configuration=bool(flags & 0x40),
        lifetime_seconds=lifetime,
        reachable_milliseconds=reachable,
        retransmit_milliseconds=retransmit,
        options=decode_options(body[_ROUTER.size :]),
    )


def _encode_body(message: Icmpv6Message) -> tuple[int, bytes]:
    match message:
        case Echo(is_request, identifier, sequence, data):
            return ECHO_REQUEST if is_request else ECHO_REPLY, struct.pack("!HH", identifier, sequence) + data
        case RouterSolicitation(options):
            return ROUTER_SOLICITATION, bytes(4) + encode_options(options)
        case RouterAdvertisement(hop_limit, managed, other, lifetime, reachable, retransmit, options):
            flags = managed << 7 | other << 6
            fixed = _ROUTER.pack(hop_limit, flags, lifetime, reachable, retransmit)
            return ROUTER_ADVERTISEMENT, fixed + encode_options(options)
        case NeighbourSolicitation(target, options):
            return NEIGHBOUR_SOLICITATION, _TARGET.pack(0, target.packed) + encode_options(options)
        case NeighbourAdvertisement(target, router, solicited, override, options):
            flags = router << 31 | solicited << 30 | override << 29
            return NEIGHBOUR_ADVERTISEMENT, _TARGET.pack(flags, target.packed) + encode_options(options)
