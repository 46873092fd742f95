"""Source guard: a port with port security sends only as itself.

MAC, IPv4, ARP, IPv6 and neighbour discovery are checked, tags and all other EtherTypes are dropped (spanning
tree among them), and nobody plays DHCP server or router. RARP from the port's own MAC passes: hypervisors
announce a migrated guest with it.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network

from overlace.compiler.pipeline import SOURCE_PORT, Table
from overlace.compiler.rule import ARP, ICMPV6, IPV4, IPV6, Conditions, goto, neighbour, rule
from overlace.datapath.fields import EthType, Field, IpProto
from overlace.datapath.flow import Flow
from overlace.kit.addresses import IPNetwork, link_local_address

_UNTAGGED: Conditions = {Field.VLAN_TCI: 0}
_UNSPECIFIED_V6 = IPv6Address("::")
_LISTENER_REPORTS = (131, 132, 143)
_ROUTER_ADVERTISEMENT, _NEIGHBOUR_SOLICITATION, _NEIGHBOUR_ADVERTISEMENT, _REDIRECT = 134, 135, 136, 137
_DHCP_CLIENT, _DHCP_SERVER, _DHCPV6_CLIENT, _DHCPV6_SERVER = 68, 67, 546, 547


@dataclass(frozen=True, slots=True)
class Identity:
    """A MAC address and the prefixes it may send from."""

    mac: int
    prefixes: tuple[IPNetwork, ...]


def guard_flows(port_key: int, identities: tuple[Identity, ...], mark: int) -> list[Flow]:
    """What this port may send; all else falls through SOURCE_GUARD and is dropped."""
    flows = [*_never(port_key, mark), *_neighbour_flows(port_key, identities, mark)]
    for identity in identities:
        me: Conditions = {SOURCE_PORT: port_key, Field.ETH_SRC: identity.mac, **_UNTAGGED}
        allowed = [*_as_ipv4(me, identity), *_as_ipv6(me, identity)]
        allowed.append({**me, Field.ETH_TYPE: EthType.RARP})
        flows += [rule(Table.SOURCE_GUARD, 100, each, mark, goto(Table.RESPOND)) for each in allowed]
    return flows


def open_flows(port_key: int, mark: int) -> list[Flow]:
    """A port without port security sends what it likes into its own network."""
    return [rule(Table.SOURCE_GUARD, 100, {SOURCE_PORT: port_key}, mark, goto(Table.RESPOND))]


def _never(port_key: int, mark: int) -> list[Flow]:
    udp = {Field.IP_PROTO: IpProto.UDP}
    forbidden: list[Conditions] = [
        {**IPV4, **udp, Field.UDP_SRC: _DHCP_SERVER, Field.UDP_DST: _DHCP_CLIENT},
        {**IPV6, **udp, Field.UDP_SRC: _DHCPV6_SERVER, Field.UDP_DST: _DHCPV6_CLIENT},
        neighbour(_ROUTER_ADVERTISEMENT),
        neighbour(_REDIRECT),
    ]
    return [rule(Table.SOURCE_GUARD, 300, {SOURCE_PORT: port_key, **each}, mark) for each in forbidden]


def _as_ipv4(me: Conditions, identity: Identity) -> list[Conditions]:
    dhcp = {Field.IP_PROTO: IpProto.UDP, Field.UDP_SRC: _DHCP_CLIENT, Field.UDP_DST: _DHCP_SERVER}
    arp = {**me, **ARP, Field.ARP_SHA: identity.mac}
    allowed: list[Conditions] = [{**me, **IPV4, Field.IPV4_SRC: 0, **dhcp}]
    for prefix in identity.prefixes:
        if isinstance(prefix, IPv4Network):
            allowed.append({**me, **IPV4, Field.IPV4_SRC: prefix})
            allowed.append({**arp, Field.ARP_SPA: prefix})
    if any(isinstance(prefix, IPv4Network) for prefix in identity.prefixes):
        allowed.append({**arp, Field.ARP_SPA: 0})  # an address probe (RFC 5227 2.1.1)
    return allowed


def _as_ipv6(me: Conditions, identity: Identity) -> list[Conditions]:
    prefixes = [prefix for prefix in identity.prefixes if isinstance(prefix, IPv6Network)]
    prefixes.append(IPv6Network(link_local_address(identity.mac)))
    allowed: list[Conditions] = []
    for kind in _LISTENER_REPORTS:
        allowed.append({**me, **ICMPV6, Field.IPV6_SRC: _UNSPECIFIED_V6, Field.ICMPV6_TYPE: kind})
    return allowed + [{**me, **IPV6, Field.IPV6_SRC: prefix} for prefix in prefixes]


def _neighbour_flows(port_key: int, identities: tuple[Identity, ...], mark: int) -> list[Flow]:
    """Neighbour messages are looked into before the address check lets them pass: who claims an address or a
    link-layer address must own it."""
    flows: list[Flow] = []
    for kind in (_NEIGHBOUR_SOLICITATION, _NEIGHBOUR_ADVERTISEMENT):
        flows.append(rule(Table.SOURCE_GUARD, 200, {SOURCE_PORT: port_key, **neighbour(kind)}, mark))
    for identity in identities:
        me: Conditions = {SOURCE_PORT: port_key, Field.ETH_SRC: identity.mac, **_UNTAGGED}
        for claim in _truthful_claims(me, identity):
            flows.append(rule(Table.SOURCE_GUARD, 250, claim, mark, goto(Table.RESPOND)))
    return flows


def _truthful_claims(me: Conditions, identity: Identity) -> list[Conditions]:
    prefixes = [prefix for prefix in identity.prefixes if isinstance(prefix, IPv6Network)]
    prefixes.append(IPv6Network(link_local_address(identity.mac)))
    claims: list[Conditions] = []
    for prefix in prefixes:
        solicitation = {**me, **neighbour(_NEIGHBOUR_SOLICITATION)}
        claims.append({**solicitation, Field.IPV6_SRC: _UNSPECIFIED_V6, Field.ND_TARGET: prefix})
        for link_layer in (identity.mac, 0):
            claims.append({**solicitation, Field.IPV6_SRC: prefix, Field.ND_SLL: link_layer})
            for source in prefixes:
                advertisement = {**me, **neighbour(_NEIGHBOUR_ADVERTISEMENT), Field.ND_TARGET: prefix}
                claims.append({**advertisement, Field.IPV6_SRC: source, Field.ND_TLL: link_layer})
    return claims
