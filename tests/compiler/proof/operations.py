"""What people, hosts and links do, one function each; all of them keep to what the API and the engine allow.

An operation that finds nothing to act on does nothing. Hypothesis and the soak draw from `OPERATIONS` alike.
"""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeVar

from tests.compiler.proof.choice import Choice
from tests.compiler.proof.cloud import HOSTS, Cloud

from overlace.compiler.reader import lost_key, silent_key
from overlace.kit.addresses import Mac
from overlace.model.declaration import Entity
from overlace.model.network import FLAT, VLAN, Network, Segment, Subnet
from overlace.model.policy import Direction, EtherType, SecurityGroup, SecurityGroupRule
from overlace.model.port import AddressPair, Binding, BindingState, FixedIp, Port
from overlace.model.site import Host, PhysicalBridge

V = TypeVar("V", bound=Entity)
Operation = Callable[[Cloud, Choice], None]
OPERATIONS: list[Operation] = []

_MOSTLY = (True, True, True, False)
_IPV6_MODES = (None, "slaac", "dhcpv6-stateless", "dhcpv6-stateful")
_PROTOCOLS = (None, None, "tcp", "udp", "icmp", "any", "47", "6", "sctp", "ipv6-icmp")
_PORT_RANGES = ((None, None), (22, 22), (80, 80), (1, 65535), (60, 90))
_ICMP = ((None, None), (8, None), (8, 0), (0, 0), (128, None), (128, 0), (135, None))
_PREFIXES = (
    "0.0.0.0/0",
    "::/0",
    "192.168.0.0/28",
    "192.168.0.12/32",
    "fd00::/124",
    "10.9.0.0/24",
    "fd09::/64",
)
_PAIRS = ("192.168.0.40", "fd00::40", "10.9.0.0/24", "fd09::/64", "192.168.0.12")
SHARED_MAC = Mac(0x00005E000101)
"""Of a VRRP group (RFC 5798, 7.3)."""
_OCTETS = range(11, 23)


def operation(weight: int = 1) -> Callable[[Operation], Operation]:
    """Make a function one of those that are drawn; by the weights, worlds grow until they are full."""

    def register(function: Operation) -> Operation:
        OPERATIONS.extend([function] * weight)
        return function

    return register


# Hosts and links


@operation(3)
def host_joins(cloud: Cloud, choice: Choice) -> None:
    name = choice.one_of(HOSTS)
    if cloud.world.snapshot.get(Host, name) is None and (key := cloud.numbers["host"].take()):
        cloud.join(name, key)


@operation()
def host_leaves(cloud: Cloud, choice: Choice) -> None:
    host = _any(cloud, choice, Host)
    if host is not None and not any(cloud.world.snapshot.members(Binding, "host", host.id)):
        cloud.world.delete(Host, host.id)
        cloud.numbers["host"].give_back(host.key)


@operation()
def host_prefers_its_other_address(cloud: Cloud, choice: Choice) -> None:
    host = _any(cloud, choice, Host)
    if host is not None:
        first, second = sorted(host.endpoints, key=lambda endpoint: endpoint.preference)
        swapped = (replace(second, preference=0), replace(first, preference=1))
        cloud.world.put(replace(host, endpoints=swapped))


@operation()
def addresses_fall_silent(cloud: Cloud, choice: Choice) -> None:
    host = _any(cloud, choice, Host)
    if host is not None:
        silences = frozenset((host.site_id, address) for address in choice.some_of(host.addresses, 2))
        cloud.world.observations = cloud.world.observations.with_silent(host.id, silences)
        cloud.world.dirty.add(silent_key(host.id))


@operation()
def switch_is_cut_off(cloud: Cloud, choice: Choice) -> None:
    cloud.switches.cut(choice.one_of(sorted(cloud.switches.by_name))) if cloud.switches.by_name else None


@operation(3)
def switch_returns(cloud: Cloud, choice: Choice) -> None:
    away = sorted(name for name, held in cloud.switches.by_name.items() if not held.connected)
    if away:
        cloud.switches.restore(choice.one_of(away))


@operation()
def deliveries_become_slow(cloud: Cloud, choice: Choice) -> None:  # noqa: ARG001
    cloud.prompt = False


@operation(3)
def deliveries_become_prompt(cloud: Cloud, choice: Choice) -> None:  # noqa: ARG001
    cloud.prompt = True


