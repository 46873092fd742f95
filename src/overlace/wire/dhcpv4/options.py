"""Codes of DHCPv4 options and the forms of their values (RFC 2132 and those named per code)."""

import struct
from collections.abc import Iterable
from enum import IntEnum
from ipaddress import IPv4Address, IPv4Network

from overlace.wire.errors import MalformedError

INFINITE_LEASE = 0xFFFFFFFF
"""The lease time, in seconds, that means for ever (RFC 2131 3.3)."""


class OptionCode(IntEnum):
    """The options that decisions are made about; any other code passes through unread."""

    SUBNET_MASK = 1
    ROUTER = 3
    DNS_SERVERS = 6
    HOST_NAME = 12
    DOMAIN_NAME = 15
    MTU = 26
    STATIC_ROUTES = 33
    NTP_SERVERS = 42
    REQUESTED_ADDRESS = 50
    LEASE_TIME = 51
    OVERLOAD = 52
    MESSAGE_TYPE = 53
    SERVER_IDENTIFIER = 54
    PARAMETER_REQUEST_LIST = 55
    MESSAGE = 56
    MAX_MESSAGE_SIZE = 57
    RENEWAL_TIME = 58
    REBINDING_TIME = 59
    CLIENT_IDENTIFIER = 61
    TFTP_SERVER_NAME = 66
    BOOT_FILE_NAME = 67
    RELAY_AGENT_INFORMATION = 82  # RFC 3046
    CLIENT_ARCHITECTURE = 93  # RFC 4578
    DOMAIN_SEARCH = 119  # RFC 3397
    CLASSLESS_ROUTES = 121  # RFC 3442
    TFTP_SERVER_ADDRESSES = 150  # RFC 5859
    MICROSOFT_CLASSLESS_ROUTES = 249  # what clients older than RFC 3442 ask for, same form as 121


class MessageType(IntEnum):
    """The values of option 53 (RFC 2132 9.6)."""

    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8


Route = tuple[IPv4Network, IPv4Address]
"""Destination and next hop; 0.0.0.0 as the next hop means that the destination is on the link."""


def encode_integer(value: int, length: int) -> bytes:
    """An unsigned integer of `length` octets. Raises ValueError when it does not fit."""
    try:
        return value.to_bytes(length, "big")
    except OverflowError as error:
        raise ValueError(f"{value} does not fit in {length} octets") from error


def decode_integer(data: bytes, length: int) -> int:
    """Read an unsigned integer. Raises MalformedError when it has another length."""
    if len(data) != length:
        raise MalformedError(f"DHCP option with an integer of {len(data)} octets instead of {length}")
    return int.from_bytes(data, "big")


def encode_addresses(addresses: Iterable[IPv4Address]) -> bytes:
    """One address after another."""
    return b"".join(address.packed for address in addresses)


def decode_addresses(data: bytes) -> tuple[IPv4Address, ...]:
    """Read one address or more. Raises MalformedError for a wrong length."""
    if not data or len(data) % 4:
        raise MalformedError(f"DHCP option with addresses of {len(data)} octets in all")
    return tuple(IPv4Address(data[at : at + 4]) for at in range(0, len(data), 4))


def decode_address(data: bytes) -> IPv4Address:
    """Read exactly one address. Raises MalformedError for a wrong length."""
    if len(data) != 4:
        raise MalformedError(f"DHCP option with an address of {len(data)} octets")
    return IPv4Address(data)


def encode_classless_routes(routes: Iterable[Route]) -> bytes:
    """RFC 3442: prefix length, as many octets of the destination as it needs, next hop."""
    return b"".join(
        bytes((network.prefixlen,))
        + network.network_address.packed[: _octets(network.prefixlen)]
        + next_hop.packed
        for network, next_hop in routes
    )


def decode_classless_routes(data: bytes) -> tuple[Route, ...]:
    """Read RFC 3442 routes; host bits are cleared. Raises MalformedError."""
    routes: list[Route] = []
    position = 0
    while position < len(data):
        prefix_length = data[position]
        end = position + 1 + _octets(prefix_length)
        if prefix_length > 32 or end + 4 > len(data):
            raise MalformedError("classless static routes are cut short or have a prefix longer than 32")
        destination = data[position + 1 : end].ljust(4, b"\0")
        network = IPv4Network((destination, prefix_length), strict=False)
        routes.append((network, IPv4Address(data[end : end + 4])))
        position = end + 4
    return tuple(routes)


def decode_architectures(data: bytes) -> tuple[int, ...]:
    """The processor architectures of a network boot client (RFC 4578 2.1). Raises MalformedError."""
    if not data or len(data) % 2:
        raise MalformedError(f"client architectures of {len(data)} octets")
    return struct.unpack(f"!{len(data) // 2}H", data)


def _octets(prefix_length: int) -> int:
    return (prefix_length + 7) // 8
