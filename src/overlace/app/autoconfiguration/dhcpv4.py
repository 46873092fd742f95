"""DHCPv4: the lease of a port, from the snapshot; what to say about it is decided in `protocols`."""

from ipaddress import IPv4Address, IPv4Network

from overlace.app.autoconfiguration.extra_options import sendable
from overlace.app.autoconfiguration.service import Reply, Service
from overlace.compiler.gateway import gateway_mac
from overlace.model.autoconfiguration import serves_dhcpv4
from overlace.model.network import Network, Subnet
from overlace.model.port import Port
from overlace.model.snapshot import Snapshot
from overlace.protocols.dhcpv4_frames import respond
from overlace.protocols.dhcpv4_lease import LeaseOffer, ServerIdentity
from overlace.wire.dhcpv4.named_options import parse_extra_options


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


def _respond(frame: bytes, facts: tuple[LeaseOffer, ServerIdentity]) -> Reply:
    response = respond(frame, *facts)
    return Reply(response.frame, type(response.outcome).__name__.lower(), str(response.outcome))


DHCPV4 = Service("dhcp", lease_of, _respond)