@operation(3)
def changes_reach_a_switch(cloud: Cloud, choice: Choice) -> None:
    waiting = sorted(n for n, held in cloud.switches.by_name.items() if held.connected and held.waiting)
    if waiting:
        cloud.switches.deliver(choice.one_of(waiting))


@operation()
def time_passes(cloud: Cloud, choice: Choice) -> None:  # noqa: ARG001
    cloud.switches.time_passes()


# Networks


@operation(2)
def network_is_created(cloud: Cloud, choice: Choice) -> None:  # noqa: ARG001
    key = cloud.numbers["network"].take()
    if key is not None:
        cloud.world.network(cloud.new_name("n"), key)


@operation()
def network_is_switched(cloud: Cloud, choice: Choice) -> None:
    network = _any(cloud, choice, Network)
    if network is not None:
        cloud.world.put(replace(network, admin_state_up=choice.one_of(_MOSTLY)))


@operation(5)
def network_is_bridged_or_no_more(cloud: Cloud, choice: Choice) -> None:
    """To a VLAN or a whole physical network that no other network has, as the API permits."""
    network = _any(cloud, choice, Network)
    if network is None:
        return
    name = f"segment-physical-{network.id}"
    if cloud.world.snapshot.get(Segment, name) is not None:
        if not choice.one_of(_MOSTLY):
            cloud.world.delete(Segment, name)
        return
    used = {(each.physical_network, each.segmentation_id) for each in cloud.world.snapshot.all(Segment)}
    free = [each for each in (("p1", None), ("p1", 7), ("p2", 7), ("p2", 8)) if each not in used]
    if free:
        physical, vlan = choice.one_of(free)
        kind = FLAT if vlan is None else VLAN
        segment = Segment(
            id=name, network_id=network.id, network_type=kind, physical_network=physical, segmentation_id=vlan
        )
        cloud.world.put(segment)


@operation(3)
def host_gets_bridges(cloud: Cloud, choice: Choice) -> None:
    host = _any(cloud, choice, Host)
    if host is not None:
        bridges = (PhysicalBridge("p1", "br-one", 1), PhysicalBridge("p2", "br-two", 2))
        cloud.world.put(
            replace(host, physical_networks=choice.one_of((bridges, bridges, bridges[:1], bridges[1:], ())))
        )


@operation(4)
def host_is_lost_or_heard_again(cloud: Cloud, choice: Choice) -> None:
    host = _any(cloud, choice, Host)
    if host is not None:
        lost = host.id not in cloud.world.observations.lost
        cloud.world.observations = cloud.world.observations.with_lost(host.id, lost)
        cloud.world.dirty.add(lost_key(host.id))


@operation()
def network_is_deleted(cloud: Cloud, choice: Choice) -> None:
    """The whole of a tenant at once: its numbers may soon be another's."""
    network = _any(cloud, choice, Network)
    if network is None:
        return
    for port in list(cloud.world.snapshot.members(Port, "network", network.id)):
        _delete_port(cloud, port)
    for subnet in list(cloud.world.snapshot.members(Subnet, "network", network.id)):
        cloud.world.delete(Subnet, subnet.id)
    for segment in list(cloud.world.snapshot.members(Segment, "network", network.id)):
        cloud.world.delete(Segment, segment.id)
    cloud.world.delete(Network, network.id)
    cloud.numbers["network"].give_back(network.key)


@operation()
def gateway_is_changed(cloud: Cloud, choice: Choice) -> None:
    subnet = _any(cloud, choice, Subnet)
    if subnet is not None:
        gateway = choice.one_of((None, ip_address("192.168.0.1"), ip_address("192.168.0.11")))
        cloud.world.put(replace(subnet, gateway_ip=gateway))


@operation()
def dhcp_is_switched(cloud: Cloud, choice: Choice) -> None:
    subnet = _any(cloud, choice, Subnet)
    if subnet is not None and (subnet.ipv6_ra_mode, subnet.ipv6_address_mode) == (None, None):
        cloud.world.put(replace(subnet, enable_dhcp=not subnet.enable_dhcp))


