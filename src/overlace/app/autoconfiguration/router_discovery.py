"""Router solicitations that switches hand over: what the network says about its IPv6 prefixes, sent back."""

from collections import Counter
from ipaddress import IPv6Address, IPv6Network

import structlog

from overlace.app.autoconfiguration.requesting_port import back, requesting_port
from overlace.compiler.gateway import gateway_mac
from overlace.model.autoconfiguration import advertises, has_other_configuration, is_autonomous, is_managed
from overlace.model.network import Network, Subnet
from overlace.model.snapshot import Snapshot
from overlace.protocols.router_advertisement import LinkFacts, OnLinkPrefix, respond
from overlace.wire.errors import MalformedError
from overlace.wire.openflow.messages import PacketIn, PacketOut

log = structlog.get_logger(__name__)


def answer(snapshot: Snapshot, host: str, packet: PacketIn, outcomes: Counter[str]) -> PacketOut | None:
    """The packet-out that answers a host on `host`, or None when there is nothing to say; counts outcomes."""
    port = requesting_port(snapshot, host, packet)
    facts = None if port is None else facts_of(snapshot, port.network_id)
    if port is None or facts is None:
        outcomes["unknown port"] += 1
        return None
    try:
        advertisement = respond(packet.frame, facts)
    except MalformedError as error:
        outcomes["malformed"] += 1
        log.info("router solicitation cannot be read", host=host, port=port.id, reason=str(error))
        return None
    outcomes["advertised"] += 1
    return back(packet, advertisement)


def facts_of(snapshot: Snapshot, network_id: str) -> LinkFacts | None:
    """What the subnets of a network that are advertised say together; None where none is."""
    network = snapshot.get(Network, network_id)
    members = snapshot.members(Subnet, "network", network_id)
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
