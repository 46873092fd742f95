"""Packets for tests and what-if questions, by the kinds that people name.

MAC addresses are 48-bit integers, IP addresses `ipaddress` objects. Fields of metadata (in_port, tun_id ...)
and anything unusual are set on the result: ``tcp(...).replace({Field.IP_TTL: 1})``.
"""

from ipaddress import IPv4Address, IPv6Address

from overlace.datapath.fields import EthType, Field, IpProto
from overlace.datapath.interpreter.encode import to_frame
from overlace.datapath.interpreter.packet import Packet
from overlace.datapath.prerequisites import ND_ADVERT, ND_SOLICIT
from overlace.kit.addresses import BROADCAST, IPAddress

F = Field

ARP_REQUEST, ARP_REPLY, RARP_REQUEST = 1, 2, 3
SYN, ACK, FIN, RST, PSH = 0x02, 0x10, 0x01, 0x04, 0x08
"""TCP flags (RFC 9293, 3.1)."""
ECHO_REQUEST, ECHO_REPLY, UNREACHABLE, TIME_EXCEEDED = 8, 0, 3, 11
"""ICMP types (RFC 792)."""
ECHO_REQUEST_V6, ECHO_REPLY_V6 = 128, 129
_SOURCE_LINK_LAYER, _TARGET_LINK_LAYER = 1, 2
_OVERRIDE_SOLICITED = 0x60000000
_DEFAULT_TTL, _NEIGHBOUR_TTL = 64, 255
_ETHERNET_BYTES = 14
_SOLICITED_NODE = int(IPv6Address("ff02::1:ff00:0"))


def ethernet(source: int, destination: int, eth_type: int, length: int = 60) -> Packet:
    """A frame with nothing known but its Ethernet header."""
    return Packet({F.ETH_SRC: source, F.ETH_DST: destination, F.ETH_TYPE: eth_type}, length)


def arp_request(source: int, sender: IPv4Address, target: IPv4Address) -> Packet:
    """Who has `target`? (RFC 826)"""
    packet = ethernet(source, BROADCAST, EthType.ARP)
    return packet.replace(_arp(ARP_REQUEST, source, int(sender), 0, int(target)))


def arp_reply(source: int, sender: IPv4Address, destination: int, target: IPv4Address) -> Packet:
    """`sender` is at `source`. (RFC 826)"""
    packet = ethernet(source, destination, EthType.ARP)
    return packet.replace(_arp(ARP_REPLY, source, int(sender), destination, int(target)))


def gratuitous_arp(source: int, sender: IPv4Address) -> Packet:
    """An announcement of one's own address (RFC 5227)."""
    return arp_request(source, sender, sender)


def rarp(source: int) -> Packet:
    """What a hypervisor sends for a guest that has moved (RFC 903)."""
    packet = ethernet(source, BROADCAST, EthType.RARP)
    return packet.replace(_arp(RARP_REQUEST, source, 0, source, 0))


def tcp(
    macs: tuple[int, int],
    addresses: tuple[IPAddress, IPAddress],
    ports: tuple[int, int],
    flags: int = SYN,
    length: int = 60,
) -> Packet:
    """A TCP segment; pairs are (source, destination)."""
    packet = ip(macs, addresses, IpProto.TCP, length)
    return packet.replace({F.TCP_SRC: ports[0], F.TCP_DST: ports[1], F.TCP_FLAGS: flags})


def udp(
    macs: tuple[int, int],
    addresses: tuple[IPAddress, IPAddress],
    ports: tuple[int, int],
    length: int = 60,
) -> Packet:
    """A UDP datagram; pairs are (source, destination)."""
    packet = ip(macs, addresses, IpProto.UDP, length)
    return packet.replace({F.UDP_SRC: ports[0], F.UDP_DST: ports[1]})


def icmp(
    macs: tuple[int, int],
    addresses: tuple[IPv4Address, IPv4Address],
    icmp_type: int = ECHO_REQUEST,
    code: int = 0,
    length: int = 98,
) -> Packet:
    """An ICMP message (RFC 792)."""
    packet = ip(macs, addresses, IpProto.ICMP, length)
    return packet.replace({F.ICMPV4_TYPE: icmp_type, F.ICMPV4_CODE: code})


