"""Who may reach whom: what the API's words mean, said plainly. Nothing here knows tables or the compiler.

`Meaning.receivers` answers for one frame of one conversation. A port's firewall remembers, for the conversation
at hand, which way it was when it was first permitted; what goes the other way is a reply.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_address

from tests.compiler.proof.addressing import (
    NEIGHBOUR_MESSAGES,
    UNTRACKED,
    as_prefix,
    destination_address,
    is_fragment,
    source_address,
    version_of,
)

from overlace.compiler.pipeline import PHYSICAL_OFPORT
from overlace.compiler.reader import World
from overlace.datapath.fields import VLAN_PRESENT, EthType, Field, IpProto
from overlace.datapath.interpreter import Packet
from overlace.kit.addresses import IPAddress, IPNetwork, is_multicast, link_local_address
from overlace.model.network import Network, Segment, Subnet
from overlace.model.policy import Direction, EtherType, SecurityGroup, SecurityGroupRule
from overlace.model.port import Binding, BindingState, Port
from overlace.model.site import Host

F = Field
_NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1, "ipv6-icmp": 58, "sctp": 132}
_PORTS = {6: F.TCP_DST, 17: F.UDP_DST, 132: F.SCTP_DST}


class Way(Enum):
    """The direction of a frame in its conversation."""

    FORTH = 1
    BACK = 2


@dataclass(frozen=True)
class Said:
    """A frame of a conversation; `begins`: it may be its first; `is_error`: an ICMP error about it."""

    packet: Packet
    way: Way = Way.FORTH
    begins: bool = True
    is_error: bool = False


Outside = tuple[str, int, int]
"""A host, the number of its patch port into a physical network, and a VLAN there; 0 for untagged frames."""


@dataclass(frozen=True)
class Outcome:
    """Who gets the frame, as (host, port id); whether the switch answers it itself, whether DHCP is asked."""

    receivers: frozenset[tuple[str, str]] = frozenset()
    answered: bool = False
    punted: bool = False
    outside: Outside | None = None
    """The way by which it leaves into a physical network."""


_NOBODY = Outcome()


class Meaning:
    """The meaning of one world. `memory` is that of the conversation at hand: clear it between two."""

    def __init__(self, world: World) -> None:
        self._snapshot = world.snapshot
        self._ofports = world.observations.ofports
        self._lost = world.observations.lost
        self.memory: dict[str, Way] = {}

    def outcome(self, sender: Binding, said: Said) -> Outcome:
        """What comes of a frame that leaves the interface of an active binding."""
        port, network = self._port(sender.port_id), self._snapshot.get(Network, sender.network_id)
        assert port is not None and network is not None
        packet = said.packet
        if not self._is_on(port, network) or packet[F.VLAN_TCI] & VLAN_PRESENT:
            return _NOBODY
        if port.port_security_enabled and not may_send(port, packet):
            return _NOBODY
        if self._is_answered(port, packet):
            return Outcome(answered=True)
        if self._is_asked_of_the_controller(port, packet):
            return Outcome(punted=True)
        if not self._passes(port, Direction.EGRESS, said):
            return _NOBODY
        reached = self._destinations(network.id, sender.host_id, packet)
        heard = [each for each in reached if self._hears(each) and each != sender]
        outside = self._outside(network, packet) if packet[F.ETH_SRC] in self._own_macs(network) else None
        return Outcome(self._admitted(heard, said), outside=outside)

    def outcome_from_outside(self, way: Outside, said: Said) -> Outcome:
        """What comes of a frame from a physical network: whoever has the frame's tag there has it."""
        network = next((n for n in self._snapshot.all(Network) if self._gateway(n) == way), None)
        packet = said.packet
        if network is None or packet[F.ETH_SRC] in self._own_macs(network):
            return _NOBODY
        reached = [each for each in self._destinations(network.id, way[0], packet) if self._hears(each)]
        return Outcome(self._admitted(reached, said))

    def _admitted(self, reached: Iterable[Binding], said: Said) -> frozenset[tuple[str, str]]:
        return frozenset(
            (each.host_id, each.port_id)
            for each in reached
            if self._passes(self._known(each.port_id), Direction.INGRESS, said)
        )

    # Physical networks

    def ways_in(self) -> list[tuple[Outside, str]]:
        """Where frames come in from physical networks, and to which network."""
        networks = sorted(self._snapshot.all(Network), key=lambda each: each.id)
        return [(way, each.id) for each in networks if (way := self._gateway(each)) is not None]

    def _own_macs(self, network: Network) -> set[int]:
        return {
            mac for each in self._snapshot.members(Port, "network", network.id) for mac in identities(each)
        }

    def _outside(self, network: Network, packet: Packet) -> Outside | None:
        """A group address is everyone's outside as well, and one that is no port's may be somebody's there."""
        to = packet[F.ETH_DST]
        ports = list(self._snapshot.members(Port, "network", network.id))
        served = {mac for each in ports if self._is_somewhere(each) for mac in identities(each)}
        owned = {int(each.mac_address) for each in ports}
        inside = to in {int(each.mac_address) for each in ports if self._is_somewhere(each)}
        inside = inside or (to in served and to not in owned)
        return None if inside and not is_multicast(to) else self._gateway(network)

    def _gateway(self, network: Network) -> Outside | None:
        """The first host that is heard and has a bridge there."""
        segments = self._snapshot.members(Segment, "network", network.id)
        there = next((each for each in segments if each.physical_network), None)
        if there is None or not network.admin_state_up:
            return None
        hosts = [each for each in self._snapshot.all(Host) if each.id not in self._lost]
        for host in sorted(hosts, key=lambda each: each.key):
            for bridge in host.physical_networks:
                if bridge.physical_network == there.physical_network:
                    return host.id, PHYSICAL_OFPORT + bridge.number, there.segmentation_id or 0
        return None

    # Where it goes

    def _destinations(self, network_id: str, here: str, packet: Packet) -> Iterator[Binding]:
        """A group address is everyone in the network; any other is the port that has it, where it is
        served; one that no port has, all ports that are allowed it."""
        everyone = is_multicast(packet[F.ETH_DST])
        owned = any(self._snapshot.members(Port, "mac", network_id, packet[F.ETH_DST]))
        for port in self._snapshot.members(Port, "network", network_id):
            for binding in self._snapshot.members(Binding, "port", port.id):
                active = binding.state is BindingState.ACTIVE
                arriving = binding.state is BindingState.PREPARED and binding.host_id != here
                if port.mac_address == packet[F.ETH_DST]:
                    meant = binding == self._served_at(port)[0]
                else:
                    moving = arriving and self._is_somewhere(port)
                    meant = (active or moving) and not owned and packet[F.ETH_DST] in identities(port)
                if (meant and port.admin_state_up) or (everyone and (active or arriving)):
                    yield binding

    def _served_at(self, port: Port) -> tuple[Binding | None, str | None]:
        """Where frames to the port end, and the host by whose way if it is another: the active binding, or while its
        interface is gone and a move is prepared, the prepared one by way of the active one's host."""
        bindings = sorted(self._snapshot.members(Binding, "port", port.id), key=lambda each: each.host_id)
        active = next((each for each in bindings if each.state is BindingState.ACTIVE), None)
        prepared = next((each for each in bindings if each.state is BindingState.PREPARED), None)
        if active is None or prepared is None or (active.host_id, port.id) in self._ofports:
            return active, None
        return prepared, active.host_id

    def by_way_of(self, network_id: str, packet: Packet) -> set[str]:
        """The hosts that send a frame on to where its port is served."""
        ports = self._snapshot.members(Port, "network", network_id)
        ways = (self._served_at(port)[1] for port in ports if port.mac_address == packet[F.ETH_DST])
        return {host for host in ways if host is not None}

    def _hears(self, binding: Binding) -> bool:
        port = self._known(binding.port_id)
        network = self._snapshot.get(Network, binding.network_id)
        plugged = (binding.host_id, binding.port_id) in self._ofports
        return network is not None and self._is_on(port, network) and plugged

    def _is_on(self, port: Port, network: Network) -> bool:
        return port.admin_state_up and network.admin_state_up

    # What the switch answers itself

    def _is_answered(self, asker: Port, packet: Packet) -> bool:
        if packet[F.ETH_TYPE] == EthType.ARP and packet[F.ARP_OP] == 1:
            return self._is_known(asker, IPv4Address(packet[F.ARP_TPA]))
        if packet[F.IP_PROTO] == IpProto.ICMPV6 and packet[F.ICMPV6_TYPE] == 135:
            return self._is_known(asker, IPv6Address(packet[F.ND_TARGET]))
        return False

    def _is_asked_of_the_controller(self, asker: Port, packet: Packet) -> bool:
        """A host asks for its configuration, and a subnet of its network has it."""
        subnets = [
            each
            for each in self._snapshot.members(Subnet, "network", asker.network_id)
            if each.enable_dhcp and each.ip_version == version_of(packet)
        ]
        ports = (packet[F.UDP_SRC], packet[F.UDP_DST]) if packet[F.IP_PROTO] == IpProto.UDP else None
        if packet[F.ETH_TYPE] == EthType.IPV4:
            return ports == (68, 67) and bool(subnets)
        if packet[F.IP_PROTO] == IpProto.ICMPV6 and packet[F.ICMPV6_TYPE] == 133:
            return any(each.ipv6_ra_mode for each in subnets)
        if ports != (546, 547) or destination_address(packet) != IPv6Address("ff02::1:2"):
            return False
        own = ("dhcpv6-stateful", "dhcpv6-stateless")
        return any(
            each.ipv6_address_mode in own or {each.ipv6_ra_mode, each.ipv6_address_mode} == {None}
            for each in subnets
        )

    def _is_known(self, asker: Port, address: IPAddress) -> bool:
        """Another port has the address and is somewhere; or it is the gateway's, and no port has it."""
        owners = list(self._snapshot.members(Port, "address", asker.network_id, address))
        if owners:
            return asker not in owners and any(self._is_somewhere(port) for port in owners)
        segments = self._snapshot.members(Segment, "network", asker.network_id)
        if any(each.physical_network for each in segments):
            return False  # the router is out there
        subnets = self._snapshot.members(Subnet, "network", asker.network_id)
        return any(subnet.gateway_ip == address for subnet in subnets)

    def _is_somewhere(self, port: Port) -> bool:
        bindings = self._snapshot.members(Binding, "port", port.id)
        return port.admin_state_up and any(each.state is BindingState.ACTIVE for each in bindings)

    # Security groups

    def _passes(self, port: Port, direction: Direction, said: Said) -> bool:
        """What a port's firewall says, and remembers."""
        if not port.port_security_enabled or version_of(said.packet) == 0 or is_untracked(said.packet):
            return True
        if self._is_stateless(port):
            return self._is_permitted(port, direction, said.packet)
        known = self.memory.get(port.id)
        if known is not None and (known is not said.way or said.is_error):
            return True
        if known is None and (said.is_error or not said.begins):
            return False
        if not self._is_permitted(port, direction, said.packet):
            return False
        self.memory[port.id] = said.way
        return True

    def _is_stateless(self, port: Port) -> bool:
        """Only where all groups are: each packet is then judged by itself."""
        groups = [self._snapshot.get(SecurityGroup, name) for name in port.security_groups]
        return bool(groups) and not any(group is not None and group.stateful for group in groups)

    def _is_permitted(self, port: Port, direction: Direction, packet: Packet) -> bool:
        return any(
            rule.direction is direction and self._permits(rule, packet)
            for group in port.security_groups
            for rule in self._snapshot.members(SecurityGroupRule, "security_group", group)
        )

    def _permits(self, rule: SecurityGroupRule, packet: Packet) -> bool:
        version = 4 if rule.ethertype is EtherType.IPV4 else 6
        if version_of(packet) != version:
            return False
        remote = source_address if rule.direction is Direction.INGRESS else destination_address
        if rule.remote_ip_prefix is not None and remote(packet) not in rule.remote_ip_prefix:
            return False
        if rule.remote_group_id and not self._is_member(rule.remote_group_id, remote(packet)):
            return False
        return _is_of_protocol(rule, packet)

    def _is_member(self, group: str, address: IPAddress) -> bool:
        if self._snapshot.get(SecurityGroup, group) is None:
            return False
        members = self._snapshot.members(Port, "security_group", group)
        return any(address in prefix for port in members for prefix in member_prefixes(port))

    # The rest

    def _port(self, port_id: str) -> Port | None:
        return self._snapshot.get(Port, port_id)

    def _known(self, port_id: str) -> Port:
        port = self._port(port_id)
        assert port is not None
        return port


