"""Addresses of ports: the asked ones, the lowest free ones of pools, and those that hosts make themselves.

The lowest free address of a subnet is looked for from where the last search ended; that place is a hint in
memory and nothing depends on it: an address is free when no port of the network has it, and a search that
reaches the end of the pools starts once more from their beginning.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv6Network, ip_address

from overlace.kit.addresses import IPAddress, Mac, eui64_address
from overlace.model.network import Subnet
from overlace.model.port import FixedIp, Port
from overlace.northbound.conversion.ports import RequestedIp
from overlace.northbound.errors import BadRequest, Conflict, NotFound
from overlace.northbound.intents import Reader
from overlace.northbound.resources.base import Operation
from overlace.northbound.resources.resting import refuse_resting, rest, resting
from overlace.northbound.resources.subnet_layout import is_automatic


@dataclass(frozen=True, slots=True)
class Holder:
    """The port that wants addresses; it may keep those that it has."""

    port_id: str
    network_id: str
    project_id: str

    def is_anothers(self, reader: Reader, address: IPAddress) -> bool:
        """Whether another port has it."""
        ports = reader.members(Port, "address", self.network_id, address)
        return any(each.id != self.port_id for each in ports)

    def may_be_given(self, reader: Reader, address: IPAddress, again: bool) -> bool:
        """Whether it is free; `again` if it may be one that rests, of the same project."""
        if self.is_anothers(reader, address):
            return False
        rests = resting(reader, self.network_id, address)
        return rests is None or (again and rests.project_id == self.project_id)


@dataclass(slots=True)
class AddressAllocation:
    """Chooses addresses; one instance for the life of the server, for the sake of its hints."""

    hints: dict[str, int] = field(default_factory=dict)

    def addresses(
        self, reader: Reader, holder: Holder, mac: Mac, requested: Iterable[RequestedIp] | None
    ) -> tuple[FixedIp, ...]:
        """The addresses of a port. `requested` None means: choose."""
        subnets = sorted(reader.members(Subnet, "network", holder.network_id), key=lambda each: each.id)
        if requested is None:
            return tuple(self._chosen(reader, subnets, mac, holder))
        taken: list[FixedIp] = []
        for wanted in requested:
            taken.append(self._granted(reader, holder, subnets, mac, wanted, taken))
        return tuple(taken)

    def release(self, fixed_ips: Iterable[FixedIp]) -> None:
        """Let the next search begin at these, if they are lower."""
        for fixed in fixed_ips:
            hint = self.hints.get(fixed.subnet_id)
            if hint is not None:
                self.hints[fixed.subnet_id] = min(hint, int(fixed.ip_address))

    def _chosen(self, reader: Reader, subnets: list[Subnet], mac: Mac, holder: Holder) -> Iterator[FixedIp]:
        """One address of version 4; of version 6 every automatic one, or one from a pool if there is none."""
        automatic = [each for each in subnets if is_automatic(each)]
        for version in (4, 6):
            pooled = [each for each in subnets if each.ip_version == version and not is_automatic(each)]
            if pooled:
                yield self._first_free(reader, pooled, holder, ())
        for subnet in automatic:
            yield _automatic(subnet, mac)

    def _first_free(
        self, reader: Reader, subnets: list[Subnet], holder: Holder, taken: Iterable[FixedIp]
    ) -> FixedIp:
        held = {each.ip_address for each in taken}
        for again in (False, True):  # what rests of the project's own, only when all else is taken
            for subnet in subnets:
                address = self._lowest(reader, subnet, holder, held, again)
                if address is not None:
                    return FixedIp(subnet.id, address)
        raise Conflict(
            "IpAddressGenerationFailure",
            f"No more IP addresses available on network {subnets[0].network_id}.",
        )

    def _lowest(
        self, reader: Reader, subnet: Subnet, holder: Holder, held: set[IPAddress], again: bool
    ) -> IPAddress | None:
        hint = self.hints.get(subnet.id, 0)
        for begin in (hint, 0) if hint else (0,):
            for number in _numbers(subnet, begin):
                address = ip_address(number) if subnet.ip_version == 4 else _six(number)
                if address not in held and holder.may_be_given(reader, address, again):
                    self.hints[subnet.id] = number + 1
                    return address
        return None

    def _granted(
        self,
        reader: Reader,
        holder: Holder,
        subnets: list[Subnet],
        mac: Mac,
        wanted: RequestedIp,
        taken: list[FixedIp],
    ) -> FixedIp:
        subnet = _subnet_of(wanted, subnets, holder.network_id, reader)
        if wanted.ip_address is None:
            if is_automatic(subnet):
                return _automatic(subnet, mac)
            return self._first_free(reader, [subnet], holder, taken)
        _refuse_unusable(subnet, wanted.ip_address, mac)
        same = any(each.ip_address == wanted.ip_address for each in taken)
        if same or holder.is_anothers(reader, wanted.ip_address):
            raise Conflict(
                "IpAddressAlreadyAllocated",
                f"IP address {wanted.ip_address} already allocated in subnet {subnet.id}",
            )
        refuse_resting(reader, holder.network_id, wanted.ip_address, holder.project_id)
        return FixedIp(subnet.id, wanted.ip_address)


def _six(number: int) -> IPAddress:
    return IPv6Network((number, 128)).network_address


def _numbers(subnet: Subnet, begin: int) -> Iterator[int]:
    for pool in subnet.allocation_pools:
        yield from range(max(int(pool.start), begin), int(pool.end) + 1)


def _subnet_of(wanted: RequestedIp, subnets: list[Subnet], network_id: str, reader: Reader) -> Subnet:
    if wanted.subnet_id is not None:
        found = next((each for each in subnets if each.id == wanted.subnet_id), None)
        if found is not None:
            if wanted.ip_address is not None and wanted.ip_address not in found.cidr:
                raise BadRequest(
                    f"IP address {wanted.ip_address} is not a valid IP for the specified subnet.",
                    "InvalidIpForSubnet",
                )
            return found
        if reader.get(Subnet, wanted.subnet_id) is None:
            raise NotFound("subnet", wanted.subnet_id)
        raise BadRequest(
            f"Failed to create port on network {network_id}, because fixed_ips included invalid subnet "
            f"{wanted.subnet_id}",
            "InvalidInput",
        )
    for each in subnets:
        if wanted.ip_address in each.cidr:
            return each
    raise BadRequest(
        f"IP address {wanted.ip_address} is not a valid IP for any of the subnets on the specified network.",
        "InvalidIpForNetwork",
    )


def _refuse_unusable(subnet: Subnet, address: IPAddress, mac: Mac) -> None:
    edges = {subnet.cidr.network_address}
    if subnet.ip_version == 4:
        edges.add(subnet.cidr.broadcast_address)
    if address in edges and subnet.cidr.prefixlen < subnet.cidr.max_prefixlen - 1:
        raise BadRequest(
            f"IP address {address} is not a valid IP for the specified subnet.", "InvalidIpForSubnet"
        )
    if is_automatic(subnet) and address != _automatic(subnet, mac).ip_address:
        raise BadRequest(
            f"IPv6 address {address} can not be directly assigned to a port on subnet {subnet.id} "
            "since the subnet is configured for automatic addresses",
            "AllocationOnAutoAddressSubnet",
        )


def _automatic(subnet: Subnet, mac: Mac) -> FixedIp:
    prefix = subnet.cidr
    assert isinstance(prefix, IPv6Network)
    return FixedIp(subnet.id, eui64_address(prefix, mac))


def add_automatic_addresses(operation: Operation, subnet: Subnet) -> None:
    """Give every port of the network its address in a new SLAAC subnet."""
    if not is_automatic(subnet):
        return
    for port in list(operation.transaction.members(Port, "network", subnet.network_id)):
        fixed = (*port.fixed_ips, _automatic(subnet, port.mac_address))
        operation.transaction.put(replace(port, fixed_ips=fixed))


def drop_automatic_addresses(operation: Operation, subnet: Subnet) -> None:
    """Take the addresses of a SLAAC subnet from the ports that have them."""
    if not is_automatic(subnet):
        return
    for port in list(operation.transaction.members(Port, "network", subnet.network_id)):
        kept = tuple(fixed for fixed in port.fixed_ips if fixed.subnet_id != subnet.id)
        if kept != port.fixed_ips:
            rest(operation.transaction, port, (each for each in port.fixed_ips if each not in kept))
            operation.transaction.put(replace(port, fixed_ips=kept))
