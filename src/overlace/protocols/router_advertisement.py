"""What a network says about its IPv6 prefixes to a host that asks (RFC 4861 6.2.6, RFC 4862 5.5, RFC 8106).

An advertisement without a router: its lifetime as a router is 0, so that nobody takes it for a way out. Nothing is
advertised unasked, therefore all lifetimes are infinite: a port's addresses are its own until somebody changes the
port, and no host loses them while no controller runs.
"""

from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network

from overlace.kit.addresses import Mac, link_local_address
from overlace.wire import icmpv6
from overlace.wire.errors import MalformedError
from overlace.wire.ethernet import ETHERTYPE_IPV6, EthernetFrame
from overlace.wire.frames import icmpv6_frame
from overlace.wire.icmpv6 import DISCOVERY_HOP_LIMIT, RouterAdvertisement, RouterSolicitation
from overlace.wire.ipv6 import ALL_NODES, NEXT_HEADER_ICMPV6, Ipv6Packet, multicast_mac
from overlace.wire.nd_options import Mtu, NdOption, PrefixInformation, RecursiveDnsServers

_FOR_EVER = 0xFFFFFFFF
_UNSPECIFIED = IPv6Address("::")


@dataclass(frozen=True, slots=True)
class OnLinkPrefix:
    """A prefix of the network; `autonomous`: hosts make their addresses in it themselves."""

    prefix: IPv6Network
    autonomous: bool


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """What there is to say about a network; `managed`, `other`: addresses, or all else, come by DHCPv6."""

    mac: Mac
    prefixes: tuple[OnLinkPrefix, ...]
    managed: bool = False
    other: bool = False
    mtu: int | None = None
    dns_servers: tuple[IPv6Address, ...] = ()


def respond(frame: bytes, facts: LinkFacts) -> bytes:
    """The advertisement that answers a router solicitation. Raises MalformedError when the frame is none
    (RFC 4861 6.1.1)."""
    ethernet = EthernetFrame.decode(frame)
    if ethernet.tags or ethernet.ethertype != ETHERTYPE_IPV6:
        raise MalformedError("not an untagged IPv6 frame")
    packet = Ipv6Packet.decode(ethernet.payload)
    if packet.next_header != NEXT_HEADER_ICMPV6 or packet.hop_limit != DISCOVERY_HOP_LIMIT:
        raise MalformedError("not a neighbour discovery packet of this link")
    if not isinstance(icmpv6.decode(packet.payload, packet.source, packet.destination), RouterSolicitation):
        raise MalformedError("not a router solicitation")
    # A host that has no address yet asks from ::, and hears what goes to all nodes.
    asker = (ethernet.source, packet.source)
    mac, address = (Mac(multicast_mac(ALL_NODES)), ALL_NODES) if packet.source == _UNSPECIFIED else asker
    return icmpv6_frame(facts.mac, mac, link_local_address(facts.mac), address, _advertisement(facts))


def _advertisement(facts: LinkFacts) -> RouterAdvertisement:
    options: list[NdOption] = [] if facts.mtu is None else [Mtu(facts.mtu)]
    options += [_information(each) for each in facts.prefixes]
    if facts.dns_servers:
        options.append(RecursiveDnsServers(_FOR_EVER, facts.dns_servers))
    return RouterAdvertisement(managed=facts.managed, other_configuration=facts.other, options=tuple(options))


def _information(each: OnLinkPrefix) -> PrefixInformation:
    prefix = each.prefix
    return PrefixInformation(
        prefix.network_address, prefix.prefixlen, True, each.autonomous, _FOR_EVER, _FOR_EVER
    )