def icmpv6(
    macs: tuple[int, int],
    addresses: tuple[IPv6Address, IPv6Address],
    icmp_type: int = ECHO_REQUEST_V6,
    code: int = 0,
    length: int = 118,
) -> Packet:
    """An ICMPv6 message (RFC 4443)."""
    packet = ip(macs, addresses, IpProto.ICMPV6, length)
    return packet.replace({F.ICMPV6_TYPE: icmp_type, F.ICMPV6_CODE: code})


def icmp_error(
    macs: tuple[int, int],
    addresses: tuple[IPAddress, IPAddress],
    about: Packet,
    icmp_type: int = UNREACHABLE,
    code: int = 0,
) -> Packet:
    """An ICMP or ICMPv6 error that quotes the beginning of the packet `about` (RFC 792, RFC 4443)."""
    of_v4 = addresses[0].version == 4
    packet = ip(macs, addresses, IpProto.ICMP if of_v4 else IpProto.ICMPV6)
    packet[F.ICMPV4_TYPE if of_v4 else F.ICMPV6_TYPE] = icmp_type
    packet[F.ICMPV4_CODE if of_v4 else F.ICMPV6_CODE] = code
    quoted = to_frame(about)[_ETHERNET_BYTES:]
    packet.payload = bytes(4) + quoted[: (20 if of_v4 else 40) + 8]
    packet.length = _ETHERNET_BYTES + len(packet.payload) + (24 if of_v4 else 44)
    return packet


def neighbour_solicitation(source: int, sender: IPv6Address, target: IPv6Address) -> Packet:
    """Who has `target`? Sent to its solicited-node group; from :: it is duplicate address detection, which
    carries no link-layer option (RFC 4861, 4.3; RFC 4862, 5.4.2)."""
    low = int(target) & 0xFFFFFF
    macs = (source, 0x3333FF000000 | low)
    packet = icmpv6(macs, (sender, IPv6Address(_SOLICITED_NODE | low)), ND_SOLICIT, length=86)
    packet = packet.replace({F.IP_TTL: _NEIGHBOUR_TTL, F.ND_TARGET: int(target)})
    if int(sender) == 0:
        return packet
    return packet.replace({F.ND_SLL: source, F.ND_OPTIONS_TYPE: _SOURCE_LINK_LAYER})


def neighbour_advertisement(
    macs: tuple[int, int], addresses: tuple[IPv6Address, IPv6Address], target: IPv6Address
) -> Packet:
    """`target` is at the source MAC; solicited, overriding (RFC 4861, 4.4)."""
    packet = icmpv6(macs, addresses, ND_ADVERT, length=86)
    return packet.replace(
        {
            F.IP_TTL: _NEIGHBOUR_TTL,
            F.ND_TARGET: int(target),
            F.ND_TLL: macs[0],
            F.ND_RESERVED: _OVERRIDE_SOLICITED,
            F.ND_OPTIONS_TYPE: _TARGET_LINK_LAYER,
        }
    )


def ip(
    macs: tuple[int, int], addresses: tuple[IPAddress, IPAddress], protocol: int, length: int = 60
) -> Packet:
    """An IP packet of any protocol; the version is that of the addresses."""
    source, destination = addresses
    if source.version != destination.version:
        raise ValueError(f"{source} and {destination} are of different IP versions")
    of_v4 = source.version == 4
    packet = ethernet(*macs, EthType.IPV4 if of_v4 else EthType.IPV6, length)
    packet[F.IPV4_SRC if of_v4 else F.IPV6_SRC] = int(source)
    packet[F.IPV4_DST if of_v4 else F.IPV6_DST] = int(destination)
    packet[F.IP_PROTO] = protocol
    packet[F.IP_TTL] = _DEFAULT_TTL
    return packet


def _arp(operation: int, sha: int, spa: int, tha: int, tpa: int) -> dict[Field, int]:
    return {F.ARP_OP: operation, F.ARP_SHA: sha, F.ARP_SPA: spa, F.ARP_THA: tha, F.ARP_TPA: tpa}
