"""Every flow of the plan leads to an object, and every object to its flows."""

from tests.compiler.worlds import WorldBuilder

from overlace.compiler.cause import Causes, cookies_of
from overlace.compiler.compiler import Compiler
from overlace.compiler.pipeline import Table
from overlace.datapath.flow import Flow
from overlace.datapath.match import Match
from overlace.model.network import Network
from overlace.model.policy import Direction, EtherType, SecurityGroup, SecurityGroupRule
from overlace.model.port import Port


def plan_of(world: WorldBuilder, host: str = "h1") -> list[Flow]:
    compiler = Compiler()
    compiler.advance(world.world)
    return [flow for fragment in compiler.switch_plan(host).values() for flow in fragment.flows]


def small_world() -> WorldBuilder:
    world = WorldBuilder()
    world.hosts("h1", "h2")
    world.network("red", 1)
    world.group("web", 1)
    world.group("ops", 2)
    for number, host in enumerate(("h1", "h2"), start=1):
        world.bind(world.port(f"red{number}", number, "red", 10 + number, "web"), host, number)
    return world


def texts(world: WorldBuilder, table: Table) -> set[str]:
    causes = Causes(world.snapshot)
    return {causes.of(flow).text for flow in plan_of(world) if flow.table == table}


def test_given_a_plan_then_no_flow_is_without_cause() -> None:
    world = small_world()
    world.permit_everything("web")
    causes = Causes(world.snapshot)
    found = [causes.of(flow) for flow in plan_of(world)]
    assert {each.kind for each in found} == {"base", "host", "network", "port", "security_group"}
    assert all(each.name for each in found if each.kind != "base")


def test_given_rules_of_every_kind_then_each_flow_names_its_rule() -> None:
    world = small_world()
    world.permit("web", 1, Direction.INGRESS, protocol="tcp", port_range_min=80, port_range_max=88)
    world.permit("web", 2, Direction.INGRESS, protocol="udp", remote_group_id="ops")
    world.permit("web", 3, Direction.INGRESS, ethertype=EtherType.IPV6)
    assert texts(world, Table.INGRESS_RULE) == {
        "security group web, rule tcp 80-88 from any IPv4 address",
        "security group web, rule udp from members of ops",
        "security group web, rule any protocol from any IPv6 address",
    }
    assert texts(world, Table.INGRESS_GROUP) == {"security group web"}


def test_given_answers_of_the_switch_then_the_address_is_named() -> None:
    assert texts(small_world(), Table.RESPOND) >= {
        "answer for 192.168.0.12 of port red2",
        "answer for fd00::c of port red2",
        "answer for gateway 192.168.0.1 of network red",
        "network red: a host asks for its configuration, the controller answers",
        "port red1 asks for its own address",
    }


def test_given_objects_that_are_gone_then_their_flows_say_so() -> None:
    world = small_world()
    flows = plan_of(world)
    world.delete(Port, "red1")
    found = {Causes(world.snapshot).of(flow).kind for flow in flows}
    assert "gone" in found


def test_given_a_rule_that_is_gone_then_its_group_is_left() -> None:
    world = small_world()
    world.permit("web", 1, Direction.INGRESS, protocol="tcp")
    flow = next(flow for flow in plan_of(world) if flow.table == Table.INGRESS_RULE)
    world.delete(SecurityGroupRule, "web-rule-1")
    cause = Causes(world.snapshot).of(flow)
    assert (cause.text, cause.rule_id) == ("security group web", "")


def test_given_a_flow_of_nobody_then_it_is_foreign() -> None:
    cause = Causes(small_world().snapshot).of(Flow(99, 1, Match(), (), 0xBAD))
    assert (cause.kind, cause.text) == ("foreign", "a flow that Overlace did not make (cookie 0xbad)")


def test_given_an_object_then_its_cookies_are_those_of_the_flows_that_it_caused() -> None:
    world = small_world()
    world.permit_everything("web")
    causes = Causes(world.snapshot)
    for cls, key in ((Port, "red1"), (Network, "red"), (SecurityGroup, "web")):
        owner = world.snapshot.get(cls, key)
        assert isinstance(owner, Port | Network | SecurityGroup)
        caused = {flow.cookie for flow in plan_of(world) if causes.of(flow).id == key}
        assert caused and caused <= set(cookies_of(owner))
