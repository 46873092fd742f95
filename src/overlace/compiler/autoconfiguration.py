"""Networks: which requests of hosts for their own configuration go to the controller.

What nobody here answers goes its way: a network without DHCP may have a server of its tenant's, at a port without port
security.
"""

from dataclasses import dataclass
from ipaddress import IPv6Address

from overlace.compiler.pipeline import NETWORK, CookieClass, Table, cookie
from overlace.compiler.plan import Fragment
from overlace.compiler.reader import Reader
from overlace.compiler.rule import IPV4, IPV6, Conditions, neighbour, rule
from overlace.compiler.unit import Output, UnitId, network_audience
from overlace.datapath.actions import SendToController
from overlace.datapath.fields import Field, IpProto
from overlace.datapath.flow import Flow
from overlace.model.autoconfiguration import advertises, serves_dhcpv4, serves_dhcpv6
from overlace.model.network import Network, Subnet

DHCPV4_REQUEST = b"dhcp4"
"""Userdata of packet-ins that carry a client's DHCPv4 message."""
DHCPV6_REQUEST = b"dhcp6"
"""Userdata of packet-ins that carry a client's DHCPv6 message."""
ROUTER_SOLICITATION = b"rs"
"""Userdata of packet-ins that carry a router solicitation."""

_DHCPV4: Conditions = {**IPV4, Field.IP_PROTO: IpProto.UDP, Field.UDP_SRC: 68, Field.UDP_DST: 67}
_DHCPV6: Conditions = {
    **IPV6,
    Field.IPV6_DST: IPv6Address("ff02::1:2"),  # all servers and relay agents (RFC 8415 7.1)
    Field.IP_PROTO: IpProto.UDP,
    Field.UDP_SRC: 546,
    Field.UDP_DST: 547,
}


@dataclass(frozen=True, slots=True)
class AutoconfigurationView:
    """A network and what is answered in it."""

    network_id: str
    network_key: int
    dhcpv4: bool
    dhcpv6: bool
    router_discovery: bool


def project(reader: Reader, unit: UnitId) -> AutoconfigurationView | None:
    """Read the modes of a network's subnets."""
    network = reader.get(Network, unit[0])
    if network is None:
        return None
    subnets = list(reader.members(Subnet, "network", network.id))
    return AutoconfigurationView(
        network.id,
        network.key,
        any(map(serves_dhcpv4, subnets)),
        any(map(serves_dhcpv6, subnets)),
        any(map(advertises, subnets)),
    )


def build(view: AutoconfigurationView) -> Output:
    """At most three flows, the same on all hosts of the network."""
    flows = tuple(_flows(view))
    if not flows:
        return Output()
    fragment = Fragment(("autoconfiguration", view.network_id), flows)
    return Output((fragment.to(network_audience(view.network_id)),))


def _flows(view: AutoconfigurationView) -> list[Flow]:
    answered = (
        (view.dhcpv4, _DHCPV4, DHCPV4_REQUEST),
        (view.dhcpv6, _DHCPV6, DHCPV6_REQUEST),
        (view.router_discovery, neighbour(133), ROUTER_SOLICITATION),
    )
    mark = cookie(CookieClass.NETWORK, view.network_key)
    return [
        rule(Table.RESPOND, 300, {NETWORK: view.network_key, **asked}, mark, SendToController(userdata))
        for served, asked, userdata in answered
        if served
    ]
