"""Source guard: a port with port security sends only as itself.

MAC, IPv4, ARP, IPv6 and neighbour discovery are checked, tags and all other EtherTypes are dropped (spanning
tree among them), and nobody plays DHCP server or router. RARP from the port's own MAC passes: hypervisors
announce a migrated guest with it.

Theory of operation. SOURCE_GUARD is the same for all ports: it tells what a frame claims. The tables after it hold
one flow for each thing that a port may claim, always together with its MAC address, so that their number grows with
the port's addresses and not with the kinds of frames:

    SOURCE_GUARD -> GUARD_MAC ---------------------------------------> RESPOND    claims no address yet
                 -> GUARD_LINK_LAYER -> GUARD_TARGET -> GUARD_ADDRESS -> RESPOND  neighbour discovery
                 -> GUARD_ADDRESS ------------------------------------> RESPOND    all else

Ports without port security leave SOURCE_GUARD for RESPOND at once.

What cannot be looked into is not let through: an IPv6 header chain that cannot be read to its end, and a first
fragment that leaves out what would be judged (RFC 7112, 5; RFC 1858, 3). The switch tells the ports of a first fragment
because the southbound asks for it ("nx-match", ovs-ofctl(8)); later fragments are worth nothing without their first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address

from overlace.compiler.pipeline import SOURCE_PORT, Table
from overlace.compiler.rule import ARP, ICMPV6, IPV4, IPV6, Conditions, goto, neighbour, rule
from overlace.datapath.fields import VLAN_PRESENT, EthType, Field, IpFrag, IpProto
from overlace.datapath.flow import Flow
from overlace.kit.addresses import IPAddress, IPNetwork, link_local_address

_UNSPECIFIED: Conditions = {Field.IPV6_SRC: IPv6Address("::")}
_UDP: Conditions = {Field.IP_PROTO: IpProto.UDP}
_ROUTER_SOLICITATION = 133
_WITHOUT_ADDRESS = (131, 132, 143, _ROUTER_SOLICITATION)
"""What a host says before it has an address: listener reports, and the question for a router (RFC 4861 4.1)."""
_ROUTER_ADVERTISEMENT, _NEIGHBOUR_SOLICITATION, _NEIGHBOUR_ADVERTISEMENT, _REDIRECT = 134, 135, 136, 137
_FIRST_FRAGMENT: Conditions = {Field.IP_FRAG: IpFrag.ANY}
_DHCP_CLIENT, _DHCP_SERVER, _DHCPV6_CLIENT, _DHCPV6_SERVER = 68, 67, 546, 547


@dataclass(frozen=True, slots=True)
class Identity:
    """A MAC address, and the addresses and prefixes it may send from."""

    mac: int
    sources: tuple[IPAddress | IPNetwork, ...]


def guard_flows(port_key: int, identities: tuple[Identity, ...], mark: int) -> list[Flow]:
    """What this port may send; all else falls through the guard's tables and is dropped."""
    flows: list[Flow] = []
    for identity in identities:
        me: Conditions = {SOURCE_PORT: port_key, Field.ETH_SRC: identity.mac}
        flows.append(rule(Table.GUARD_MAC, 100, me, mark, goto(Table.RESPOND)))
        for conditions, following in _link_layer_claims(identity):
            flows.append(rule(Table.GUARD_LINK_LAYER, 100, {**me, **conditions}, mark, goto(following)))
        for source in _ipv6_sources(identity):
            for kind in (_NEIGHBOUR_SOLICITATION, _NEIGHBOUR_ADVERTISEMENT):
                target = {**me, **neighbour(kind), Field.ND_TARGET: source}
                flows.append(rule(Table.GUARD_TARGET, 100, target, mark, goto(Table.GUARD_ADDRESS)))
        for conditions in _addresses(identity):
            flows.append(rule(Table.GUARD_ADDRESS, 100, {**me, **conditions}, mark, goto(Table.RESPOND)))
    return flows


def open_flows(port_key: int, mark: int) -> list[Flow]:
    """A port without port security sends what it likes into its own network, but for tags."""
    return [rule(Table.SOURCE_GUARD, 350, {SOURCE_PORT: port_key}, mark, goto(Table.RESPOND))]


def common_guard_flows(mark: int) -> Iterator[Flow]:
    """The same for all ports: what none may send, and which claims are looked into where."""
    # A network is one untagged broadcast domain: a tag would let a guest speak to another's VLAN behind a
    # gateway, and one that only the ports on its own host could hear would be worse than none.
    yield rule(Table.SOURCE_GUARD, 400, {Field.VLAN_TCI: (VLAN_PRESENT, VLAN_PRESENT)}, mark)
    for never in _never():
        yield rule(Table.SOURCE_GUARD, 300, never, mark)
    for priority, claims, table in _dispatch():
        yield rule(Table.SOURCE_GUARD, priority, claims, mark, goto(table))
    # the target was looked into before: only so does a solicitation without a source come here
    probe = {**neighbour(_NEIGHBOUR_SOLICITATION), **_UNSPECIFIED}
    yield rule(Table.GUARD_ADDRESS, 200, probe, mark, goto(Table.RESPOND))


