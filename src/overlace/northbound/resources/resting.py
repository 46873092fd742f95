"""Addresses that ports have given back rest until every host has heard of it, as numbers do.

A host that is away goes on permitting what comes from an address because a group had it as a member. The next holder
would be taken for the last one there: so none that rests is chosen, and another project does not get it even by name.
The project that had it may have it again, for it has nobody to hide from.
"""

from collections.abc import Iterable

from overlace.kit.addresses import IPAddress
from overlace.model.port import FixedIp, Port, RestingAddress
from overlace.model.site import Host
from overlace.northbound.errors import Conflict
from overlace.northbound.intents import Reader, Transaction


def rest(transaction: Transaction, port: Port, given_back: Iterable[FixedIp]) -> None:
    """Let addresses rest that were the port's until now. Without hosts nobody can hold them."""
    if next(iter(transaction.all(Host)), None) is None:
        return
    for fixed in given_back:
        transaction.put(
            RestingAddress(
                network_id=port.network_id,
                ip_address=fixed.ip_address,
                project_id=port.project_id,
                holder=port.key,
                since=transaction.now,
            )
        )


def wake(transaction: Transaction, network_id: str, taken: Iterable[FixedIp]) -> None:
    """What a port has now rests no more."""
    for fixed in taken:
        if resting(transaction, network_id, fixed.ip_address) is not None:
            transaction.delete(RestingAddress, f"{network_id}/{fixed.ip_address}")


def forget(transaction: Transaction, network_id: str) -> None:
    """The network is gone, and its key rests itself."""
    for each in list(transaction.members(RestingAddress, "network", network_id)):
        transaction.delete(RestingAddress, each.id)


def resting(reader: Reader, network_id: str, address: IPAddress) -> RestingAddress | None:
    """The rest of an address, if it rests."""
    return reader.get(RestingAddress, f"{network_id}/{address}")


def refuse_resting(reader: Reader, network_id: str, address: IPAddress, project_id: str) -> None:
    """Raise Conflict where it was another project's."""
    rests = resting(reader, network_id, address)
    if rests is not None and rests.project_id != project_id:
        raise Conflict(
            "IpAddressAlreadyAllocated",
            f"IP address {address} was another project's until now, and hosts may still take it for that one's. It is "
            "free once they all have heard of it, or those that are away were removed; choose another, or wait",
        )
