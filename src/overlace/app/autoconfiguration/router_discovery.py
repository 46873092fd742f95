"""Router discovery: what the network of a port says about its IPv6 prefixes, from the snapshot."""

from ipaddress import IPv6Address, IPv6Network

from overlace.app.autoconfiguration.service import Reply, Service
from overlace.compiler.gateway import gateway_mac
from overlace.model.autoconfiguration import advertises, has_other_configuration, is_autonomous, is_managed
from overlace.model.network import Network, Subnet
from overlace.model.port import Port
from overlace.model.snapshot import Snapshot
from overlace.protocols.router_advertisement import LinkFacts, OnLinkPrefix, respond


def facts_of(snapshot: Snapshot, port: Port) -> LinkFacts | None:
    """What the subnets of its network that are advertised say together; None where none is."""
    network = snapshot.get(Network, port.network_id)
    members = snapshot.members(Subnet, "network", port.network_id)
    subnets = sorted((subnet for subnet in members if advertises(subnet)), key=lambda each: each.cidr)
    if network is None or not subnets:
        return None
    servers = dict.fromkeys(each for subnet in subnets for each in subnet.dns_nameservers)
    return LinkFacts(
        mac=gateway_mac(network.key),
        prefixes=tuple(
            OnLinkPrefix(subnet.cidr, is_autonomous(subnet))
            for subnet in subnets
            if isinstance(subnet.cidr, IPv6Network)
        ),
        managed=any(map(is_managed, subnets)),
        other=any(map(has_other_configuration, subnets)),
        mtu=network.mtu or None,
        dns_servers=tuple(each for each in servers if isinstance(each, IPv6Address)),
    )


def _respond(frame: bytes, facts: LinkFacts) -> Reply:
    return Reply(respond(frame, facts), "advertised")


ROUTER_DISCOVERY = Service("router_solicitation", facts_of, _respond)
