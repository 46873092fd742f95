"""DHCPv4 options given by name and text, as Neutron's `extra_dhcp_opts` gives them.

The names are those that dnsmasq established, since existing templates use them. An option may also be given
by number; the form of its value is then guessed as dnsmasq does it: addresses, hexadecimal octets with
colons, a decimal number, text.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import NamedTuple

from overlace.wire.dhcpv4.message import Option
from overlace.wire.dhcpv4.options import (
    OptionCode,
    Route,
    encode_addresses,
    encode_classless_routes,
    encode_integer,
)
from overlace.wire.dns_names import encode_names

_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2})+")
_ADDRESSES = re.compile(r"\d+\.\d+\.\d+\.\d+(\s*,\s*\d+\.\d+\.\d+\.\d+)*")
_SERVER_ADDRESS_NAME = "server-ip-address"


_OWN_CODES = frozenset(
    {
        OptionCode.REQUESTED_ADDRESS,
        OptionCode.OVERLOAD,
        OptionCode.MESSAGE_TYPE,
        OptionCode.SERVER_IDENTIFIER,
        OptionCode.PARAMETER_REQUEST_LIST,
        OptionCode.MESSAGE,
        OptionCode.MAX_MESSAGE_SIZE,
        OptionCode.CLIENT_IDENTIFIER,
        OptionCode.RELAY_AGENT_INFORMATION,
    }
)
"""Options with which server and client run the protocol; no configuration may set them."""


class ExtraOptions(NamedTuple):
    """Extra options ready for the wire; an empty value means that the option shall not be sent at all."""

    options: tuple[Option, ...] = ()
    next_server: IPv4Address | None = None


def parse_extra_options(pairs: Iterable[tuple[str, str]]) -> ExtraOptions:
    """Read pairs of option name (or number) and value; later pairs win.

    Raises ValueError saying which is wrong.
    """
    options: dict[int, bytes] = {}
    next_server = None
    for name, text in pairs:
        try:
            if name == _SERVER_ADDRESS_NAME:
                next_server = IPv4Address(text.strip())
            else:
                code, encode = _form(name)
                options[code] = encode(text.strip()) if text.strip() else b""
        except ValueError as error:
            raise ValueError(f"DHCP option {name}={text!r}: {error}") from error
    return ExtraOptions(tuple(options.items()), next_server)


def _form(name: str) -> tuple[int, Callable[[str], bytes]]:
    name = name.removeprefix("option:").lower()
    if name in _NAMES:
        return _NAMES[name]
    if name.isascii() and name.isdigit() and 0 < int(name) < 255:
        code = int(name)
        if code in _OWN_CODES:
            raise ValueError("the DHCP server itself sets this option")
        return code, _FORMS.get(code, _guess)
    raise ValueError("neither the name nor the number of a DHCPv4 option")


def _guess(text: str) -> bytes:
    if _ADDRESSES.fullmatch(text):
        return _addresses(text)
    if _HEXADECIMAL.fullmatch(text):
        return _octets(text)
    if text.isascii() and text.isdigit():
        value = int(text)
        length = next((size for size in (1, 2, 4) if value < 1 << 8 * size), 8)
        return encode_integer(value, length)
    return _text(text)


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",")]


def _text(text: str) -> bytes:
    return text.encode()


def _octets(text: str) -> bytes:
    return bytes(int(octet, 16) for octet in text.split(":"))


def _addresses(text: str) -> bytes:
    return encode_addresses(map(IPv4Address, _items(text)))


def _address_pairs(text: str) -> bytes:
    """Pairs of addresses, with commas or slashes between."""
    items = _items(text.replace("/", ","))
    if len(items) % 2:
        raise ValueError("an odd number of addresses where pairs are expected")
    return encode_addresses(map(IPv4Address, items))


def _classless_routes(text: str) -> bytes:
    """Destination prefix, next hop, destination prefix, next hop, ..."""
    items = _items(text)
    if len(items) % 2:
        raise ValueError("routes are pairs of a prefix and a next hop")
    routes: list[Route] = [
        (IPv4Network(prefix, strict=False), IPv4Address(next_hop))
        for prefix, next_hop in zip(items[::2], items[1::2], strict=True)
    ]
    return encode_classless_routes(routes)


def _domains(text: str) -> bytes:
    return encode_names(tuple(_items(text)))


def _time_offset(text: str) -> bytes:
    """Seconds east of Greenwich, negative to the west (RFC 2132 3.4)."""
    seconds = int(text)
    if abs(seconds) >= 1 << 31:
        raise ValueError(f"{seconds} seconds are no offset from Greenwich")
    return encode_integer(seconds % (1 << 32), 4)


def _integer(length: int) -> Callable[[str], bytes]:
    def encode(text: str) -> bytes:
        return encode_integer(int(text), length)

    return encode


_u8, _u16, _u32 = _integer(1), _integer(2), _integer(4)

_NAMES: Mapping[str, tuple[int, Callable[[str], bytes]]] = {
    "netmask": (OptionCode.SUBNET_MASK, _addresses),
    "time-offset": (2, _time_offset),
    "router": (OptionCode.ROUTER, _addresses),
    "dns-server": (OptionCode.DNS_SERVERS, _addresses),
    "log-server": (7, _addresses),
    "lpr-server": (9, _addresses),
    "hostname": (OptionCode.HOST_NAME, _text),
    "boot-file-size": (13, _u16),
    "domain-name": (OptionCode.DOMAIN_NAME, _text),
    "swap-server": (16, _addresses),
    "root-path": (17, _text),
    "extension-path": (18, _text),
    "ip-forward-enable": (19, _u8),
    "non-local-source-routing": (20, _u8),
    "policy-filter": (21, _address_pairs),
    "max-datagram-reassembly": (22, _u16),
    "default-ttl": (23, _u8),
    "mtu": (OptionCode.MTU, _u16),
    "all-subnets-local": (27, _u8),
    "broadcast": (28, _addresses),
    "router-discovery": (31, _u8),
    "router-solicitation": (32, _addresses),
    "static-route": (OptionCode.STATIC_ROUTES, _address_pairs),
    "trailer-encapsulation": (34, _u8),
    "arp-timeout": (35, _u32),
    "ethernet-encap": (36, _u8),
    "tcp-ttl": (37, _u8),
    "tcp-keepalive": (38, _u32),
    "nis-domain": (40, _text),
    "nis-server": (41, _addresses),
    "ntp-server": (OptionCode.NTP_SERVERS, _addresses),
    "vendor-encap": (43, _guess),
    "netbios-ns": (44, _addresses),
    "netbios-dd": (45, _addresses),
    "netbios-nodetype": (46, _u8),
    "netbios-scope": (47, _text),
    "x-windows-fs": (48, _addresses),
    "x-windows-dm": (49, _addresses),
    "lease-time": (OptionCode.LEASE_TIME, _u32),
    "t1": (OptionCode.RENEWAL_TIME, _u32),
    "t2": (OptionCode.REBINDING_TIME, _u32),
    "vendor-class": (60, _text),
    "nis+-domain": (64, _text),
    "nis+-server": (65, _addresses),
    "tftp-server": (OptionCode.TFTP_SERVER_NAME, _text),
    "bootfile-name": (OptionCode.BOOT_FILE_NAME, _text),
    "mobile-ip-home": (68, _addresses),
    "smtp-server": (69, _addresses),
    "pop3-server": (70, _addresses),
    "nntp-server": (71, _addresses),
    "irc-server": (74, _addresses),
    "user-class": (77, _text),
    "client-arch": (OptionCode.CLIENT_ARCHITECTURE, _u16),
    "posix-timezone": (100, _text),
    "tzdb-timezone": (101, _text),
    "ipv6-only": (108, _u32),
    "domain-search": (OptionCode.DOMAIN_SEARCH, _domains),
    "classless-static-route": (OptionCode.CLASSLESS_ROUTES, _classless_routes),
    "tftp-server-address": (OptionCode.TFTP_SERVER_ADDRESSES, _addresses),
}
_FORMS: Mapping[int, Callable[[str], bytes]] = {
    **dict(_NAMES.values()),
    OptionCode.MICROSOFT_CLASSLESS_ROUTES: _classless_routes,
}
