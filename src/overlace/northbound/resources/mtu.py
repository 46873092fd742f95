"""The MTU of a network: what the narrowest site carries, less what the technology adds."""

from collections.abc import Iterable

from overlace.model.site import Host, Site
from overlace.northbound.errors import InvalidInput
from overlace.northbound.resources.base import Operation

SMALLEST_MTU = 68
"""Of an IPv4 link (RFC 791); a subnet of version 6 needs 1280 (RFC 8200)."""


def largest_mtu(operation: Operation, network_types: Iterable[str]) -> int:
    """The largest IP packet that reaches every site inside all these technologies."""
    underlay = min(
        (site.mtu for site in operation.transaction.all(Site)),
        default=operation.configuration.default_underlay_mtu,
    )
    six = any(
        endpoint.address.version == 6
        for host in operation.transaction.all(Host)
        for endpoint in host.endpoints
    )
    overheads = [operation.configuration.overheads[each] for each in network_types]
    return underlay - max((each.ipv6 if six else each.ipv4 for each in overheads), default=0)


def network_mtu(operation: Operation, wanted: int, network_types: Iterable[str]) -> int:
    """The wanted MTU, or the largest one when it is 0. Raises InvalidInput outside the limits."""
    largest = largest_mtu(operation, network_types)
    if wanted > largest:
        raise InvalidInput(f"Requested MTU is too big, maximum is {largest}")
    if 0 < wanted < SMALLEST_MTU:
        raise InvalidInput(f"Requested MTU is too small, minimum is {SMALLEST_MTU}")
    return wanted or largest
