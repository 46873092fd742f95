"""Where a guest would send a packet for a destination: the next hop's MAC, and the IP addresses of both ends."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from overlace.compiler.gateway import gateway_mac
from overlace.compiler.tracing.question import Question
from overlace.compiler.tracing.scope import Scope
from overlace.kit.addresses import BROADCAST, IPAddress, parse_mac
from overlace.model.network import Network, Subnet
from overlace.model.port import Port

_ALL_NODES = IPv6Address("ff02::1")
_LIMITED_BROADCAST = IPv4Address("255.255.255.255")


@dataclass(frozen=True, slots=True)
class Ends:
    """The addresses of a packet. `mac` None: a guest would ask for `destination` in vain, and send nothing more.

    `port` is the port that the packet is meant for, where there is one.
    """

    source: IPAddress
    destination: IPAddress
    mac: int | None
    port: Port | None = None


class Resolver:
    """Finds the ends for questions about one source port."""

    def __init__(self, scope: Scope, source: Port, question: Question) -> None:
        self._scope = scope
        self._source = source
        self._question = question

    def ends(self) -> Ends:
        """Raises ValueError when a port has no address of the family, and UnknownObjectError."""
        word = self._question.destination or "broadcast"
        if word == "broadcast":
            return self._group(_LIMITED_BROADCAST if self._version(4, 6) == 4 else _ALL_NODES)
        if (address := _address(word)) is not None:
            return self._address(address)
        if (mac := _mac(word)) is not None:
            return self._mac(mac)
        return self._port(self._scope.port(word))

    def _port(self, port: Port) -> Ends:
        mine, theirs = _versions(self._source), _versions(port)
        common = [version for version in (4, 6) if version in mine & theirs]
        version = self._question.ip_version or (common[0] if common else None)
        address = _of_version(port, version)
        if version is None or address is None:
            raise ValueError(f"the ports have no address of IPv{version or '4 or 6'} in common")
        if port.network_id != self._source.network_id:
            return self._address(address)
        return Ends(self._source_address(version), address, port.mac_address, port)

    def _address(self, address: IPAddress) -> Ends:
        if self._question.ip_version not in (None, address.version):
            raise ValueError(f"{address} is no IPv{self._question.ip_version} address")
        if address.is_multicast or address == _LIMITED_BROADCAST:
            return self._group(address)
        source = self._source_address(address.version)
        owner = self._owner(address)
        if owner is not None:
            return Ends(source, address, owner.mac_address, owner)
        subnet = self._subnet(address)
        if subnet is not None and subnet.gateway_ip != address:
            return Ends(source, address, None)
        return Ends(source, address, *self._next_hop(subnet, source))

    def _next_hop(self, subnet: Subnet | None, source: IPAddress) -> tuple[int, Port | None]:
        """The gateway of the subnet that the packet leaves by."""
        leaving = subnet or self._subnet(source)
        gateway = leaving.gateway_ip if leaving is not None else None
        if gateway is None:
            raise ValueError(f"{self._question.destination} is off the subnet, which has no gateway")
        owner = self._owner(gateway)
        network = self._scope.snapshot.get(Network, self._source.network_id)
        if owner is not None:
            return owner.mac_address, owner
        return gateway_mac(network.key if network is not None else 0), None

    def _mac(self, mac: int) -> Ends:
        owners = self._scope.snapshot.members(Port, "mac", self._source.network_id, mac)
        owner = next(owners, None)
        version = self._version(4, 6)
        source = self._source_address(version)
        address = _of_version(owner, version) if owner is not None else None
        return Ends(source, address or self._some_neighbour(source), mac, owner)

    def _some_neighbour(self, source: IPAddress) -> IPAddress:
        subnet = self._subnet(source)
        gateway = subnet.gateway_ip if subnet is not None else None
        return gateway or source

    def _group(self, address: IPAddress) -> Ends:
        source = self._source_address(address.version)
        if address == _LIMITED_BROADCAST:
            return Ends(source, address, BROADCAST)
        low = int(address) & (0x7FFFFF if address.version == 4 else 0xFFFFFFFF)
        return Ends(source, address, (0x01005E000000 if address.version == 4 else 0x333300000000) | low)

    def _version(self, *preferred: int) -> int:
        if self._question.ip_version is not None:
            return self._question.ip_version
        mine = _versions(self._source)
        return next((version for version in preferred if version in mine), preferred[0])

    def _source_address(self, version: int) -> IPAddress:
        if self._question.source_ip is not None:
            address = _address(self._question.source_ip)
            if address is None or address.version != version:
                raise ValueError(f"'source_ip' {self._question.source_ip!r} is no IPv{version} address")
            return address
        own = _of_version(self._source, version)
        if own is None:
            raise ValueError(f"port {self._source.name or self._source.id} has no IPv{version} address")
        return own

    def _owner(self, address: IPAddress) -> Port | None:
        owners = self._scope.snapshot.members(Port, "address", self._source.network_id, address)
        return next(owners, None)

    def _subnet(self, address: IPAddress) -> Subnet | None:
        subnets = self._scope.snapshot.members(Subnet, "network", self._source.network_id)
        return next((each for each in subnets if address in each.cidr), None)


def _versions(port: Port) -> set[int]:
    return {each.ip_address.version for each in port.fixed_ips}


def _of_version(port: Port, version: int | None) -> IPAddress | None:
    addresses = (each.ip_address for each in port.fixed_ips)
    return next((address for address in addresses if address.version == version), None)


def _address(word: str) -> IPAddress | None:
    try:
        return ip_address(word)
    except ValueError:
        return None


def _mac(word: str) -> int | None:
    try:
        return parse_mac(word)
    except ValueError:
        return None