@operation()
def ipv6_subnet_comes_or_goes(cloud: Cloud, choice: Choice) -> None:
    """In each of the modes that the API permits."""
    network = _any(cloud, choice, Network)
    if network is None:
        return
    name = f"subnet-of-ipv6-{network.id}"
    if cloud.world.snapshot.get(Subnet, name) is not None:
        cloud.world.delete(Subnet, name)
        return
    advertised, mode = choice.one_of((True, False)), choice.one_of(_IPV6_MODES)
    cloud.world.put(
        Subnet(
            id=name,
            project_id=network.project_id,
            network_id=network.id,
            name="",
            ip_version=6,
            cidr=ip_network("fd00::/64"),
            ipv6_ra_mode=mode if advertised else None,
            ipv6_address_mode=choice.one_of((mode, None)) if advertised else mode,
        )
    )


# Security groups


@operation(2)
def group_is_created(cloud: Cloud, choice: Choice) -> None:
    key = cloud.numbers["group"].take()
    if key is None:
        return
    name = cloud.new_name("g")
    cloud.world.group(name, key)
    if choice.one_of((True, True, False)):  # as the API makes them
        for number, family in enumerate(EtherType):
            cloud.world.permit(name, number, Direction.EGRESS, ethertype=family)
            cloud.world.permit(name, 2 + number, Direction.INGRESS, ethertype=family, remote_group_id=name)


@operation()
def group_becomes_stateless_or_stateful(cloud: Cloud, choice: Choice) -> None:
    group = _any(cloud, choice, SecurityGroup)
    if group is not None:
        cloud.world.put(replace(group, stateful=not group.stateful))


@operation()
def group_is_deleted(cloud: Cloud, choice: Choice) -> None:
    """Only one that no port carries; rules of others that name it as their remote group stay."""
    snapshot = cloud.world.snapshot
    used = {name for port in snapshot.all(Port) for name in port.security_groups}
    unused = sorted(group.id for group in snapshot.all(SecurityGroup) if group.id not in used)
    if not unused:
        return
    group = snapshot.get(SecurityGroup, choice.one_of(unused))
    assert group is not None
    for each in list(snapshot.members(SecurityGroupRule, "security_group", group.id)):
        cloud.world.delete(SecurityGroupRule, each.id)
    cloud.world.delete(SecurityGroup, group.id)
    cloud.numbers["group"].give_back(group.key)


@operation(4)
def rule_is_added(cloud: Cloud, choice: Choice) -> None:
    group = _any(cloud, choice, SecurityGroup)
    if group is None:
        return
    ethertype, protocol = choice.one_of(tuple(EtherType)), choice.one_of(_PROTOCOLS)
    low, high = None, None
    if protocol in ("tcp", "udp", "6", "sctp"):
        low, high = choice.one_of(_PORT_RANGES)
    elif protocol in ("icmp", "ipv6-icmp"):
        low, high = choice.one_of(_ICMP)
    version = 4 if ethertype is EtherType.IPV4 else 6
    remotes: list[dict[str, object]] = [{}]
    remotes += [{"remote_group_id": each.id} for each in _sorted(cloud, SecurityGroup)]
    prefixes = map(ip_network, _PREFIXES)
    remotes += [{"remote_ip_prefix": prefix} for prefix in prefixes if prefix.version == version]
    cloud.world.permit(
        group.id,
        choice.one_of(range(6)),
        choice.one_of(tuple(Direction)),
        ethertype=ethertype,
        protocol=protocol,
        port_range_min=low,
        port_range_max=high,
        **choice.one_of(remotes),
    )


@operation()
def rule_is_removed(cloud: Cloud, choice: Choice) -> None:
    rule = _any(cloud, choice, SecurityGroupRule)
    if rule is not None:
        cloud.world.delete(SecurityGroupRule, rule.id)


# Ports


@operation(10)
def port_is_created(cloud: Cloud, choice: Choice) -> None:
    network = _any(cloud, choice, Network)
    if network is None:
        return
    held = {port.mac_address & 0xFF for port in cloud.world.snapshot.members(Port, "network", network.id)}
    free = [octet for octet in _OCTETS if octet not in held]
    key = cloud.numbers["port"].take()
    if key is not None:
        groups = choice.some_of([group.id for group in _sorted(cloud, SecurityGroup)], 2)
        cloud.world.port(cloud.new_name("p"), key, network.id, free[0], *groups)


@operation(3)
def port_changes_groups(cloud: Cloud, choice: Choice) -> None:
    port = _any(cloud, choice, Port)
    if port is not None:
        groups = choice.some_of([group.id for group in _sorted(cloud, SecurityGroup)], 2)
        cloud.world.put(replace(port, security_groups=groups))


