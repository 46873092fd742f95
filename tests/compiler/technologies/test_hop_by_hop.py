"""Hop by hop: frames through the compiled tables of hosts and transit switches."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest
from tests.compiler.technologies.ring import HOSTS, PORTS, SWITCHES, UPLINK, Ring

from overlace.compiler.pipeline import PHYSICAL_OFPORT
from overlace.compiler.reader import Reader
from overlace.compiler.technologies.hop_by_hop import HopByHop
from overlace.compiler.technologies.label import host_label
from overlace.datapath.actions import Output, SetField
from overlace.datapath.capabilities import PLAIN_OPENFLOW
from overlace.datapath.fields import VLAN_PRESENT, EthType, Field
from overlace.datapath.interpreter import Packet, build, deliver, follow
from overlace.kit.addresses import BROADCAST, Mac
from overlace.model.network import Segment
from overlace.model.port import BindingState, Port
from overlace.model.site import Host, PhysicalBridge, TransitSwitch

MACS = {host: Mac(0x020000000000 | 10 + int(host[1:])) for host in HOSTS}
V4 = {host: IPv4Address(f"192.168.0.{10 + int(host[1:])}") for host in HOSTS}
V6 = {host: IPv6Address(f"fd00::{10 + int(host[1:]):x}") for host in HOSTS}
OUTSIDE = PHYSICAL_OFPORT + 1
"""The patch port into a physical network."""
RED, BLUE = {"h1": 1, "h2": 2, "h3": 3}, {"h1": 4, "h2": 5, "h3": 6}


@pytest.fixture
def ring() -> Ring:
    """Two tenants with equal addresses, and a port of each at every host."""
    built = Ring()
    for network, (tenant, ports) in enumerate((("red", RED), ("blue", BLUE)), start=1):
        built.network(tenant, network)
        for host, key in ports.items():
            built.port(f"{tenant}-{host}", key, tenant, host)
    return built


def datagrams(source: str, target: str) -> list[Packet]:
    """One over IPv4 and one over IPv6."""
    macs = (MACS[source], MACS[target])
    return [
        build.udp(macs, (V4[source], V4[target]), (1, 2)),
        build.udp(macs, (V6[source], V6[target]), (1, 2)),
    ]


def test_a_frame_comes_out_as_it_was_at_the_tenant_s_own_port_and_nowhere_else(ring: Ring) -> None:
    network = ring.switches()
    for tenant in (RED, BLUE):
        for source in HOSTS:
            for target in set(HOSTS) - {source}:
                for packet in datagrams(source, target):
                    [delivery] = deliver(network, source, tenant[source], packet)
                    assert (delivery.switch, delivery.port) == (target, tenant[target])
                    changed = [f for f in Field if delivery.packet[f] != packet[f] and f in _OF_THE_FRAME]
                    assert changed == []
                    path = [hop.switch for hop in delivery.path]
                    assert path == [source, f"t{source[1:]}", f"t{target[1:]}", target]


_OF_THE_FRAME = {
    *(Field.ETH_SRC, Field.ETH_DST, Field.ETH_TYPE, Field.VLAN_TCI, Field.UDP_SRC, Field.UDP_DST),
    *(Field.IPV4_SRC, Field.IPV4_DST, Field.IPV6_SRC, Field.IPV6_DST, Field.IP_TTL, Field.IP_DSCP),
}


def test_a_broadcast_reaches_every_other_port_of_the_network_once(ring: Ring) -> None:
    packet = build.udp((MACS["h1"], BROADCAST), (V4["h1"], IPv4Address("255.255.255.255")), (1, 2))
    found = deliver(ring.switches(), "h1", BLUE["h1"], packet)
    assert sorted((each.switch, each.port) for each in found) == [("h2", 5), ("h3", 6)]


def test_a_transit_switch_is_asked_for_no_more_than_plain_openflow(ring: Ring) -> None:
    ring.compile()
    for name in SWITCHES:
        flows = list(ring.tables(name))
        assert len(flows) == len(HOSTS)
        for flow in flows:
            assert PLAIN_OPENFLOW.lacking(flow) == ()
            assert [type(action) for action in flow.actions] == [Output]
            assert not any(isinstance(action, SetField) for action in flow.actions)


def test_more_ports_are_no_more_flows_in_transit(ring: Ring) -> None:
    ring.compile()
    before = {name: ring.compiler.switch_plan(name) for name in SWITCHES}
    kept = {name: dict(plan) for name, plan in before.items()}
    for key in range(10, 40):
        ring.port(f"red-{key}", key, "red", f"h{1 + key % 3}")
    ring.compile()
    assert {name: dict(ring.compiler.switch_plan(name)) for name in SWITCHES} == kept


@pytest.mark.parametrize(
    ("told", "untold"),
    [(("t1", "right"), ("t2", "left")), (("t2", "left"), ("t1", "right"))],
    ids=["near", "far"],
)
def test_a_link_that_is_down_at_either_end_is_routed_around(
    ring: Ring, told: tuple[str, str], untold: tuple[str, str]
) -> None:
    ring.lose(*told)
    [delivery] = deliver(ring.switches(), "h1", RED["h1"], datagrams("h1", "h2")[0])
    assert [hop.switch for hop in delivery.path] == ["h1", "t1", "t3", "t2", "h2"]
    assert untold[1] in PORTS[untold[0]]
    # and used again when it is back
    ring.lose(told[0])
    [delivery] = deliver(ring.switches(), "h1", RED["h1"], datagrams("h1", "h2")[0])
    assert [hop.switch for hop in delivery.path] == ["h1", "t1", "t2", "h2"]


def test_a_dear_link_is_not_taken_where_two_cheap_ones_lead_there(ring: Ring) -> None:
    ring.cable("t1", "right", "t2", "left", cost=3)
    [delivery] = deliver(ring.switches(), "h1", RED["h1"], datagrams("h1", "h2")[0])
    assert [hop.switch for hop in delivery.path] == ["h1", "t1", "t3", "t2", "h2"]


def test_a_transit_switch_that_is_taken_out_is_routed_around(ring: Ring) -> None:
    ring.cable("t1", "right", "t2", "left", cost=3)
    ring.compile()
    ring.world.delete(TransitSwitch, "t3")
    [delivery] = deliver(ring.switches(), "h1", RED["h1"], datagrams("h1", "h2")[0])
    assert [hop.switch for hop in delivery.path] == ["h1", "t1", "t2", "h2"]
    assert ring.compiler.switch_plan("t3") == {}


def test_a_switch_that_has_told_nothing_yet_changes_no_route_of_the_others(ring: Ring) -> None:
    # given a controller that has just started, and has heard of t1 alone
    ring.compile()
    before = dict(ring.compiler.switch_plan("t1"))
    fresh = Ring()
    fresh.world = ring.world
    known = fresh.world.observations.fabric_ports
    fresh.world.observations = replace(
        fresh.world.observations, fabric_ports=known.delete("t2").delete("t3").delete("h2").delete("h3")
    )
    # then what t1 is to hold is what it held
    fresh.compiler.advance(fresh.world.world)
    again = fresh.compiler.switch_plan("t1")
    assert {id_: each.flows for id_, each in again.items()} == {id_: x.flows for id_, x in before.items()}


def wrapped(source: int, target: int, label: int, inner: Packet) -> Packet:
    """What a stranger on a cable would send."""
    frame = inner.copy()
    frame[Field.ETH_SRC], frame[Field.ETH_DST] = host_label(source), host_label(target)
    frame[Field.ETH_TYPE], frame[Field.MPLS_LABEL], frame[Field.MPLS_BOS] = EthType.MPLS, label, 1
    return frame


def test_a_host_takes_only_its_own_label_from_a_known_host(ring: Ring) -> None:
    network, inner = ring.switches(), datagrams("h1", "h3")[0]
    for source, target, label in ((99, 3, 101), (1, 2, 101), (1, 3, 999)):
        assert deliver(network, "h3", UPLINK, wrapped(source, target, label, inner)) == []
    assert deliver(network, "h3", UPLINK, inner) == []


def test_a_tenant_cannot_write_labels(ring: Ring) -> None:
    network, inner = ring.switches(), datagrams("h1", "h3")[0]
    # a frame like those of the fabric comes back out as it was, inside another, or not at all
    found = deliver(network, "h1", RED["h1"], wrapped(1, 3, 102, inner))
    assert found == []


def test_a_tagged_frame_does_not_cross(ring: Ring) -> None:
    packet = datagrams("h1", "h2")[0]
    packet[Field.VLAN_TCI] = VLAN_PRESENT | 5
    assert deliver(ring.switches(), "h1", RED["h1"], packet) == []


def test_peers_follow_a_port_s_first_frame_at_its_new_host(ring: Ring) -> None:
    # given red's port of h2, prepared at h3, and no controller from now on
    port = ring.world.snapshot.get(type(ring.port("spare", 50, "red", "h1")), "red-h2")
    assert port is not None
    ring.world.bind(port, "h3", 22, BindingState.PREPARED, 2)
    network = ring.switches()
    before = deliver(network, "h1", RED["h1"], datagrams("h1", "h2")[0])
    assert [(each.switch, each.port) for each in before] == [("h2", RED["h2"])]
    # when it speaks at h3
    announcement = build.udp((MACS["h2"], MACS["h1"]), (V4["h2"], V4["h1"]), (1, 2))
    assert [each.switch for each in deliver(network, "h3", 22, announcement)] == ["h1"]
    # then the peer's frames go there, over the fabric, both families
    for packet in datagrams("h1", "h2"):
        after = deliver(network, "h1", RED["h1"], packet)
        assert [(each.switch, each.port) for each in after] == [("h3", 22)]


def test_what_cannot_be_reached_is_told_with_its_reason(ring: Ring) -> None:
    def obstacles() -> list[str]:
        reader = Reader(ring.world.world)
        one, *others = (host for name in HOSTS if (host := reader.get(Host, name)) is not None)
        return HopByHop().obstacles(reader, one, {other.id: other for other in others})

    assert obstacles() == []
    ring.lose("t2", "left", "right")
    assert obstacles() == ["no path through the fabric from host h1 to host h2"]
    ring.lose("t3", "to-h3")
    assert obstacles()[0] == "no link in service joins interface fab of host h3 to a transit switch"
    ring.tell("h1", {})
    assert "interface fab of host h1 is not in its bridge, or has no carrier" in obstacles()
    host = ring.world.snapshot.get(Host, "h1")
    assert host is not None
    ring.world.put(replace(host, fabric_interface=""))
    assert "host h1 has no fabric_interface" in obstacles()


def test_a_frame_that_no_one_can_carry_is_lost_where_the_fabric_ends(ring: Ring) -> None:
    ring.lose("t2", "left", "right")
    journey = follow(ring.switches(), "h1", RED["h1"], datagrams("h1", "h2")[0])
    assert [loss.switch for loss in journey.losses] == ["t1"]


def test_what_came_in_from_a_physical_network_has_a_mark_and_no_gateway_lets_it_out(ring: Ring) -> None:
    # given a network that is bridged at h2, and later at h1 and without its port at h3, of which h1 alone has heard
    ring.world.put(Segment(id="flat", network_id="red", network_type="flat", physical_network="rack"))
    bridge(ring, "h2", True)
    network = ring.switches()
    bridge(ring, "h2", False)
    bridge(ring, "h1", True)
    ring.world.delete(Port, "red-h3")
    network.switches["h1"] = ring.switches().switches["h1"]
    # when somebody says the same in the port's name, from within and from the physical network
    said = build.gratuitous_arp(MACS["h3"], V4["h3"])
    within, outside = (
        {(each.switch, each.port) for each in deliver(network, *place, said)}
        for place in (("h3", RED["h3"]), ("h1", OUTSIDE))
    )
    # then only what the port itself says is let out by h2
    assert within == {("h1", RED["h1"]), ("h2", RED["h2"]), ("h2", OUTSIDE)}
    assert outside == {(host, RED[host]) for host in HOSTS}


def bridge(ring: Ring, host: str, there: bool) -> None:
    """A host has a bridge into the physical network, or has it no longer."""
    known = ring.world.snapshot.get(Host, host)
    assert known is not None
    ring.world.put(replace(known, physical_networks=(PhysicalBridge("rack", "br-ex"),) if there else ()))
