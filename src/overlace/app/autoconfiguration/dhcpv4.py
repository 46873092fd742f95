"""DHCPv4 requests that switches hand over: find the port, let `protocols` decide, send the answer back."""

from collections import Counter
from ipaddress import IPv4Address, IPv4Network

import structlog

from overlace.app.autoconfiguration.extra_options import sendable
from overlace.app.autoconfiguration.requesting_port import back, requesting_port
from overlace.compiler.gateway import gateway_mac
from overlace.model.autoconfiguration import serves_dhcpv4
from overlace.model.network import Network, Subnet
from overlace.model.port import Port
from overlace.model.snapshot import Snapshot
from overlace.protocols.dhcpv4_frames import Response, respond
from overlace.protocols.dhcpv4_lease import LeaseOffer, ServerIdentity
from overlace.wire.dhcpv4.named_options import parse_extra_options
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
    lease, server = offer
    try:
        response: Response = respond(packet.frame, lease, server)
    except MalformedError as error:
        outcomes["malformed"] += 1
        log.info("dhcp request cannot be read", host=host, port=port.id, reason=str(error))
        return None
    outcomes[type(response.outcome).__name__.lower()] += 1
    log.debug("dhcp", host=host, port=port.id, outcome=str(response.outcome))
    return None if response.frame is None else back(packet, response.frame)


def lease_of(snapshot: Snapshot, port: Port) -> tuple[LeaseOffer, ServerIdentity] | None:
    """What the port's first IPv4 subnet with DHCP gives it, and from which address; None without one."""
    network = snapshot.get(Network, port.network_id)
    for fixed_ip in port.fixed_ips:
        subnet = snapshot.get(Subnet, fixed_ip.subnet_id)
        address = fixed_ip.ip_address
        if (
            network is None
            or subnet is None
            or not serves_dhcpv4(subnet)
            or not isinstance(address, IPv4Address)
        ):
            continue
        prefix = subnet.cidr
        router = subnet.gateway_ip if isinstance(subnet.gateway_ip, IPv4Address) else None
        lease = LeaseOffer(
            mac=port.mac_address,
            address=address,
            prefix_length=prefix.prefixlen,
            router=router,
            routes=tuple(
                (route.destination, route.nexthop)
                for route in subnet.host_routes
                if isinstance(route.destination, IPv4Network) and isinstance(route.nexthop, IPv4Address)
            ),
            dns_servers=tuple(each for each in subnet.dns_nameservers if isinstance(each, IPv4Address)),
            mtu=network.mtu or None,
            extra=parse_extra_options(sendable(port, 4, parse_extra_options)),
        )
        server = router if router is not None else IPv4Address(int(prefix.network_address) + 1)
        return lease, ServerIdentity(server, gateway_mac(network.key))
    return None