def is_untracked(packet: Packet) -> bool:
    """Neighbour discovery and multicast listener messages, which no rule needs to permit."""
    return packet[F.IP_PROTO] == IpProto.ICMPV6 and packet[F.ICMPV6_TYPE] in UNTRACKED


def identities(port: Port) -> dict[int, list[IPNetwork]]:
    """The MAC addresses that a port may use, and for each the addresses."""
    found: dict[int, list[IPNetwork]] = {
        port.mac_address: [as_prefix(ip.ip_address) for ip in port.fixed_ips]
    }
    for pair in port.allowed_address_pairs:
        mac = port.mac_address if pair.mac_address is None else pair.mac_address
        found.setdefault(mac, []).append(pair.ip_address)
    return found


def member_prefixes(port: Port) -> list[IPNetwork]:
    """The addresses by which a port counts as a member of its groups."""
    return [prefix for prefixes in identities(port).values() for prefix in prefixes]


def may_send(port: Port, packet: Packet) -> bool:
    """Port security: a port sends as itself, and is neither DHCP server nor router."""
    prefixes = identities(port).get(packet[F.ETH_SRC])
    if prefixes is None:
        return False
    match packet[F.ETH_TYPE]:
        case EthType.RARP:
            return True
        case EthType.ARP:
            sender = IPv4Address(packet[F.ARP_SPA])
            probes = sender == IPv4Address(0) and any(prefix.version == 4 for prefix in prefixes)
            return packet[F.ARP_SHA] == packet[F.ETH_SRC] and (probes or _in_any(sender, prefixes))
        case EthType.IPV4:
            asks = source_address(packet) == IPv4Address(0) and (packet[F.UDP_SRC], packet[F.UDP_DST]) == (
                68,
                67,
            )
            serves = (packet[F.UDP_SRC], packet[F.UDP_DST]) == (67, 68)
            return not serves and (asks or _in_any(source_address(packet), prefixes))
        case EthType.IPV6:
            own = [*prefixes, as_prefix(link_local_address(packet[F.ETH_SRC]))]
            return _may_send_ipv6(own, packet)
    return False


