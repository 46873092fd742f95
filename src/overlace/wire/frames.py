"""Whole Ethernet frames from the values that matter: for packet-outs, probes and tests."""

from ipaddress import IPv4Address, IPv6Address

from overlace.kit.addresses import BROADCAST, Mac
from overlace.wire import arp, icmpv6
from overlace.wire.arp import Arp
from overlace.wire.ethernet import (
    ETHERTYPE_ARP,
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    ETHERTYPE_RARP,
    EthernetFrame,
)
from overlace.wire.icmpv6 import Icmpv6Message, NeighbourAdvertisement, NeighbourSolicitation
from overlace.wire.ipv4 import PROTOCOL_UDP, Ipv4Packet
from overlace.wire.ipv6 import (
    ALL_NODES,
    NEXT_HEADER_ICMPV6,
    NEXT_HEADER_UDP,
    Ipv6Packet,
    multicast_mac,
    solicited_node_address,
)
from overlace.wire.nd_options import SourceLinkLayerAddress, TargetLinkLayerAddress
from overlace.wire.udp import UdpDatagram

_NO_MAC = Mac(0)
_NO_IPV4 = IPv4Address(0)
_NO_IPV6 = IPv6Address(0)


def arp_request(sender_mac: Mac, sender_ip: IPv4Address, target_ip: IPv4Address) -> bytes:
    """Ask everyone who has `target_ip`; with sender 0.0.0.0 it is a probe (RFC 5227)."""
    packet = Arp(arp.REQUEST, sender_mac, sender_ip, _NO_MAC, target_ip)
    return EthernetFrame(BROADCAST, sender_mac, ETHERTYPE_ARP, packet.encode()).encode()


def arp_reply(sender_mac: Mac, sender_ip: IPv4Address, target_mac: Mac, target_ip: IPv4Address) -> bytes:
    """Tell `target` that `sender_ip` is at `sender_mac`."""
    packet = Arp(arp.REPLY, sender_mac, sender_ip, target_mac, target_ip)
    return EthernetFrame(target_mac, sender_mac, ETHERTYPE_ARP, packet.encode()).encode()


def gratuitous_arp(mac: Mac, ip: IPv4Address) -> bytes:
    """Announce to everyone that `ip` is at `mac` (RFC 5227: a request for the sender's own address)."""
    return arp_request(mac, ip, ip)


def rarp(mac: Mac) -> bytes:
    """What hypervisors send for a guest that has just moved: switches learn where `mac` is now."""
    packet = Arp(arp.REVERSE_REQUEST, mac, _NO_IPV4, mac, _NO_IPV4)
    return EthernetFrame(BROADCAST, mac, ETHERTYPE_RARP, packet.encode()).encode()


def icmpv6_frame(
    source_mac: Mac,
    destination_mac: Mac,
    source: IPv6Address,
    destination: IPv6Address,
    message: Icmpv6Message,
    hop_limit: int = icmpv6.DISCOVERY_HOP_LIMIT,
) -> bytes:
    """Carry one ICMPv6 message; the hop limit is that of Neighbour Discovery unless told."""
    body = icmpv6.encode(message, source, destination)
    packet = Ipv6Packet(source, destination, NEXT_HEADER_ICMPV6, body, hop_limit)
    return EthernetFrame(destination_mac, source_mac, ETHERTYPE_IPV6, packet.encode()).encode()


def neighbour_solicitation(sender_mac: Mac, sender_ip: IPv6Address, target: IPv6Address) -> bytes:
    """Ask who has `target`; from the unspecified address it is duplicate address detection (RFC 4862 5.4)."""
    group = solicited_node_address(target)
    options = () if sender_ip == _NO_IPV6 else (SourceLinkLayerAddress(sender_mac),)
    message = NeighbourSolicitation(target, options)
    return icmpv6_frame(sender_mac, Mac(multicast_mac(group)), sender_ip, group, message)


def neighbour_advertisement(
    sender_mac: Mac, target: IPv6Address, destination_mac: Mac, destination: IPv6Address
) -> bytes:
    """Answer a solicitation from `destination`: `target` is at `sender_mac`."""
    options = (TargetLinkLayerAddress(sender_mac),)
    message = NeighbourAdvertisement(target, solicited=True, override=True, options=options)
    return icmpv6_frame(sender_mac, destination_mac, target, destination, message)


def unsolicited_neighbour_advertisement(mac: Mac, address: IPv6Address) -> bytes:
    """Announce to all nodes that `address` is at `mac` (RFC 4861 7.2.6)."""
    options = (TargetLinkLayerAddress(mac),)
    message = NeighbourAdvertisement(address, override=True, options=options)
    return icmpv6_frame(mac, Mac(multicast_mac(ALL_NODES)), address, ALL_NODES, message)


def udp_frame(
    source_mac: Mac,
    destination_mac: Mac,
    source: IPv4Address | IPv6Address,
    destination: IPv4Address | IPv6Address,
    datagram: UdpDatagram,
    *,
    dont_fragment: bool = False,
) -> bytes:
    """Carry one datagram over IPv4 or IPv6. Raises ValueError when the two addresses differ in family."""
    body = datagram.encode(source, destination)
    if isinstance(source, IPv4Address) and isinstance(destination, IPv4Address):
        v4 = Ipv4Packet(source, destination, PROTOCOL_UDP, body, dont_fragment=dont_fragment)
        return EthernetFrame(destination_mac, source_mac, ETHERTYPE_IPV4, v4.encode()).encode()
    if isinstance(source, IPv6Address) and isinstance(destination, IPv6Address):
        v6 = Ipv6Packet(source, destination, NEXT_HEADER_UDP, body)
        return EthernetFrame(destination_mac, source_mac, ETHERTYPE_IPV6, v6.encode()).encode()
    raise ValueError(f"{source} and {destination} are of different families")
