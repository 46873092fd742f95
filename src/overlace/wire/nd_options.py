"""Options of Neighbour Discovery (RFC 4861 4.6, RFC 4191, RFC 8106)."""

import struct
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address

import msgspec

from overlace.kit.addresses import Mac, mac_bytes
from overlace.wire.dns_names import decode_names, encode_names
from overlace.wire.errors import MalformedError

_PREFIX = struct.Struct("!BBIII16s")
_LIFETIME = struct.Struct("!HI")


class SourceLinkLayerAddress(msgspec.Struct, frozen=True):
    """Type 1: the sender's MAC address."""

    mac: Mac


class TargetLinkLayerAddress(msgspec.Struct, frozen=True):
    """Type 2: the MAC address of the target."""

    mac: Mac


class PrefixInformation(msgspec.Struct, frozen=True):
    """Type 3: a prefix that is on link (`on_link`), for SLAAC (`autonomous`), or both.

    Lifetimes in seconds.
    """

    prefix: IPv6Address
    prefix_length: int
    on_link: bool
    autonomous: bool
    valid_seconds: int
    preferred_seconds: int


class Mtu(msgspec.Struct, frozen=True):
    """Type 5: the MTU of the link in octets."""

    mtu: int


class RecursiveDnsServers(msgspec.Struct, frozen=True):
    """Type 25: resolvers, for `lifetime_seconds`."""

    lifetime_seconds: int
    servers: tuple[IPv6Address, ...]


class DnsSearchList(msgspec.Struct, frozen=True):
    """Type 31: domains to search, for `lifetime_seconds`."""

    lifetime_seconds: int
    domains: tuple[str, ...]


class UnknownOption(msgspec.Struct, frozen=True):
    """Any other type, kept as it came (without type and length)."""

    type: int
    data: bytes


NdOption = (
    SourceLinkLayerAddress
    | TargetLinkLayerAddress
    | PrefixInformation
    | Mtu
    | RecursiveDnsServers
    | DnsSearchList
    | UnknownOption
)


def decode_options(data: bytes) -> tuple[NdOption, ...]:
    """Read all options.

    Raises MalformedError on a length of zero or beyond the packet (RFC 4861 6.1, 7.1).
    """
    options: list[NdOption] = []
    while data:
        length = data[1] * 8 if len(data) > 1 else 0
        if not 0 < length <= len(data):
            raise MalformedError(f"Neighbour Discovery option of {length} octets where {len(data)} are left")
        options.append(_decode(data[0], data[2:length]))
        data = data[length:]
    return tuple(options)


def encode_options(options: tuple[NdOption, ...]) -> bytes:
    """Write all options, each padded to 8 octets."""
    return b"".join(map(_encode, options))


def _decode(option_type: int, body: bytes) -> NdOption:
    reader = _READERS.get(option_type)
    return UnknownOption(option_type, body) if reader is None else reader(body)


def _read_mac(body: bytes) -> Mac:
    if len(body) != 6:
        raise MalformedError(f"link-layer address of {len(body)} octets")
    return Mac(int.from_bytes(body, "big"))


def _read_prefix(body: bytes) -> PrefixInformation:
    if len(body) != _PREFIX.size:
        raise MalformedError(f"prefix information of {len(body)} octets")
    length, flags, valid, preferred, _, prefix = _PREFIX.unpack(body)
    if length > 128:
        raise MalformedError(f"prefix length {length}")
    return PrefixInformation(
        IPv6Address(prefix), length, bool(flags & 0x80), bool(flags & 0x40), valid, preferred
    )


def _read_mtu(body: bytes) -> Mtu:
    if len(body) != 6:
        raise MalformedError(f"MTU option of {len(body)} octets")
    return Mtu(int.from_bytes(body[2:], "big"))


def _read_servers(body: bytes) -> RecursiveDnsServers:
    addresses = body[_LIFETIME.size :]
    if not addresses or len(addresses) % 16:
        raise MalformedError(f"list of DNS servers of {len(addresses)} octets")
    _, lifetime = _LIFETIME.unpack_from(body)
    servers = (IPv6Address(addresses[at : at + 16]) for at in range(0, len(addresses), 16))
    return RecursiveDnsServers(lifetime, tuple(servers))


def _read_search_list(body: bytes) -> DnsSearchList:
    _, lifetime = _LIFETIME.unpack_from(body)
    return DnsSearchList(lifetime, decode_names(body[_LIFETIME.size :]))


_READERS: Mapping[int, Callable[[bytes], NdOption]] = {
    1: lambda body: SourceLinkLayerAddress(_read_mac(body)),
    2: lambda body: TargetLinkLayerAddress(_read_mac(body)),
    3: _read_prefix,
    5: _read_mtu,
    25: _read_servers,
    31: _read_search_list,
}


def _encode(option: NdOption) -> bytes:
    option_type, body = _body(option)
    body += bytes(-(len(body) + 2) % 8)
    return bytes((option_type, (len(body) + 2) // 8)) + body


def _body(option: NdOption) -> tuple[int, bytes]:
    match option:
        case SourceLinkLayerAddress(mac):
            return 1, mac_bytes(mac)
        case TargetLinkLayerAddress(mac):
            return 2, mac_bytes(mac)
        case PrefixInformation(prefix, length, on_link, autonomous, valid, preferred):
            flags = on_link << 7 | autonomous << 6
            return 3, _PREFIX.pack(length, flags, valid, preferred, 0, prefix.packed)
        case Mtu(mtu):
            return 5, bytes(2) + mtu.to_bytes(4, "big")
        case RecursiveDnsServers(lifetime, servers):
            return 25, _LIFETIME.pack(0, lifetime) + b"".join(server.packed for server in servers)
        case DnsSearchList(lifetime, domains):
            return 31, _LIFETIME.pack(0, lifetime) + encode_names(domains)
        case UnknownOption(option_type, data):
            return option_type, data