def _may_send_ipv6(own: list[IPNetwork], packet: Packet) -> bool:
    source, kind = source_address(packet), packet[F.ICMPV6_TYPE] if packet[F.IP_PROTO] == 58 else None
    if (packet[F.UDP_SRC], packet[F.UDP_DST]) == (547, 546) or kind in (134, 137):
        return False
    if kind in NEIGHBOUR_MESSAGES:
        target = ip_address(packet[F.ND_TARGET].to_bytes(16, "big"))
        claimed = packet[F.ND_SLL] if kind == 135 else packet[F.ND_TLL]
        if kind == 135 and source == IPv6Address(0):
            return _in_any(target, own)
        owns_target = kind == 135 or _in_any(target, own)
        return _in_any(source, own) and owns_target and claimed in (0, packet[F.ETH_SRC])
    if kind in (131, 132, 133, 143) and source == IPv6Address(0):
        return True
    return _in_any(source, own)


def _in_any(address: IPAddress, prefixes: list[IPNetwork]) -> bool:
    return any(address in prefix for prefix in prefixes)


def _is_of_protocol(rule: SecurityGroupRule, packet: Packet) -> bool:
    if rule.protocol in (None, "any"):
        return True
    number = int(rule.protocol) if str(rule.protocol).isdigit() else _NUMBERS[str(rule.protocol)]
    if number == 1 and rule.ethertype is EtherType.IPV6:
        number = 58
    if packet[F.IP_PROTO] != number:
        return False
    low, high = rule.port_range_min, rule.port_range_max
    if number in (1, 58):
        kind, code = (F.ICMPV4_TYPE, F.ICMPV4_CODE) if number == 1 else (F.ICMPV6_TYPE, F.ICMPV6_CODE)
        return low in (None, packet[kind]) and high in (None, packet[code])
    if low is None or number not in _PORTS:
        return True
    return not is_fragment(packet) and low <= packet[_PORTS[number]] <= (low if high is None else high)
