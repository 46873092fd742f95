"""Addresses, prefixes and what is made of them."""

import re
from ipaddress import ip_address, ip_network
from typing import Any

from overlace.kit.addresses import IPAddress, IPNetwork, Mac, format_mac, is_multicast, parse_mac
from overlace.model.network import AllocationPool, HostRoute
from overlace.model.site import PhysicalBridge, TunnelEndpoint
from overlace.northbound.conversion.kind import Kind
from overlace.northbound.conversion.scalars import between, one_of, or_none


def parse_ip(value: Any) -> IPAddress:
    """One IPv4 or IPv6 address."""
    try:
        return ip_address(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"'{value}' is not a valid IP address") from None


def parse_prefix(value: Any) -> IPNetwork:
    """A prefix whose host bits must be zero."""
    network = parse_loose_prefix(value)
    if "/" not in value or str(ip_address(value.split("/")[0])) != str(network.network_address):
        raise ValueError(f"'{value}' isn't a recognized IP subnet cidr, '{network}' is recommended")
    return network


def parse_loose_prefix(value: Any) -> IPNetwork:
    """A prefix or a single address; host bits are dropped."""
    try:
        return ip_network(value if isinstance(value, str) else "", strict=False)
    except ValueError:
        raise ValueError(f"'{value}' is not a valid IP subnet") from None


def parse_unicast_mac(value: Any) -> Mac:
    """A MAC address that an interface can have."""
    mac = parse_mac(value if isinstance(value, str) else str(value))
    if not mac or is_multicast(mac):
        raise ValueError(f"'{value}' is not a valid MAC address of an interface")
    return mac


def matches_mac(rendered: Any, wanted: str) -> bool:
    """Whatever the notation of the query."""
    return str(rendered) == wanted.lower().replace("-", ":")


def render_optional(value: object) -> str | None:
    """The text of an address or prefix, null for none."""
    return None if value is None else str(value)


def parse_ips(value: Any) -> tuple[IPAddress, ...]:
    """A list of distinct addresses; null means empty."""
    found = tuple(parse_ip(each) for each in _items(value))
    if len(set(found)) != len(found):
        raise ValueError(f"Duplicate items in the list: '{value}'")
    return found


def parse_pools(value: Any) -> tuple[AllocationPool, ...]:
    """A list of {"start", "end"}."""
    return tuple(
        AllocationPool(parse_ip(each.get("start")), parse_ip(each.get("end"))) for each in _records(value)
    )


def render_pools(pools: tuple[AllocationPool, ...]) -> list[dict[str, str]]:
    """As clients sent them."""
    return [{"start": str(pool.start), "end": str(pool.end)} for pool in pools]


def parse_routes(value: Any) -> tuple[HostRoute, ...]:
    """A list of {"destination", "nexthop"}."""
    return tuple(
        HostRoute(parse_prefix(each.get("destination")), parse_ip(each.get("nexthop")))
        for each in _records(value)
    )


def render_routes(routes: tuple[HostRoute, ...]) -> list[dict[str, str]]:
    """As clients sent them."""
    return [{"destination": str(route.destination), "nexthop": str(route.nexthop)} for route in routes]


def parse_endpoints(value: Any) -> tuple[TunnelEndpoint, ...]:
    """A list of {"address", "preference"}."""
    preference = between(0, 255)
    return tuple(
        TunnelEndpoint(parse_ip(each.get("address")), preference(each.get("preference", 0)))
        for each in _records(value)
    )


def render_endpoints(endpoints: tuple[TunnelEndpoint, ...]) -> list[dict[str, object]]:
    """As clients sent them."""
    return [{"address": str(each.address), "preference": each.preference} for each in endpoints]


_BRIDGE = re.compile(r"[^\s/]{1,15}")


def parse_physical_bridges(value: Any) -> tuple[PhysicalBridge, ...]:
    """A list of {"physical_network", "bridge"}."""
    found = []
    for each in _records(value):
        name, bridge = each.get("physical_network"), each.get("bridge")
        if not isinstance(name, str) or not 0 < len(name) <= 64:
            raise ValueError(f"'{name}' is not the name of a physical network (1 to 64 characters)")
        if not isinstance(bridge, str) or not _BRIDGE.fullmatch(bridge):
            raise ValueError(f"'{bridge}' is not the name of a bridge (1 to 15 characters)")
        found.append(PhysicalBridge(name, bridge))
    return tuple(found)


def render_physical_bridges(bridges: tuple[PhysicalBridge, ...]) -> list[dict[str, str]]:
    """As clients sent them."""
    return [{"physical_network": each.physical_network, "bridge": each.bridge} for each in bridges]


def _items(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(f"'{value}' is not a list")
    return value


def _records(value: Any) -> list[dict[str, Any]]:
    records = _items(value)
    for each in records:
        if not isinstance(each, dict):
            raise ValueError(f"'{each}' is not a dictionary")
    return records


def _texts(values: tuple[object, ...]) -> list[str]:
    return [str(each) for each in values]


_IPV6_MODE = one_of("dhcpv6-stateful", "dhcpv6-stateless", "slaac")

ADDRESSES = {
    "ip": Kind(parse_ip, str),
    "ip_or_none": Kind(or_none(parse_ip), render_optional),
    "cidr": Kind(parse_prefix, str),
    "prefix": Kind(or_none(parse_loose_prefix), render_optional),
    "mac": Kind(or_none(parse_unicast_mac), format_mac, matches_mac),
    "ips": Kind(parse_ips, _texts, lambda rendered, wanted: wanted in rendered),
    "pools": Kind(parse_pools, render_pools),
    "routes": Kind(parse_routes, render_routes),
    "endpoints": Kind(parse_endpoints, render_endpoints),
    "physical_bridges": Kind(parse_physical_bridges, render_physical_bridges),
    "ip_version": Kind(between(4, 6)),
    "ipv6_mode": Kind(or_none(_IPV6_MODE)),
}
