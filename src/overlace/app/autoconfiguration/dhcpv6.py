"""DHCPv6: the lease of a port, from the snapshot; what to say about it is decided in `protocols`."""

from ipaddress import IPv6Address, IPv6Network

from overlace.app.autoconfiguration.extra_options import sendable
from overlace.app.autoconfiguration.service import Reply, Service
from overlace.compiler.gateway import gateway_mac
from overlace.model.autoconfiguration import leases_ipv6, serves_dhcpv6
from overlace.model.network import Network, Subnet
from overlace.model.port import Port
from overlace.model.snapshot import Snapshot
from overlace.protocols.dhcpv6_frames import respond
from overlace.protocols.dhcpv6_lease import Lease, Server
from overlace.wire.dhcpv6.named_options import parse_extra_options


def lease_of(snapshot: Snapshot, port: Port) -> tuple[Lease, Server] | None:
    """What the port's subnets with DHCPv6 give it, and who says so; None without any."""
    network = snapshot.get(Network, port.network_id)
    served = [subnet for subnet in _subnets(snapshot, port) if serves_dhcpv6(subnet)]
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


def _subnets(snapshot: Snapshot, port: Port) -> list[Subnet]:
    """Those in which the port has addresses, in the order of these, each once."""
    named = (snapshot.get(Subnet, each) for each in dict.fromkeys(ip.subnet_id for ip in port.fixed_ips))
    return [subnet for subnet in named if subnet is not None]


def _respond(frame: bytes, facts: tuple[Lease, Server]) -> Reply:
    response = respond(frame, *facts)
    return Reply(response.frame, response.outcome, response.reason)


DHCPV6 = Service("dhcpv6", lease_of, _respond)
