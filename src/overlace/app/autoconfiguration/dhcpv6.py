"""DHCPv6 messages that switches hand over: find the port, let `protocols` decide, send the answer back."""

from collections import Counter
from ipaddress import IPv6Address, IPv6Network

import structlog

from overlace.app.autoconfiguration.extra_options import sendable
from overlace.app.autoconfiguration.requesting_port import back, requesting_port, subnets_of
from overlace.compiler.gateway import gateway_mac
from overlace.model.autoconfiguration import leases_ipv6, serves_dhcpv6
from overlace.model.network import Network
from overlace.model.port import Port
from overlace.model.snapshot import Snapshot
from overlace.protocols.dhcpv6_frames import respond
from overlace.protocols.dhcpv6_lease import Lease, Server
from overlace.wire.dhcpv6.named_options import parse_extra_options
from overlace.wire.errors import MalformedError
from overlace.wire.openflow.messages import PacketIn, PacketOut

log = structlog.get_logger(__name__)


def answer(snapshot: Snapshot, host: str, packet: PacketIn, outcomes: Counter[str]) -> PacketOut | None:
    """The packet-out that answers a client on `host`, or None when there is nothing to say; counts outcomes."""
    port = requesting_port(snapshot, host, packet)
    offer = None if port is None else lease_of(snapshot, port)
    if port is None or offer is None:
        outcomes["unknown port"] += 1
        return None
    try:
        response = respond(packet.frame, *offer)
    except MalformedError as error:
        outcomes["malformed"] += 1
        log.info("dhcpv6 message cannot be read", host=host, port=port.id, reason=str(error))
        return None
    outcomes[response.outcome] += 1
    log.debug("dhcpv6", host=host, port=port.id, outcome=response.outcome, reason=response.reason)
    return None if response.frame is None else back(packet, response.frame)


def lease_of(snapshot: Snapshot, port: Port) -> tuple[Lease, Server] | None:
    """What the port's subnets with DHCPv6 give it, and who says so; None without any."""
    network = snapshot.get(Network, port.network_id)
    served = [subnet for subnet in subnets_of(snapshot, port) if serves_dhcpv6(subnet)]
    if network is None or not served:
        return None
    leased = {subnet.id for subnet in served if leases_ipv6(subnet)}
    addresses = (each.ip_address for each in port.fixed_ips if each.subnet_id in leased)
    servers = dict.fromkeys(each for subnet in served for each in subnet.dns_nameservers)
    lease = Lease(
        addresses=tuple(each for each in addresses if isinstance(each, IPv6Address)),
        prefixes=tuple(subnet.cidr for subnet in served if isinstance(subnet.cidr, IPv6Network)),
        dns_servers=tuple(each for each in servers if isinstance(each, IPv6Address)),
        extra=parse_extra_options(sendable(port, 6, parse_extra_options)),
    )
    return lease, Server(gateway_mac(network.key))
