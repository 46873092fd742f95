"""Packets through several switches: over wires, over tunnels, round in circles."""

from ipaddress import IPv4Address, IPv6Address

from overlace.datapath.actions import (
    IN_PORT,
    PACKET_TYPE_ETHERNET,
    PACKET_TYPE_MPLS,
    Action,
    Decap,
    Encap,
    Goto,
    Output,
    SendToController,
    set_field,
)
from overlace.datapath.fields import EthType, Field
from overlace.datapath.flow import Flow
from overlace.datapath.interpreter import Network, Switch, Tables, TunnelPort, build, deliver, follow
from overlace.datapath.interpreter.network import Travel
from overlace.datapath.match import MatchValue, match

F = Field
A, B = 0x020000000001, 0x020000000002
V4 = (IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2"))
H1, H2, H3 = (IPv4Address(f"10.1.0.{n}") for n in (1, 2, 3))
H1_V6, H2_V6 = IPv6Address("fd01::1"), IPv6Address("fd01::2")
VXLAN = 100
PACKET = build.udp((A, B), V4, (1, 2))


def switch(*flows: Flow) -> Switch:
    return Switch(Tables(flows))


def flow(when: dict[Field, MatchValue], *actions: Action) -> Flow:
    return Flow(0, 1, match(when), actions)


def to_host(address: IPv4Address, key: int = 5001) -> tuple[Action, ...]:
    return set_field(F.TUN_ID, key), set_field(F.TUN_DST, int(address)), Output(VXLAN)


def hosts(**switches: Switch) -> Network:
    """Three hosts with a flow-based VXLAN port each."""
    addresses = {"h1": (H1, H1_V6), "h2": (H2, H2_V6), "h3": (H3,)}
    ports = [TunnelPort(name, VXLAN, addresses[name]) for name in switches]
    return Network(switches, tunnel_ports=ports)


def test_a_packet_crosses_a_wire_and_leaves_its_metadata_behind() -> None:
    network = Network(
        {
            "a": switch(flow({F.IN_PORT: 1}, set_field(F.REG0, 5), set_field(F.METADATA, 5), Output(2))),
            "b": switch(flow({F.IN_PORT: 7, F.REG0: 0, F.METADATA: 0}, Output(1))),
        },
        wires={("a", 2): ("b", 7)},
    )
    [delivery] = deliver(network, "a", 1, PACKET)
    assert (delivery.switch, delivery.port) == ("b", 1)
    assert [(hop.switch, hop.in_port, hop.out_port) for hop in delivery.path] == [("a", 1, 2), ("b", 7, 1)]


def test_a_packet_through_a_tunnel_arrives_with_its_key_and_the_sender_s_address() -> None:
    arriving: dict[Field, MatchValue] = {F.IN_PORT: VXLAN, F.TUN_ID: 5001, F.TUN_SRC: H1, F.TUN_DST: H2}
    network = hosts(h1=switch(flow({}, *to_host(H2))), h2=switch(flow(arriving, Output(3))))
    [delivery] = deliver(network, "h1", 1, PACKET)
    assert (delivery.switch, delivery.port, delivery.packet[F.ETH_SRC]) == ("h2", 3, A)


def test_tunnels_run_over_ipv6_too_and_ipv4_wins_where_both_are_set() -> None:
    v6 = (set_field(F.TUN_IPV6_DST, int(H2_V6)), Output(VXLAN))
    arrived = switch(flow({F.TUN_IPV6_SRC: H1_V6}, Output(6)), flow({F.TUN_SRC: H1}, Output(4)))
    network = hosts(h1=switch(flow({}, *v6)), h2=arrived, h3=arrived)
    assert [(d.switch, d.port) for d in deliver(network, "h1", 1, PACKET)] == [("h2", 6)]
    both = (set_field(F.TUN_DST, int(H3)), *v6)
    network.switches["h1"] = switch(flow({}, *both))
    assert [(d.switch, d.port) for d in deliver(network, "h1", 1, PACKET)] == [("h3", 4)]


def test_a_fixed_tunnel_needs_no_flow_and_catches_its_own_key_only() -> None:
    probe, tenant = 0xFFFFFE, 5001
    network = Network(
        {
            "h1": switch(flow({F.IN_PORT: 1}, Output(101)), flow({F.IN_PORT: 2}, *to_host(H2, tenant))),
            "h2": switch(flow({F.IN_PORT: 101}, Output(8)), flow({F.IN_PORT: VXLAN}, Output(9))),
        },
        tunnel_ports=[
            TunnelPort("h1", VXLAN, (H1,)),
            TunnelPort("h2", VXLAN, (H2,)),
            TunnelPort("h1", 101, (H1,), remote=H2, key=probe),
            TunnelPort("h2", 101, (H2,), remote=H1, key=probe),
        ],
    )
    assert [d.port for d in deliver(network, "h1", 1, PACKET)] == [8]
    assert [d.port for d in deliver(network, "h1", 2, PACKET)] == [9]


def test_what_is_sent_to_nobody_is_lost_and_it_is_said_why() -> None:
    unset = (set_field(F.TUN_ID, 1), Output(VXLAN))
    for actions, reason in (
        (to_host(IPv4Address("10.9.9.9")), "nobody takes tunnel packets at 10.9.9.9"),
        (to_host(H1), "10.1.0.1 is our own address"),
        (unset, "no tunnel destination"),
        ((), "drop"),
    ):
        journey = follow(hosts(h1=switch(flow({}, *actions))), "h1", 1, PACKET)
        assert not journey.deliveries
        assert [loss.reason for loss in journey.losses] == [reason]


def test_a_packet_in_is_told_with_its_switch() -> None:
    network = hosts(h1=switch(flow({}, *to_host(H2))), h2=switch(flow({}, SendToController(b"?"))))
    [packet_in] = follow(network, "h1", 1, PACKET).packet_ins
    assert (packet_in.switch, packet_in.event.userdata, len(packet_in.path)) == ("h2", b"?", 1)


def test_a_pseudowire_over_a_plain_link() -> None:
    wrap = (Encap(PACKET_TYPE_MPLS), set_field(F.MPLS_LABEL, 7), Encap(PACKET_TYPE_ETHERNET), Output(2))
    unwrap = (Decap(), Decap(PACKET_TYPE_ETHERNET), Output(1))
    network = Network(
        {
            "a": switch(flow({}, *wrap)),
            "b": switch(flow({F.ETH_TYPE: EthType.MPLS, F.MPLS_LABEL: 7}, *unwrap)),
        },
        wires={("a", 2): ("b", 2)},
    )
    [delivery] = deliver(network, "a", 1, PACKET)
    assert delivery.packet[F.UDP_DST] == 2


def test_a_loop_is_noticed() -> None:
    reflect = switch(flow({}, Output(IN_PORT)))
    start = switch(flow({F.IN_PORT: 1}, Output(2)), Flow(0, 0, match(), (Output(IN_PORT),)))
    network = Network({"a": start, "b": reflect}, wires={("a", 2): ("b", 2)})
    journey = follow(network, "a", 1, PACKET)
    assert [loss.reason for loss in journey.losses] == ["forwarding loop"]


def test_a_storm_is_noticed() -> None:
    storm = switch(flow({}, Output(2), Output(3), Output(4), Output(IN_PORT)))
    wires = {("a", port): ("b", port) for port in (2, 3, 4)}
    journey = follow(Network({"a": storm, "b": storm}, wires), "a", 1, PACKET)
    assert "forwarding loop" in {loss.reason for loss in journey.losses}


def test_a_travel_waits_for_a_switch_that_is_not_known_yet_and_records_its_way() -> None:
    network = Network({"a": switch(flow({F.IN_PORT: 1}, Output(2)))}, wires={("a", 2): ("b", 7)})
    travel = Travel(network, "a", 1, PACKET, recorded=True)
    assert travel.advance() == "b"
    assert travel.advance() == "b"  # asking again changes nothing
    network.switches["b"] = switch(flow({F.IN_PORT: 7}, Output(1)))
    assert travel.advance() is None
    assert [visit.switch for visit in travel.journey.visits] == ["a", "b"]
    assert [each.port for each in travel.journey.deliveries] == [1]


def test_a_packet_that_is_dropped_says_in_which_table_and_as_what() -> None:
    rewriting = switch(flow({}, set_field(F.REG0, 9), Goto(5)))
    [loss] = follow(Network({"a": rewriting}), "a", 1, PACKET).losses
    assert loss.dropped is not None and loss.dropped.packet is not None
    assert (loss.dropped.table, loss.dropped.packet[F.REG0]) == (5, 9)