@operation()
def port_security_is_switched(cloud: Cloud, choice: Choice) -> None:
    port = _any(cloud, choice, Port)
    if port is not None:
        cloud.world.put(replace(port, port_security_enabled=choice.one_of(_MOSTLY)))


@operation()
def port_is_switched(cloud: Cloud, choice: Choice) -> None:
    port = _any(cloud, choice, Port)
    if port is not None:
        cloud.world.put(replace(port, admin_state_up=choice.one_of(_MOSTLY)))


@operation()
def port_changes_addresses(cloud: Cloud, choice: Choice) -> None:
    port = _any(cloud, choice, Port)
    if port is not None:
        octet, subnet = port.mac_address & 0xFF, f"subnet-{port.network_id}"
        both = (
            FixedIp(subnet, IPv4Address(f"192.168.0.{octet}")),
            FixedIp(subnet, IPv6Address(f"fd00::{octet:x}")),
        )
        cloud.world.put(replace(port, fixed_ips=choice.one_of((both, both[:1], both[1:]))))


@operation()
def port_is_allowed_pairs(cloud: Cloud, choice: Choice) -> None:
    port = _any(cloud, choice, Port)
    if port is not None:
        mac = choice.one_of((None, None, SHARED_MAC, Mac(0x02000000000C)))
        pairs = tuple(AddressPair(ip_network(prefix), mac) for prefix in choice.some_of(_PAIRS, 2))
        cloud.world.put(replace(port, allowed_address_pairs=pairs))


@operation()
def port_is_deleted(cloud: Cloud, choice: Choice) -> None:
    port = _any(cloud, choice, Port)
    if port is not None:
        _delete_port(cloud, port)


# Bindings


@operation(14)
def port_is_plugged(cloud: Cloud, choice: Choice) -> None:
    """The first place is active, a second is prepared; sometimes the switch has not told the number yet."""
    port, host = _any(cloud, choice, Port), _any(cloud, choice, Host)
    if port is None or host is None:
        return
    bindings = list(cloud.world.snapshot.members(Binding, "port", port.id))
    if len(bindings) > 1 or any(each.host_id == host.id for each in bindings):
        return
    state = BindingState.PREPARED if bindings else BindingState.ACTIVE
    generation = 1 + max((each.generation for each in bindings), default=0)
    ofport = cloud.plug(port, host.id) if choice.one_of((True, True, True, False)) else None
    cloud.world.bind(port, host.id, ofport, state, generation)


@operation(3)
def port_is_activated(cloud: Cloud, choice: Choice) -> None:
    prepared = [each for each in _sorted(cloud, Binding) if each.state is BindingState.PREPARED]
    if not prepared:
        return
    here = choice.one_of(prepared)
    for other in list(cloud.world.snapshot.members(Binding, "port", here.port_id)):
        if other.state is BindingState.ACTIVE:
            cloud.world.put(replace(other, state=BindingState.RELEASING))
    cloud.world.put(replace(here, state=BindingState.ACTIVE))


@operation()
def port_is_unplugged(cloud: Cloud, choice: Choice) -> None:
    binding = _any(cloud, choice, Binding)
    if binding is not None:
        cloud.unplug(binding)


@operation()
def switch_renumbers(cloud: Cloud, choice: Choice) -> None:
    """The interface comes back under another number, as after a restart of the switch."""
    binding = _any(cloud, choice, Binding)
    if binding is None:
        return
    place = (binding.host_id, binding.port_id)
    port = cloud.world.snapshot.get(Port, binding.port_id)
    known = cloud.world.observations.ofports.get(place)
    if known is not None:
        cloud.plugged.pop((binding.host_id, known), None)
    if port is not None:
        cloud.world.ofport(*place, cloud.plug(port, binding.host_id))


def _delete_port(cloud: Cloud, port: Port) -> None:
    """The interfaces stay plugged: a workload does not hear of it."""
    for binding in list(cloud.world.snapshot.members(Binding, "port", port.id)):
        cloud.world.delete(Binding, binding.id)
    cloud.world.delete(Port, port.id)
    cloud.numbers["port"].give_back(port.key)


def _sorted(cloud: Cloud, cls: type[V]) -> list[V]:
    return sorted(cloud.world.snapshot.all(cls), key=lambda value: value.id)


def _any(cloud: Cloud, choice: Choice, cls: type[V]) -> V | None:
    values = _sorted(cloud, cls)
    return choice.one_of(values) if values else None
