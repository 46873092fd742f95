"""The inner order of a subnet: its gateway, its pools, and the modes of IPv6."""

from collections.abc import Mapping
from typing import Any

from overlace.kit.addresses import IPAddress, IPNetwork
from overlace.model.network import AllocationPool, Subnet
from overlace.northbound.errors import BadRequest, Conflict, InvalidInput

_SLAAC = ("slaac", "dhcpv6-stateless")


def first_address(cidr: IPNetwork) -> IPAddress:
    """The lowest address that a host may have: not the network's, unless there is no room for one."""
    return cidr.network_address if _tiny(cidr) else cidr.network_address + 1


def last_address(cidr: IPNetwork) -> IPAddress:
    """The highest address that a host may have: not the broadcast of IPv4."""
    return cidr.broadcast_address if cidr.version == 6 or _tiny(cidr) else cidr.broadcast_address - 1


def _tiny(cidr: IPNetwork) -> bool:
    return cidr.prefixlen >= cidr.max_prefixlen - 1


def chosen_gateway(given: Mapping[str, Any]) -> IPAddress | None:
    """The given gateway (null: none), or the first address. An IPv6 /128 or IPv4 /32 has none."""
    if "gateway_ip" in given:
        gateway: IPAddress | None = given["gateway_ip"]
        return gateway
    cidr: IPNetwork = given["cidr"]
    if cidr.prefixlen == cidr.max_prefixlen:
        return None
    return first_address(cidr)


def chosen_pools(given: Mapping[str, Any]) -> tuple[AllocationPool, ...]:
    """The given pools, or all addresses but the gateway."""
    pools: tuple[AllocationPool, ...] = given.get("allocation_pools", ())
    if pools:
        return tuple(sorted(pools, key=lambda pool: int(pool.start)))
    cidr: IPNetwork = given["cidr"]
    first, last = first_address(cidr), last_address(cidr)
    gateway: IPAddress | None = given["gateway_ip"]
    if gateway is None or gateway.version != cidr.version or not int(first) <= int(gateway) <= int(last):
        return (AllocationPool(first, last),)
    parts = []
    if gateway != first:
        parts.append(AllocationPool(first, gateway - 1))
    if gateway != last:
        parts.append(AllocationPool(gateway + 1, last))
    return tuple(parts)


def is_automatic(subnet: Subnet) -> bool:
    """Whether hosts make their address themselves from their MAC (SLAAC)."""
    return subnet.ipv6_address_mode in _SLAAC


def validate_layout(subnet: Subnet) -> None:
    """Raise what the networking API raises about a subnet that contradicts itself."""
    if subnet.cidr.version != subnet.ip_version:
        raise InvalidInput(
            f"ip_version '{subnet.ip_version}' does not match the version of cidr '{subnet.cidr}'"
        )
    if subnet.cidr.prefixlen == 0:
        raise InvalidInput("0 is not allowed as CIDR prefix length")
    _validate_gateway(subnet)
    _validate_pools(subnet)
    _validate_modes(subnet)
    for address in subnet.dns_nameservers:
        if address.version != subnet.ip_version:
            raise InvalidInput(
                f"dns_nameserver '{address}' does not match the ip_version '{subnet.ip_version}'"
            )
    for route in subnet.host_routes:
        if {route.destination.version, route.nexthop.version} != {subnet.ip_version}:
            raise InvalidInput(f"host_route '{route.destination}' does not match the ip_version")


def _validate_gateway(subnet: Subnet) -> None:
    gateway = subnet.gateway_ip
    if gateway is None:
        return
    if gateway.version != subnet.ip_version:
        raise InvalidInput(f"gateway_ip '{gateway}' does not match the ip_version '{subnet.ip_version}'")
    unusable = {subnet.cidr.network_address}
    if subnet.ip_version == 4:
        unusable.add(subnet.cidr.broadcast_address)
    inside = gateway in subnet.cidr
    if subnet.ip_version == 4 and not inside and not gateway.is_link_local:
        raise InvalidInput("Gateway is not valid on subnet")
    if inside and gateway in unusable and not _tiny(subnet.cidr) and subnet.ip_version == 4:
        raise InvalidInput("Gateway is not valid on subnet")
    for pool in subnet.allocation_pools:
        if pool.start.version == gateway.version and int(pool.start) <= int(gateway) <= int(pool.end):
            raise Conflict(
                "GatewayConflictWithAllocationPools",
                f"Gateway ip {gateway} conflicts with allocation pool {pool.start}-{pool.end}.",
            )


def _validate_pools(subnet: Subnet) -> None:
    first, last = first_address(subnet.cidr), last_address(subnet.cidr)
    previous: AllocationPool | None = None
    for pool in sorted(subnet.allocation_pools, key=lambda each: int(each.start)):
        text = f"{pool.start}-{pool.end}"
        if {pool.start.version, pool.end.version} != {subnet.ip_version} or int(pool.end) < int(pool.start):
            raise BadRequest(f"The allocation pool {text} is not valid.", "InvalidAllocationPool")
        if int(pool.start) < int(first) or int(pool.end) > int(last):
            raise BadRequest(
                f"The allocation pool {text} spans beyond the subnet cidr {subnet.cidr}.",
                "OutOfBoundsAllocationPool",
            )
        if previous is not None and int(pool.start) <= int(previous.end):
            raise Conflict(
                "OverlappingAllocationPools",
                f"Found overlapping allocation pools: {previous.start}-{previous.end} {text} "
                f"for subnet {subnet.cidr}.",
            )
        previous = pool


def _validate_modes(subnet: Subnet) -> None:
    ra, address = subnet.ipv6_ra_mode, subnet.ipv6_address_mode
    if ra is None and address is None:
        return
    if subnet.ip_version == 4:
        raise InvalidInput("ipv6_ra_mode or ipv6_address_mode cannot be set when ip_version is set to 4")
    if not subnet.enable_dhcp:
        raise InvalidInput("ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False")
    if ra is not None and address is not None and ra != address:
        raise InvalidInput(
            f"ipv6_ra_mode set to '{ra}' with ipv6_address_mode set to '{address}' is not valid. "
            "If both attributes are set, they must be the same value"
        )
    if (address in _SLAAC or ra in _SLAAC) and subnet.cidr.prefixlen != 64:
        raise InvalidInput(
            f"Invalid CIDR {subnet.cidr} for IPv6 address mode. "
            "OpenStack uses the EUI-64 address format, which requires the prefix to be /64"
        )
