"""Traces over tables without switches: what is told of every way in which a packet can end."""

from dataclasses import replace
from ipaddress import ip_network

import pytest
from tests.app.traced_world import TracedWorld

from overlace.compiler.pipeline import Table
from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.datapath.match import match
from overlace.model.network import Network, Subnet
from overlace.model.policy import Direction
from overlace.model.port import AddressPair, Binding, BindingState
from overlace.model.site import Site
from overlace.northbound.views import UnknownError


@pytest.fixture
def world() -> TracedWorld:
    return TracedWorld()


async def test_given_a_rule_when_a_connection_is_made_then_both_ways_are_told(world: TracedWorld) -> None:
    told = await world.trace("db", "web", protocol="tcp", port=80)
    forward, back = told["forward"], told["return"]
    assert (forward["verdict"], back["verdict"]) == ("delivered", "delivered")
    assert [hop["host"] for hop in forward["hops"]] == ["h2", "h1"]
    assert [hop["host"] for hop in back["hops"]] == ["h1", "h2"]
    rules = [step for step in forward["hops"][1]["steps"] if step["table"] == "INGRESS_RULE"]
    assert rules[-1]["text"] == "security group front, rule tcp 80 from any IPv4 address"
    assert rules[-1]["cause"]["rule_id"] == "front-rule-10"
    assert forward["delivered_to"] == [{"host": "h1", "port_id": "web", "name": "web"}]
    assert forward["differences"] == []


SPOOFS = [
    ({"source_mac": "02:00:00:00:00:99"}, "spoofed_mac"),
    ({"source_ip": "192.168.0.99"}, "spoofed_ip"),
    ({"source_ip": "fd00::99", "ip_version": 6}, "spoofed_ip"),
    ({"source_ip": "192.168.0.99", "protocol": "arp"}, "spoofed_arp"),
    ({"source_ip": "fd00::99", "protocol": "nd", "ip_version": 6}, "spoofed_nd"),
    ({"vlan": 5}, "tagged_frame"),
    ({"protocol": "udp", "source_port": 67, "port": 68}, "dhcp_server"),
    ({"protocol": "udp", "source_port": 547, "port": 546, "ip_version": 6}, "dhcp_server"),
    ({"protocol": "ra"}, "router_advertisement"),
]


@pytest.mark.parametrize(
    ("packet", "reason"), SPOOFS, ids=[f"{reason}-{n}" for n, (_, reason) in enumerate(SPOOFS)]
)
async def test_given_a_frame_that_lies_then_the_source_guard_says_about_what(
    world: TracedWorld, packet: dict[str, object], reason: str
) -> None:
    told = await world.forward("web", "db", **packet)
    assert (told["verdict"], told["reason"]) == ("dropped", reason)
    assert told["summary"].startswith("source guard of port web: ")
    assert [hop["host"] for hop in told["hops"]] == ["h1"]


async def test_given_an_allowed_pair_then_its_address_is_no_lie(world: TracedWorld) -> None:
    pair = AddressPair(ip_network("192.168.0.99/32"))
    world.world.put(replace(world.ports["web"], allowed_address_pairs=(pair,)))
    told = await world.forward("web", "db", protocol="tcp", port=5432, source_ip="192.168.0.99")
    assert told["verdict"] == "delivered"


async def test_given_no_rule_then_port_group_and_cure_are_named(world: TracedWorld) -> None:
    told = await world.forward("client", "web", protocol="tcp", port=22)
    assert (told["verdict"], told["reason"]) == ("dropped", "no_rule")
    assert told["summary"] == (
        "no ingress rule of security groups front of port web permits tcp 22 from 192.168.0.13"
    )
    assert told["cure"] == (
        "openstack security group rule create --ingress --ethertype IPv4 --protocol tcp --dst-port 22 "
        "--remote-ip 192.168.0.13 front"
    )


async def test_given_no_egress_rule_then_it_ends_at_its_own_host(world: TracedWorld) -> None:
    world.world.put(replace(world.ports["web"], security_groups=()))
    told = await world.forward("web", "db", protocol="tcp", port=5432)
    assert (told["reason"], len(told["hops"])) == ("no_security_group", 1)


