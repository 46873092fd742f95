"""MAC addresses as integers; IP addresses are the standard library's `ipaddress` objects.

An integer is what a flow match needs, hashes fast and costs no object; text appears only at the edges.
"""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import NewType

Mac = NewType("Mac", int)
IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

BROADCAST = Mac(0xFFFFFFFFFFFF)
_LINK_LOCAL = IPv6Network("fe80::/64")
_MAC_TEXT = re.compile(r"[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}")


def parse_mac(text: str) -> Mac:
    """Read ``aa:bb:cc:dd:ee:ff`` (or with dashes). Raises ValueError on anything else."""
    if not _MAC_TEXT.fullmatch(text):
        raise ValueError(f"{text!r} is not a MAC address (six hexadecimal octets, as in 02:00:00:00:00:01)")
    return Mac(int(text.replace(":", "").replace("-", ""), 16))


def format_mac(mac: int) -> str:
    """Write a MAC address in the lower-case colon form that Neutron and Open vSwitch use."""
    d = f"{mac:012x}"
    return f"{d[:2]}:{d[2:4]}:{d[4:6]}:{d[6:8]}:{d[8:10]}:{d[10:]}"


def mac_bytes(mac: int) -> bytes:
    """The six octets of a MAC address in network order."""
    return mac.to_bytes(6, "big")


def is_multicast(mac: int) -> bool:
    """True for group addresses, broadcast included (IEEE 802 I/G bit)."""
    return bool(mac >> 40 & 1)


def eui64_address(prefix: IPv6Network, mac: int) -> IPv6Address:
    """The SLAAC address of `mac` in a /64 (RFC 4291 appendix A). Raises ValueError for other lengths."""
    if prefix.prefixlen != 64:
        raise ValueError(f"SLAAC needs a /64 prefix, {prefix} is a /{prefix.prefixlen}")
    high, low = mac >> 24, mac & 0xFFFFFF
    interface_id = (high ^ 0x020000) << 40 | 0xFFFE << 24 | low
    return IPv6Address(int(prefix.network_address) | interface_id)


def link_local_address(mac: int) -> IPv6Address:
    """The link-local address that an interface with this MAC derives (RFC 4291 2.5.6)."""
    return eui64_address(_LINK_LOCAL, mac)


def narrowest(prefix: IPNetwork) -> IPAddress | IPNetwork:
    """A prefix of one address as that address; any other as it is."""
    return prefix.network_address if prefix.prefixlen == prefix.max_prefixlen else prefix
