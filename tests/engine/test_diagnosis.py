"""Why a port is not ACTIVE: each cause by itself, and their order."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.app.traced_world import Nowhere, TracedWorld

from overlace.engine.engine import Engine
from overlace.engine.interfaces import PluggedInterface
from overlace.engine.reason import Ground, Reason
from overlace.engine.switch_facts import SwitchFacts
from overlace.model.network import Network, Segment
from overlace.model.port import Binding, BindingState
from overlace.model.site import Host, Site

_EVERYTHING = 1_000_000
"""A sequence that is never reached."""
WELL = SwitchFacts(openflow=True, database=True)


@pytest.fixture
def world() -> TracedWorld:
    return TracedWorld()


def reasons(world: TracedWorld, port: str = "web", **facts: SwitchFacts) -> list[Reason]:
    engine = world.engine()
    for host in ("h1", "h2", "h3"):
        engine.acknowledged(host, _EVERYTHING)
    return world.diagnosis(engine, facts).port(port)


def grounds(world: TracedWorld, port: str = "web", **facts: SwitchFacts) -> list[Ground]:
    return [each.ground for each in reasons(world, port, **facts)]


def unplug(world: TracedWorld, port: str, host: str) -> None:
    world.interfaces.remove(host, f"tap-{port}")
    world.world.delete(Binding, f"{port}@{host}")
    world.world.ofport(host, port, None)


def test_given_a_port_that_works_then_there_is_no_reason(world: TracedWorld) -> None:
    assert reasons(world) == []


def test_given_what_is_down_then_the_port_is_before_the_network(world: TracedWorld) -> None:
    network = world.world.snapshot.get(Network, "red")
    assert network is not None
    world.world.put(replace(network, admin_state_up=False))
    world.world.put(replace(world.ports["web"], admin_state_up=False))
    assert grounds(world) == [Ground.PORT_DOWN, Ground.NETWORK_DOWN]


def test_given_no_interface_then_the_iface_id_is_told(world: TracedWorld) -> None:
    unplug(world, "web", "h1")
    (reason,) = reasons(world)
    assert (reason.ground, reason.blocking) == (Ground.NOT_PLUGGED, True)
    assert reason.cure == "on the host: ovs-vsctl set interface NAME external_ids:iface-id=web"


def test_given_an_interface_with_the_name_in_place_of_the_id_then_it_is_found(world: TracedWorld) -> None:
    world.world.put(replace(world.ports["web"], id="uuid-of-web", key=9))
    unplug(world, "web", "h1")
    world.interfaces.put(PluggedInterface("h1", "tap0", "web", 4))
    (reason,) = reasons(world, "uuid-of-web")
    assert "tap0 of h1 says web, which is its name and not its id" in reason.text


def test_given_a_named_interface_that_is_not_there_then_host_and_name_are_told(world: TracedWorld) -> None:
    unplug(world, "web", "h1")
    world.world.put(replace(world.ports["web"], host_id="h1", interface_name="eth7"))
    (reason,) = reasons(world)
    assert reason.text == "h1 has no interface eth7, by which the port is to be found"


def test_given_a_host_of_other_projects_then_it_says_whose_it_is_not(world: TracedWorld) -> None:
    host = world.world.snapshot.get(Host, "h1")
    assert host is not None
    world.world.put(replace(host, projects=("project-blue",)))
    world.world.delete(Binding, "web@h1")
    (reason,) = reasons(world)
    assert (reason.ground, reason.host, reason.blocking) == (Ground.HOST_NOT_ALLOWED, "h1", True)


def test_given_two_interfaces_then_both_are_named(world: TracedWorld) -> None:
    world.interfaces.put(PluggedInterface("h1", "tap-clone", "web", 9))
    (reason,) = reasons(world)
    assert (reason.ground, reason.blocking) == (Ground.ANNOUNCED_TWICE, True)
    assert "tap-clone, tap-web" in reason.text


def test_given_an_interface_that_does_not_open_then_its_error_is_told(world: TracedWorld) -> None:
    world.interfaces.put(PluggedInterface("h1", "tap-web", "web", None, "could not open network device"))
    (reason,) = reasons(world)
    assert reason.ground is Ground.NO_OFPORT
    assert reason.text == "interface tap-web of h1 has no OpenFlow port: could not open network device"


def test_given_a_second_place_then_it_is_told_and_blocks_nothing(world: TracedWorld) -> None:
    world.interfaces.put(PluggedInterface("h3", "tap-web", "web", 9))
    world.world.bind(world.ports["web"], "h3", 9, BindingState.PREPARED, 2)
    (reason,) = reasons(world)
    assert (reason.ground, reason.host, reason.blocking) == (Ground.PREPARED, "h3", False)


def test_given_an_interface_left_behind_then_it_is_fenced_and_blocks_nothing(world: TracedWorld) -> None:
    world.world.bind(world.ports["web"], "h1", 1, BindingState.FENCED, 1)
    world.world.bind(world.ports["web"], "h2", 9, BindingState.ACTIVE, 2)
    world.interfaces.put(PluggedInterface("h2", "tap-web", "web", 9))
    (reason,) = reasons(world)
    assert (reason.ground, reason.host, reason.blocking) == (Ground.FENCED, "h1", False)


def test_given_a_host_that_is_away_then_since_when(world: TracedWorld) -> None:
    seen = SwitchFacts(last_seen=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    (reason,) = reasons(world, h1=seen)
    assert reason.ground is Ground.HOST_AWAY
    assert reason.text == "host h1 is not connected (last seen 2026-01-02 03:04:05 UTC)"
    (reason,) = reasons(world, h1=SwitchFacts())
    assert reason.text == "host h1 is not connected (never seen)"
    (reason,) = reasons(world, h1=SwitchFacts(openflow=True))
    assert reason.ground is Ground.HOST_SILENT


def test_given_a_switch_on_hold_then_its_own_words_are_told(world: TracedWorld) -> None:
    (reason,) = reasons(world, h1=replace(WELL, hold="observe mode; 3 differences are not written"))
    assert reason.ground is Ground.SWITCH_HELD
    assert "observe mode; 3 differences are not written" in reason.text


def test_given_a_refused_fragment_then_which_and_why(world: TracedWorld) -> None:
    refused = replace(WELL, held_out={("binding", "web", "h1"): "OFPBAC_BAD_OUT_PORT", ("port", "x"): "y"})
    (reason,) = reasons(world, h1=refused)
    assert reason.ground is Ground.REFUSED
    assert reason.text == "h1 refuses the rules of binding/web/h1: OFPBAC_BAD_OUT_PORT"


def test_given_switches_that_have_not_acknowledged_then_each_is_named(world: TracedWorld) -> None:
    engine = world.engine()
    for host in ("h1", "h2"):
        engine.realisation.connected(host, True)
    facts = {"h2": replace(WELL, doing="writing what differs")}
    found = world.diagnosis(engine, facts).port("web")
    assert [(each.ground, each.host) for each in found] == [
        (Ground.WAITING, "h1"),
        (Ground.WAITING, "h2"),
        (Ground.PENDING, "h3"),
    ]
    assert found[1].text == "h2 has not acknowledged the port's last change yet (writing what differs)"


def test_given_a_change_that_no_switch_was_told_yet_then_it_is_on_its_way(world: TracedWorld) -> None:
    never: list[object] = []
    engine = Engine(world.world.snapshot, Nowhere(), never.append)
    for host in ("h1", "h2", "h3"):
        engine.acknowledged(host, _EVERYTHING)
    engine.observed_ofport(("h1", "web"), 1)
    (reason,) = world.diagnosis(engine).port("web")
    assert reason.ground is Ground.WAITING
    assert reason.text == "the port's last change is on its way to the switches"


def test_given_no_segment_that_leads_to_other_hosts_then_it_is_told(world: TracedWorld) -> None:
    segment = world.world.snapshot.get(Segment, "segment-red")
    assert segment is not None
    world.world.put(replace(segment, network_type="pigeon"))
    assert grounds(world) == [Ground.NO_SEGMENT]


def test_given_a_host_without_endpoint_then_it_cannot_be_reached(world: TracedWorld) -> None:
    host = world.world.snapshot.get(Host, "h2")
    assert host is not None
    world.world.put(replace(host, endpoints=()))
    (reason,) = reasons(world)
    assert (reason.ground, reason.text) == (Ground.UNREACHABLE_HOST, "host h2 has no tunnel endpoint")


def test_given_an_mtu_that_does_not_fit_then_the_one_that_does(world: TracedWorld) -> None:
    world.world.put(Site(id="site-a", mtu=1400))
    (reason,) = reasons(world)
    assert reason.text == "the MTU 1450 of network red does not fit site site-a: 1350 would"


def test_given_a_network_then_what_blocks_its_ports(world: TracedWorld) -> None:
    diagnosis = world.diagnosis(world.engine(), {"h2": SwitchFacts()})
    assert [(each.ground, each.host) for each in diagnosis.network("red")] == [(Ground.HOST_AWAY, "h2")]


def test_given_a_host_then_what_is_the_matter_with_it(world: TracedWorld) -> None:
    facts = {
        "h1": replace(WELL, doing="reading and comparing"),
        "h2": replace(WELL, held_out={("base",): "no"}),
    }
    diagnosis = world.diagnosis(world.engine(), facts)
    assert [each.text for each in diagnosis.host("h1")] == ["host h1 is reading and comparing"]
    assert [each.text for each in diagnosis.host("h2")] == ["host h2 refuses base: no"]
    assert diagnosis.host("h3") == []
    for unknown in (diagnosis.host, diagnosis.port, diagnosis.network):
        with pytest.raises(KeyError):
            unknown("nobody")


def test_given_a_copy_of_the_workload_then_it_is_named_and_blocks_nothing(world: TracedWorld) -> None:
    world.world.put(replace(world.ports["web"], host_id="h1"))
    world.interfaces.put(PluggedInterface("h2", "tap-copy", "web", 9))
    (reason,) = reasons(world)
    assert (reason.ground, reason.host, reason.blocking) == (Ground.DUPLICATE, "h2", False)
    assert "active at h1" in reason.text
    assert "ovs-vsctl del-port tap-copy" in reason.cure


def test_given_a_restart_while_the_old_host_is_away_then_fencing_is_the_cure(world: TracedWorld) -> None:
    world.interfaces.put(PluggedInterface("h2", "tap-copy", "web", 9))
    found = reasons(world, h1=SwitchFacts())
    (reason,) = (each for each in found if each.ground is Ground.DUPLICATE)
    assert "h1 is away" in reason.text
    assert "openstack port set --host h2" in reason.cure
