"""The MTU of a network: what the narrowest site carries, less what the technology adds."""

from collections.abc import Iterable

from overlace.model.site import Host, Site
from overlace.northbound.errors import Conflict, InvalidInput
from overlace.northbound.resources.base import Operation

_SMALLEST = {4: 68, 6: 1280}
"""What a link must carry, by IP version (RFC 791, RFC 8200)."""


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
    carriages = [operation.configuration.carriages[each] for each in network_types]
    overheads = (each.overhead_ipv6 if six else each.overhead_ipv4 for each in carriages)
    return underlay - max(overheads, default=0)


def network_mtu(operation: Operation, wanted: int, network_types: Iterable[str]) -> int:
    """The wanted MTU, or the largest one when it is 0. Raises InvalidInput above that."""
    largest = largest_mtu(operation, network_types)
    if wanted > largest:
        raise InvalidInput(f"Requested MTU is too big, maximum is {largest}")
    return wanted or largest


def refuse_narrow(mtu: int, ip_versions: Iterable[int]) -> None:
    """Raise Conflict when a network of this MTU cannot have subnets of these versions."""
    for version in ip_versions:
        if mtu < _SMALLEST[version]:
            raise Conflict(
                "NetworkMTUSubnetConflict",
                f"The MTU {mtu} is too small for a subnet of IPv{version}, which needs {_SMALLEST[version]}.",
            )