def _never() -> list[Conditions]:
    return [
        {**IPV4, **_UDP, Field.UDP_SRC: _DHCP_SERVER, Field.UDP_DST: _DHCP_CLIENT},
        {**IPV6, **_UDP, Field.UDP_SRC: _DHCPV6_SERVER, Field.UDP_DST: _DHCPV6_CLIENT},
        neighbour(_ROUTER_ADVERTISEMENT),
        neighbour(_REDIRECT),
        # Open vSwitch reads neither target nor options where an option is there twice, and a guest takes the first
        {**neighbour(_NEIGHBOUR_SOLICITATION), Field.ND_TARGET: 0},
        {
            **IPV6,
            Field.IP_PROTO: 0,
        },  # the chain breaks off: where it can be read, its end is never hop-by-hop
        *({**_FIRST_FRAGMENT, **hidden} for hidden in _hidden()),
    ]


def _hidden() -> Iterator[Conditions]:
    """First fragments whose ports or type are in a later one, and neighbour messages whose options may be: those
    are never fragmented (RFC 6980, 5)."""
    for family in (IPV4, IPV6):
        yield {**family, **_UDP, Field.UDP_SRC: 0, Field.UDP_DST: 0}
    yield {**ICMPV6, Field.ICMPV6_TYPE: 0}
    for kind in (_ROUTER_SOLICITATION, _NEIGHBOUR_SOLICITATION, _NEIGHBOUR_ADVERTISEMENT):
        yield {**ICMPV6, Field.ICMPV6_TYPE: kind}


def _dispatch() -> Iterator[tuple[int, Conditions, Table]]:
    """Neighbour messages are looked into before the address check lets them pass: who claims an address or a
    link-layer address must own it."""
    solicitation, advertisement = neighbour(_NEIGHBOUR_SOLICITATION), neighbour(_NEIGHBOUR_ADVERTISEMENT)
    duplicate_address_detection = {**solicitation, **_UNSPECIFIED}  # RFC 4862 5.4
    yield 250, duplicate_address_detection, Table.GUARD_TARGET
    yield 240, {**solicitation, Field.ND_SLL: 0}, Table.GUARD_ADDRESS  # 0 where the option is missing
    yield 240, {**advertisement, Field.ND_TLL: 0}, Table.GUARD_TARGET
    yield 230, solicitation, Table.GUARD_LINK_LAYER
    yield 230, advertisement, Table.GUARD_LINK_LAYER
    for kind in _WITHOUT_ADDRESS:
        yield 200, {**ICMPV6, **_UNSPECIFIED, Field.ICMPV6_TYPE: kind}, Table.GUARD_MAC
    dhcp = {**_UDP, Field.UDP_SRC: _DHCP_CLIENT, Field.UDP_DST: _DHCP_SERVER}
    yield 200, {**IPV4, Field.IPV4_SRC: 0, **dhcp}, Table.GUARD_MAC
    yield 100, {Field.ETH_TYPE: EthType.RARP}, Table.GUARD_MAC
    for family in (IPV4, ARP, IPV6):
        yield 100, family, Table.GUARD_ADDRESS


def _ipv6_sources(identity: Identity) -> list[IPAddress | IPNetwork]:
    return [*(each for each in identity.sources if each.version == 6), link_local_address(identity.mac)]


def _link_layer_claims(identity: Identity) -> Iterator[tuple[Conditions, Table]]:
    yield {**neighbour(_NEIGHBOUR_SOLICITATION), Field.ND_SLL: identity.mac}, Table.GUARD_ADDRESS
    yield {**neighbour(_NEIGHBOUR_ADVERTISEMENT), Field.ND_TLL: identity.mac}, Table.GUARD_TARGET


def _addresses(identity: Identity) -> Iterator[Conditions]:
    arp = {**ARP, Field.ARP_SHA: identity.mac}
    sources = [each for each in identity.sources if each.version == 4]
    for source in sources:
        yield {**IPV4, Field.IPV4_SRC: source}
        yield {**arp, Field.ARP_SPA: source}
    if sources:
        yield {**arp, Field.ARP_SPA: 0}  # an address probe (RFC 5227 2.1.1)
    for own in _ipv6_sources(identity):
        yield {**IPV6, Field.IPV6_SRC: own}