async def test_given_a_remote_group_when_the_other_end_is_no_member_then_it_says_so(
    world: TracedWorld,
) -> None:
    assert (await world.forward("web", "db", protocol="tcp", port=5432))["verdict"] == "delivered"
    told = await world.forward("client", "db", protocol="tcp", port=5432)
    assert told["reason"] == "remote_group"
    assert "192.168.0.13 is not a member as in rule tcp from members of front" in told["summary"]


async def test_given_a_withdrawn_rule_when_a_connection_was_open_then_its_replies_pass_and_it_does_not(
    world: TracedWorld,
) -> None:
    packet = {"protocol": "tcp", "port": 22}
    assert (await world.forward("client", "web", state="established", **packet))["reason"] == "no_rule"
    assert (await world.forward("web", "client", state="reply", **packet))["verdict"] == "delivered"


async def test_given_an_unknown_destination_then_network_and_mac_are_named(world: TracedWorld) -> None:
    told = await world.forward("web", "02:00:00:00:00:77")
    assert told["reason"] == "unknown_destination"
    assert told["summary"] == "network red: unknown destination, no port has MAC 02:00:00:00:00:77"
    assert (await world.forward("web", "192.168.0.77"))["verdict"] == "unanswered"


async def test_given_a_network_on_a_vlan_when_no_port_has_the_address_then_the_frame_is_seen_to_go_there(
    world: TracedWorld,
) -> None:
    world.bridge_to_a_vlan("h2")
    told = await world.forward("web", "02:00:00:00:00:77")
    assert told["summary"] == "delivered to physical network rack, by bridge br-rack of h2"

    # a port without port security may send as anybody, but not into the VLAN
    world.world.put(replace(world.ports["web"], port_security_enabled=False, security_groups=()))
    told = await world.forward("web", "02:00:00:00:00:77", source_mac="02:00:00:00:00:78")
    assert told["reason"] == "sender_is_no_port"


async def test_given_a_destination_that_is_down_then_that_is_why(world: TracedWorld) -> None:
    world.world.put(replace(world.ports["db"], admin_state_up=False))
    told = await world.forward("web", "db", protocol="tcp", port=5432)
    assert told["reason"] == "destination_down"
    assert "port db has MAC 02:00:00:00:00:0c, but its administrative state is down" in told["summary"]


async def test_given_a_source_that_is_down_then_nothing_enters(world: TracedWorld) -> None:
    world.world.put(replace(world.ports["web"], admin_state_up=False))
    assert (await world.forward("web", "db"))["reason"] == "port_down"


async def test_given_a_network_that_is_down_then_nothing_enters(world: TracedWorld) -> None:
    network = world.world.snapshot.get(Network, "red")
    assert network is not None
    world.world.put(replace(network, admin_state_up=False))
    assert (await world.forward("web", "db"))["reason"] == "network_down"


async def test_given_no_interface_then_the_packet_is_not_sent_and_the_reason_is_that_of_why(
    world: TracedWorld,
) -> None:
    world.world.port("idle", 9, "red", 19, "front")
    told = await world.forward("idle", "db")
    assert (told["verdict"], told["reason"]) == ("not_sent", "not_plugged")


async def test_given_a_bound_port_without_interface_then_its_host_drops(world: TracedWorld) -> None:
    world.world.ofport("h2", "db", None)
    told = await world.forward("web", "db", protocol="tcp", port=5432)
    assert told["reason"] == "port_not_here"
    assert told["summary"] == "port db has no working interface at this host"


async def test_given_a_switch_that_answers_then_no_packet_leaves_it(world: TracedWorld) -> None:
    for protocol in ("arp", "nd"):
        told = await world.forward("web", "db", protocol=protocol, ip_version=4 if protocol == "arp" else 6)
        assert (told["verdict"], len(told["hops"])) == ("answered", 1)
    assert (await world.forward("web", "192.168.0.1", protocol="arp"))["verdict"] == "answered"
    assert (await world.forward("web", protocol="dhcp"))["verdict"] == "controller"
    assert (await world.forward("web", protocol="dhcp", ip_version=6))[
        "verdict"
    ] == "dropped"  # no such subnet
    of_ipv4 = world.world.snapshot.get(Subnet, "subnet-red")
    assert of_ipv4 is not None
    of_ipv6 = replace(of_ipv4, id="six", ip_version=6, cidr=ip_network("fd00::/64"), gateway_ip=None)
    world.world.put(of_ipv6)
    assert (await world.forward("web", protocol="dhcp", ip_version=6))["verdict"] == "controller"


