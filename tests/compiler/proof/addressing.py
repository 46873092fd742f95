"""Reading addresses out of packets, for the plain model."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from overlace.datapath.fields import EthType, Field, IpFrag
from overlace.datapath.interpreter import Packet
from overlace.kit.addresses import IPAddress, IPNetwork

F = Field
NEIGHBOUR_MESSAGES = (135, 136)
UNTRACKED = (130, 131, 132, 133, 134, 135, 136, 137, 143)
"""ICMPv6 types of neighbour discovery and multicast listener discovery (RFC 4890, 4.4)."""


def version_of(packet: Packet) -> int:
    """4, 6, or 0 for what is no IP packet."""
    return {EthType.IPV4: 4, EthType.IPV6: 6}.get(packet[F.ETH_TYPE], 0)


def source_address(packet: Packet) -> IPAddress:
    """Where an IP packet says it comes from."""
    return _address(packet, F.IPV4_SRC, F.IPV6_SRC)


def destination_address(packet: Packet) -> IPAddress:
    """Where an IP packet wants to."""
    return _address(packet, F.IPV4_DST, F.IPV6_DST)


def is_fragment(packet: Packet) -> bool:
    """Ports cannot be seen in fragments other than the first."""
    return bool(packet[F.IP_FRAG] & IpFrag.LATER)


def as_prefix(address: IPAddress) -> IPNetwork:
    """An address as the prefix that holds nothing else."""
    return IPv4Network(address) if isinstance(address, IPv4Address) else IPv6Network(address)


def _address(packet: Packet, of_v4: F, of_v6: F) -> IPAddress:
    if packet[F.ETH_TYPE] == EthType.IPV4:
        return IPv4Address(packet[of_v4])
    return IPv6Address(packet[of_v6])
