"""Ports are read back out of the flows that were compiled for them, as a switch tells them."""

from dataclasses import replace
from ipaddress import ip_address

from tests.compiler.worlds import WorldBuilder

from overlace.compiler.compiler import Compiler
from overlace.compiler.found import FoundPort, found_ports
from overlace.compiler.pipeline import Cookie, Table
from overlace.datapath.flow import Flow
from overlace.model.network import Segment
from overlace.model.site import Host, PhysicalBridge
from overlace.wire.openflow.codec import canonical_flow


def flows_of_h1() -> list[Flow]:
    world = WorldBuilder()
    world.hosts("h1", "h2")
    world.network("red", 5)
    world.put(Segment(id="flat", network_id="red", network_type="flat", physical_network="rack"))
    first = world.snapshot.get(Host, "h1")
    assert first is not None
    world.put(replace(first, physical_networks=(PhysicalBridge("rack", "br-ex"),)))
    world.group("red", 1)
    for key, host in ((11, "h1"), (12, "h1"), (13, "h2")):
        world.bind(world.port(f"red{key}", key, "red", key, "red"), host, key + 100)
    compiler = Compiler()
    compiler.advance(world.world)
    fragments = compiler.switch_plan("h1").values()
    return [canonical_flow(flow) for fragment in fragments for flow in fragment.flows]


def test_given_a_switch_when_read_then_its_ports_are_found_with_all_that_their_guests_need() -> None:
    found = found_ports(flows_of_h1())
    assert [(each.port_key, each.ofport, each.network_key) for each in found] == [(11, 111, 5), (12, 112, 5)]
    assert found[0].mac == 0x02_00_00_00_00_0B
    assert found[0].addresses == (ip_address("192.168.0.11"), ip_address("fd00::b"))
    assert found[0].segmentation_id == 5005


def test_given_flows_of_another_pipeline_or_of_nobody_when_read_then_nothing_is_made_of_them() -> None:
    def aged(flow: Flow) -> Flow:
        parsed = Cookie.parse(flow.cookie)
        assert parsed is not None
        return flow_with(flow, int(replace(parsed, version=parsed.version + 1)))

    def flow_with(flow: Flow, cookie: int) -> Flow:
        return Flow(flow.table, flow.priority, flow.match, flow.actions, cookie)

    assert found_ports(aged(flow) for flow in flows_of_h1()) == []
    assert found_ports(flow_with(flow, 0) for flow in flows_of_h1()) == []


def test_given_a_port_without_security_when_read_then_it_has_neither_mac_nor_addresses() -> None:
    flows = [flow for flow in flows_of_h1() if flow.table not in (Table.GUARD_MAC, Table.GUARD_ADDRESS)]
    bare = found_ports(flows)[0]
    assert (bare.mac, bare.addresses) == (0, ())
    assert isinstance(bare, FoundPort)