async def test_given_a_broadcast_then_every_other_port_gets_it_that_may(world: TracedWorld) -> None:
    told = await world.forward("web", "broadcast", protocol="udp", port=9)
    assert told["verdict"] == "dropped"  # nobody's rules permit it
    world.world.permit("back", 20, Direction.INGRESS, protocol="udp")
    told = await world.forward("web", "broadcast", protocol="udp", port=9)
    assert {each["name"] for each in told["delivered_to"]} == {"db", "client"}


async def test_given_a_port_on_the_move_then_its_old_host_redirects(world: TracedWorld) -> None:
    db = world.ports["db"]
    world.world.put(
        Binding(
            port_id="db", network_id="red", host_id="h2", state=BindingState.RELEASING, generation=1, zone=2
        )
    )
    world.world.bind(db, "h3", 7, BindingState.ACTIVE, 2)
    told = await world.forward("web", "db", protocol="tcp", port=5432)
    assert (told["verdict"], told["delivered_to"][0]["host"]) == ("delivered", "h3")


async def test_given_a_fabric_then_its_switches_are_hops(world: TracedWorld) -> None:
    world.join_by_fabric()
    told = await world.trace("web", "db", protocol="tcp", port=5432)
    assert told["forward"]["verdict"] == "delivered", told["forward"]["summary"]
    assert [hop["host"] for hop in told["forward"]["hops"]] == ["h1", "t1", "h2"]
    assert told["forward"]["hops"][1]["steps"][0]["text"] == "way to host h2"
    assert told["return"]["verdict"] == "delivered"


async def test_given_a_packet_that_is_too_big_then_the_site_is_named(world: TracedWorld) -> None:
    told = await world.forward("web", "db", protocol="tcp", port=5432, size=1451)
    assert (told["verdict"], told["reason"]) == ("dropped", "too_big")
    assert told["summary"] == "1451 bytes become 1501 between hosts, and site site-a carries 1500"
    world.world.put(Site(id="site-a", mtu=1600))
    told = await world.forward("web", "db", protocol="tcp", port=5432, size=1451)
    assert told["verdict"] == "delivered"
    assert told["warning"]["reason"] == "above_mtu"


async def test_given_a_flow_that_is_gone_then_it_is_named_and_what_should_have_been(
    world: TracedWorld,
) -> None:
    tracer, switches = world.tracer()
    deliver = next(flow for flow in switches.wanted("h2") if flow.table == Table.DELIVER)
    switches.taken["h2"] = {deliver}
    told: dict[str, object] = dict(
        await tracer.trace({"source": "web", "destination": "db", "protocol": "tcp", "port": 1}, None)
    )
    forward = told["forward"]
    assert isinstance(forward, dict)
    assert (forward["verdict"], forward["planned"]) == ("dropped", "delivered")
    assert forward["summary"] == "h2 lacks a flow of interface of port db"
    assert forward["cure"] == "overlace host audit h2"
    assert switches.read == ["h1", "h2"]  # each once, though both ways over both tables were followed


async def test_given_a_foreign_flow_then_the_drop_is_blamed_on_it(world: TracedWorld) -> None:
    tracer, switches = world.tracer()
    switches.added["h1"] = [Flow(int(Table.DESTINATION), 999, match({Field.ETH_TYPE: 0x0800}), (), 0xBAD)]
    told = dict(
        await tracer.trace({"source": "web", "destination": "db", "protocol": "tcp", "port": 1}, None)
    )
    forward = told["forward"]
    assert isinstance(forward, dict)
    assert forward["reason"] == "unlike_the_plan"
    assert "a flow that Overlace did not make (cookie 0xbad)" in forward["summary"]


async def test_given_a_difference_elsewhere_then_nothing_is_made_of_it(world: TracedWorld) -> None:
    tracer, switches = world.tracer()
    switches.added["h1"] = [Flow(int(Table.DESTINATION), 999, match({Field.ETH_DST: 0x99}), (), 0xBAD)]
    told = dict(
        await tracer.trace({"source": "web", "destination": "db", "protocol": "tcp", "port": 1}, None)
    )
    forward = told["forward"]
    assert isinstance(forward, dict)
    assert (forward["verdict"], forward["differences"]) == ("delivered", [])


