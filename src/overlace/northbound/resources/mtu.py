"""The MTU of a network: what the narrowest site carries, less what the technology adds."""

from collections.abc import Iterable

from overlace.model.site import Host, Site
from overlace.model.underlay import Room, room
from overlace.northbound.errors import Conflict, InvalidInput
from overlace.northbound.resources.base import Operation

_SMALLEST = {4: 68, 6: 1280}
"""What a link must carry, by IP version (RFC 791, RFC 8200)."""


def largest_mtu(operation: Operation, network_types: Iterable[str]) -> Room:
    """The largest IP packet that reaches every site inside all these technologies."""
    return room(
        operation.transaction.all(Site),
        operation.transaction.all(Host),
        [operation.configuration.carriages[each] for each in network_types],
        operation.configuration.default_underlay_mtu,
    )


def network_mtu(operation: Operation, wanted: int, network_types: Iterable[str]) -> int:
    """The wanted MTU, or the largest one when it is 0. Raises InvalidInput above that."""
    largest = largest_mtu(operation, network_types)
    if wanted > largest.mtu:
        raise InvalidInput(f"Requested MTU is too big, maximum is {largest.mtu} ({largest.because})")
    return wanted or largest.mtu


def refuse_narrow(mtu: int, ip_versions: Iterable[int]) -> None:
    """Raise Conflict when a network of this MTU cannot have subnets of these versions."""
    for version in ip_versions:
        if mtu < _SMALLEST[version]:
            raise Conflict(
                "NetworkMTUSubnetConflict",
                f"The MTU {mtu} is too small for a subnet of IPv{version}, which needs {_SMALLEST[version]}.",
            )
