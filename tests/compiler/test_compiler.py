"""Incremental equals full: after every step the warm plan is the cold plan, flow for flow."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.compiler.worlds import WorldBuilder

from overlace.compiler.compiler import Compiler
from overlace.compiler.plan import SwitchPlan
from overlace.compiler.reader import silent_key
from overlace.model.network import Network, Subnet
from overlace.model.observation import Silence
from overlace.model.policy import Direction, EtherType, SecurityGroup, SecurityGroupRule
from overlace.model.port import AddressPair, Binding, BindingState, Port
from overlace.model.site import Host, TunnelEndpoint

HOSTS = ("h1", "h2", "h3", "h4")
NETWORKS = ("n1", "n2", "n3")
GROUPS = ("g1", "g2", "g3")
PORTS = tuple(f"p{number}" for number in range(1, 9))
SILENCES = tuple(("site-a", ip_address(text)) for text in ("10.1.0.1", "10.1.0.2", "fd01::1", "fd01::2"))

hosts, networks, groups, ports = (st.sampled_from(names) for names in (HOSTS, NETWORKS, GROUPS, PORTS))


def contents(plan: SwitchPlan) -> dict[Any, Any]:
    return {
        fragment_id: (fragment.flows, fragment.groups, fragment.meters, fragment.tunnel_ports)
        for fragment_id, fragment in plan.items()
    }


class IncrementalEqualsFull(RuleBasedStateMachine):
    """Operations on a world; each may be a no-op where its object is not there."""

    def __init__(self) -> None:
        super().__init__()
        self.world = WorldBuilder()
        self.warm = Compiler()
        self.warm.advance(self.world.world)
        self.received: dict[str, dict[Any, Any]] = {}

    @rule(name=hosts)
    def host_joins(self, name: str) -> None:
        if self.world.snapshot.get(Host, name) is None:
            self.world.put(_host(name))

    @rule(name=hosts)
    def host_leaves(self, name: str) -> None:
        bound = any(self.world.snapshot.members(Binding, "host", name))
        if not bound and self.world.snapshot.get(Host, name) is not None:
            self.world.delete(Host, name)

    @rule(name=hosts)
    def host_is_renumbered(self, name: str) -> None:
        host = self.world.snapshot.get(Host, name)
        if host is not None:
            self.world.put(_replace(host, endpoints=host.endpoints[::-1] or _host(name).endpoints))

    @rule(name=networks)
    def network_is_created(self, name: str) -> None:
        if self.world.snapshot.get(Network, name) is None:
            self.world.network(name, 1 + NETWORKS.index(name))

    @rule(name=networks, up=st.booleans())
    def network_is_switched(self, name: str, up: bool) -> None:
        network = self.world.snapshot.get(Network, name)
        if network is not None:
            self.world.put(_replace(network, admin_state_up=up))

    @rule(name=groups)
    def group_is_created(self, name: str) -> None:
        if self.world.snapshot.get(SecurityGroup, name) is None:
            self.world.group(name, 1 + GROUPS.index(name))

    @rule(
        group=groups,
        number=st.integers(0, 5),
        direction=st.sampled_from(Direction),
        ethertype=st.sampled_from(EtherType),
        protocol=st.sampled_from([None, "tcp", "udp", "icmp", "47"]),
        low=st.sampled_from([None, 22, 80]),
        remote=st.none() | groups,
    )
    def rule_is_added(
        self, group: str, number: int, low: int | None, remote: str | None, **rest: Any
    ) -> None:
        if self.world.snapshot.get(SecurityGroup, group) is not None:
            bounds: dict[str, Any] = (
                {"port_range_min": low, "port_range_max": low} if rest["protocol"] in ("tcp", "udp") else {}
            )
            self.world.permit(group, number, remote_group_id=remote, **bounds, **rest)

    @rule(group=groups, number=st.integers(0, 5))
    def rule_is_removed(self, group: str, number: int) -> None:
        name = f"{group}-rule-{number}"
        if self.world.snapshot.get(SecurityGroupRule, name) is not None:
            self.world.delete(SecurityGroupRule, name)

    @rule(name=ports, network=networks, members=st.lists(groups, unique=True, max_size=2))
    def port_is_created(self, name: str, network: str, members: list[str]) -> None:
        if (
            self.world.snapshot.get(Port, name) is None
            and self.world.snapshot.get(Network, network) is not None
        ):
            number = 1 + PORTS.index(name)
            self.world.port(name, number, network, 10 + number, *members)

    @rule(name=ports, members=st.lists(groups, unique=True, max_size=2))
    def port_changes_groups(self, name: str, members: list[str]) -> None:
        self._change(name, security_groups=tuple(members))

    @rule(name=ports, on=st.booleans())
    def port_security_is_switched(self, name: str, on: bool) -> None:
        self._change(name, port_security_enabled=on)

    @rule(name=ports, up=st.booleans())
    def port_is_switched(self, name: str, up: bool) -> None:
        self._change(name, admin_state_up=up)

    @rule(name=ports)
    def port_loses_an_address(self, name: str) -> None:
        port = self.world.snapshot.get(Port, name)
        if port is not None:
            self._change(name, fixed_ips=port.fixed_ips[:1])

    @rule(name=ports, prefix=st.sampled_from(["10.9.0.0/24", "fd09::/64"]))
    def port_is_allowed_a_pair(self, name: str, prefix: str) -> None:
        self._change(name, allowed_address_pairs=(AddressPair(ip_network(prefix)),))

    @rule(name=ports)
    def port_is_deleted(self, name: str) -> None:
        if self.world.snapshot.get(Port, name) is not None:
            for binding in list(self.world.snapshot.members(Binding, "port", name)):
                self._unbind(binding)
            self.world.delete(Port, name)

    @rule(name=ports, host=hosts, ofport=st.none() | st.integers(1, 9))
    def port_is_plugged(self, name: str, host: str, ofport: int | None) -> None:
        port = self.world.snapshot.get(Port, name)
        if port is None or self.world.snapshot.get(Host, host) is None:
            return
        bindings = list(self.world.snapshot.members(Binding, "port", name))
        if any(each.host_id == host for each in bindings):
            return
        active = any(each.state is BindingState.ACTIVE for each in bindings)
        state = BindingState.PREPARED if active else BindingState.ACTIVE
        generation = 1 + max((each.generation for each in bindings), default=0)
        self.world.bind(port, host, ofport, state, generation)

    @rule(name=ports, host=hosts)
    def port_is_activated(self, name: str, host: str) -> None:
        bindings = list(self.world.snapshot.members(Binding, "port", name))
        here = next((each for each in bindings if each.host_id == host), None)
        if here is not None and here.state is BindingState.PREPARED:
            for other in bindings:
                if other.state is BindingState.ACTIVE:
                    self.world.put(_replace(other, state=BindingState.RELEASING))
            self.world.put(_replace(here, state=BindingState.ACTIVE))

    @rule(name=ports, host=hosts)
    def port_is_unplugged(self, name: str, host: str) -> None:
        for binding in list(self.world.snapshot.members(Binding, "port", name)):
            if binding.host_id == host:
                self._unbind(binding)

    @rule(name=ports, host=hosts, ofport=st.none() | st.integers(1, 9))
    def switch_renumbers(self, name: str, host: str, ofport: int | None) -> None:
        self.world.ofport(host, name, ofport)

    @rule(name=hosts, silences=st.frozensets(st.sampled_from(SILENCES)))
    def addresses_fall_silent(self, name: str, silences: frozenset[Silence]) -> None:
        self.world.observations = self.world.observations.with_silent(name, silences)
        self.world.dirty.add(silent_key(name))

    @rule(name=networks)
    def gateway_is_moved(self, name: str) -> None:
        subnet = self.world.snapshot.get(Subnet, f"subnet-{name}")
        if subnet is not None:
            self.world.put(_replace(subnet, gateway_ip=ip_address("192.168.0.11")))

    @invariant()
    def warm_is_cold(self) -> None:
        change = self.warm.advance(self.world.world, self.world.take_dirty())
        for switch, switch_change in change.switches.items():
            held = self.received.setdefault(switch, {})
            for fragment_id in switch_change.removed:
                del held[fragment_id]
            held.update(contents(switch_change.added))
        cold = Compiler()
        cold.advance(self.world.world)
        expected = {switch: contents(plan) for switch, plan in cold.plan.items() if plan}
        assert {switch: contents(plan) for switch, plan in self.warm.plan.items() if plan} == expected
        assert {switch: held for switch, held in self.received.items() if held} == expected

    def _change(self, name: str, **values: Any) -> None:
        port = self.world.snapshot.get(Port, name)
        if port is not None:
            self.world.put(_replace(port, **values))

    def _unbind(self, binding: Binding) -> None:
        self.world.ofport(binding.host_id, binding.port_id, None)
        self.world.delete(Binding, binding.id)


def _host(name: str) -> Host:
    number = 1 + HOSTS.index(name)
    endpoints = (
        TunnelEndpoint(ip_address(f"10.1.0.{number}")),
        TunnelEndpoint(ip_address(f"fd01::{number}"), 1),
    )
    return Host(id=name, site_id="site-a", endpoints=endpoints, key=number)


def _replace(value: Any, **changes: Any) -> Any:
    return replace(value, **changes)


IncrementalEqualsFull.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestIncrementalEqualsFull = IncrementalEqualsFull.TestCase


def test_an_unchanged_projection_gives_the_same_fragment_objects() -> None:
    # given two hosts with a port each
    world = WorldBuilder()
    world.hosts("h1", "h2")
    world.network("n", 1)
    world.group("g", 1)
    first, second = world.port("a", 1, "n", 11, "g"), world.port("b", 2, "n", 12, "g")
    world.bind(first, "h1", 5)
    world.bind(second, "h2", 6)
    compiler = Compiler()
    compiler.advance(world.world)
    # then what is about a port for the whole network is one object on both hosts
    assert compiler.switch_plan("h1")["port", "a"] is compiler.switch_plan("h2")["port", "a"]
    # when something is touched without being changed
    world.take_dirty()
    world.put(first)
    change = compiler.advance(world.world, world.take_dirty())
    # then nothing goes to any switch
    assert change.switches == {}


def test_the_cost_of_a_port_does_not_grow_with_the_number_of_ports() -> None:
    def work_of_one_more(ports: int) -> int:
        world = WorldBuilder()
        world.hosts("h1", "h2")
        world.network("n", 1)
        world.group("g", 1)
        world.permit("g", 1, Direction.INGRESS, remote_group_id="g")
        for number in range(1, ports + 1):
            world.bind(world.port(f"p{number}", number, "n", number % 250, "g", mac=number), "h1", number)
        compiler = Compiler()
        compiler.advance(world.world)
        world.take_dirty()
        world.bind(world.port("new", 9999, "n", 251, "g", mac=9999), "h2", 7)
        before = compiler.counters.units_projected
        compiler.advance(world.world, world.take_dirty())
        return compiler.counters.units_projected - before

    assert work_of_one_more(200) == work_of_one_more(20)