async def test_given_both_then_the_opposite_direction_is_another_question(world: TracedWorld) -> None:
    told = await world.trace("web", "db", protocol="tcp", port=5432, both=True)
    assert told["forward"]["verdict"] == "delivered"
    assert told["opposite"]["reason"] == "no_rule"


async def test_given_a_project_then_it_learns_neither_hosts_nor_others(world: TracedWorld) -> None:
    told = await world.trace("web", "db", project="project-red", protocol="tcp", port=5432)
    text = repr(told)
    assert told["forward"]["verdict"] == "delivered"
    assert [hop["host"] for hop in told["forward"]["hops"]] == ["host 1", "host 2"]
    assert not any(word in text for word in ("h1", "h2", "10.1.0.", "reg1", "table="))
    with pytest.raises(UnknownError):
        await world.trace("web", "db", project="project-blue")
    world.world.put(replace(world.ports["db"], project_id="project-blue", name="secret"))
    with pytest.raises(UnknownError):
        await world.trace("web", "db", project="project-red")
    told = await world.trace("web", "192.168.0.12", project="project-red", protocol="tcp", port=5432)
    assert told["forward"]["summary"] == "delivered to a port of another project"
    assert "secret" not in repr(told)
    assert "'db'" not in repr(told)


@pytest.mark.parametrize(
    ("question", "complaint"),
    [
        ({"destination": "db"}, "source"),
        ({"source": "web"}, "destination"),
        ({"source": "web", "destination": "db", "protocol": "tcp"}, "port"),
        ({"source": "web", "destination": "db", "protocol": "smtp"}, "smtp"),
        ({"source": "web", "destination": "db", "port": 70000}, "65535"),
        ({"source": "web", "destination": "db", "sise": 9}, "sise"),
        ({"source": "web", "destination": "192.168.0.12", "ip_version": 6}, "IPv6"),
        ({"source": "web", "destination": "db", "source_mac": "x"}, "MAC"),
        ({"source": "web", "destination": "db", "source_ip": "fd00::1"}, "source_ip"),
        ({"source": "web", "destination": "192.168.0.77", "both": True}, "both"),
    ],
)
async def test_given_a_question_without_sense_then_it_is_refused_by_name(
    world: TracedWorld, question: dict[str, object], complaint: str
) -> None:
    tracer, _ = world.tracer()
    with pytest.raises(ValueError, match=complaint):
        await tracer.trace(question, None)


async def test_given_a_switch_that_cannot_be_read_then_the_way_up_to_it_is_told(world: TracedWorld) -> None:
    tracer, switches = world.tracer()
    switches.away.add("h2")
    told = dict(
        await tracer.trace({"source": "web", "destination": "db", "protocol": "tcp", "port": 1}, None)
    )
    forward = told["forward"]
    assert isinstance(forward, dict)
    assert (forward["verdict"], [hop["host"] for hop in forward["hops"]]) == ("unknown", ["h1"])
    assert forward["summary"] == "the flows of h2 cannot be read: switch h2 is not connected"


async def test_given_two_ports_of_one_name_then_their_ids_are_asked_for(world: TracedWorld) -> None:
    for port in ("db", "client"):
        world.world.put(replace(world.ports[port], name="twin"))
    with pytest.raises(ValueError, match="2 things are called twin"):
        await world.trace("web", "twin")


async def test_given_an_object_then_its_flows_on_every_switch_are_listed(world: TracedWorld) -> None:
    tracer, switches = world.tracer()
    told = await tracer.flows_of("web")
    assert isinstance(told["switches"], list)
    by_name = {each["switch"]: each for each in told["switches"]}
    assert set(by_name) == {"h1", "h2", "h3"}
    assert all(len(each["flows"]) == each["wanted"] > 0 for each in by_name.values())
    assert "DELIVER" in {flow["table"] for flow in by_name["h1"]["flows"]}
    assert "DELIVER" not in {flow["table"] for flow in by_name["h2"]["flows"]}
    for name in ("red", "front", "h3"):
        assert (await tracer.flows_of(name))["switches"]
    switches.away.add("h1")
    told = await tracer.flows_of("web")
    assert isinstance(told["switches"], list)
    assert told["switches"][0]["error"] == "switch h1 is not connected"
    with pytest.raises(UnknownError):
        await tracer.flows_of("nothing")
