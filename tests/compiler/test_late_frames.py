"""Late frames: sent on once to where their port is, and never in circles."""

from dataclasses import replace
from ipaddress import IPv4Address

from tests.compiler.differing_views import network
from tests.compiler.worlds import WorldBuilder

from overlace.compiler.compiler import Compiler
from overlace.compiler.pipeline import Table, failover_group
from overlace.datapath.actions import Learn
from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.datapath.interpreter import Network, Surroundings, build, deliver
from overlace.datapath.interpreter.learning import learned_flow
from overlace.datapath.interpreter.network import Delivery
from overlace.kit.addresses import Mac
from overlace.model.port import Binding, BindingState

HOSTS = ("h1", "h2", "h3")
PEER, MOVED = 1, 2
PEER_MAC, MOVED_MAC = Mac(0x02000000000B), Mac(0x02000000000C)
PEER_IP, MOVED_IP = IPv4Address("192.168.0.11"), IPv4Address("192.168.0.12")


def world(**states: BindingState) -> WorldBuilder:
    """A peer at h3, and a port with a binding in some state at h1 and h2."""
    built = WorldBuilder()
    built.hosts(*HOSTS)
    built.network("n", 1)
    built.bind(built.port("peer", PEER, "n", 11), "h3", 3)
    port = built.port("moved", MOVED, "n", 12)
    for generation, (host, state) in enumerate(states.items(), start=1):
        built.bind(port, host, 10 + int(host[-1]), state, generation)
    return built


def sent_by_the_peer(network: Network) -> tuple[list[Delivery], list[str]]:
    """Where a frame of the peer to the port comes out, and by which hosts it went."""
    journey = deliver(network, "h3", 3, build.udp((PEER_MAC, MOVED_MAC), (PEER_IP, MOVED_IP), (1, 2)))
    return journey, [hop.switch for each in journey for hop in each.path]


ACTIVE, PREPARED, RELEASING = BindingState.ACTIVE, BindingState.PREPARED, BindingState.RELEASING


def test_a_frame_to_the_old_host_goes_on_to_the_new_one_as_it_was() -> None:
    # given a peer that has not heard of the move
    late, moved = world(h1=ACTIVE, h2=PREPARED), world(h1=RELEASING, h2=ACTIVE)
    # when it sends
    [delivery], path = sent_by_the_peer(network(h1=moved, h2=moved, h3=late))
    # then the new host delivers it under the port's own address
    assert (delivery.switch, delivery.port, path) == ("h2", 12, ["h3", "h1", "h2"])
    assert delivery.packet[Field.ETH_DST] == MOVED_MAC


def test_two_hosts_that_each_believe_the_port_at_the_other_drop_the_frame() -> None:
    here, there = world(h1=RELEASING, h2=ACTIVE), world(h2=RELEASING, h1=ACTIVE)
    for peer in (here, there):
        assert sent_by_the_peer(network(h1=here, h2=there, h3=peer)) == ([], [])


def test_the_switch_itself_notices_that_the_interface_has_gone() -> None:
    # given a prepared move
    both = world(h1=ACTIVE, h2=PREPARED)
    sites = network(h1=both, h2=both, h3=both)
    [delivery], _ = sent_by_the_peer(sites)
    assert delivery.switch == "h1"
    # when the interface at the old host goes, and no controller says so
    sites.switches["h1"].surroundings = Surroundings(port_is_live=lambda port: port != 11)
    # then what arrives there goes to the prepared host, and there only once
    [delivery], path = sent_by_the_peer(sites)
    assert (delivery.switch, path) == ("h2", ["h3", "h1", "h2"])


def test_a_prepared_move_without_an_interface_at_the_old_host_needs_no_group() -> None:
    both = world(h1=ACTIVE, h2=PREPARED)
    both.ofport("h1", "moved", None)
    compiler = Compiler()
    compiler.advance(both.world)
    groups = {g.group_id for part in compiler.switch_plan("h1").values() for g in part.groups}
    assert failover_group(MOVED) not in groups
    [delivery], _ = sent_by_the_peer(network(h1=both, h2=both, h3=both))
    assert delivery.switch == "h2"


def test_what_is_fenced_neither_receives_nor_sends_on() -> None:
    late, fenced = world(h1=ACTIVE, h2=PREPARED), world(h1=RELEASING, h2=ACTIVE)
    for binding in list(fenced.snapshot.members(Binding, "host", "h1")):
        fenced.put(replace(binding, state=BindingState.FENCED))
    assert sent_by_the_peer(network(h1=fenced, h2=fenced, h3=late)) == ([], [])
    straggler = build.udp((MOVED_MAC, PEER_MAC), (MOVED_IP, PEER_IP), (1, 2))
    assert deliver(network(h1=fenced, h2=fenced, h3=late), "h1", 11, straggler) == []


def test_a_prepared_host_gets_a_second_copy_and_keeps_it_from_a_guest_that_is_not_running() -> None:
    # given a prepared move
    both = world(h1=ACTIVE, h2=PREPARED)
    sites = network(h1=both, h2=both, h3=both)
    # when the peer sends before the workload has started there
    [delivery], path = sent_by_the_peer(sites)
    # then the old host alone delivers
    assert (delivery.switch, path) == ("h1", ["h3", "h1"])


def test_once_the_workload_runs_at_the_new_host_what_still_goes_to_the_old_one_reaches_it() -> None:
    # given a prepared move, and a workload that has started at the new host, which the peer has not heard of
    both = world(h1=ACTIVE, h2=PREPARED)
    sites = network(h1=both, h2=both, h3=both)
    for flow in learned_at(both, "h2"):
        sites.switches["h2"].tables.add(flow)
    # when the peer sends to the old host
    journey, _ = sent_by_the_peer(sites)
    # then the new host delivers too, under the port's own address
    [delivery] = [each for each in journey if each.switch == "h2"]
    assert (delivery.port, delivery.packet[Field.ETH_DST]) == (12, MOVED_MAC)
    # and when the controllers know, the copies that are still under way are delivered
    sites.switches["h2"] = network(h2=world(h1=RELEASING, h2=ACTIVE)).switches["h2"]
    assert {each.switch for each in sent_by_the_peer(sites)[0]} == {"h1", "h2"}


def learned_at(built: WorldBuilder, host: str) -> list[Flow]:
    """What a host's rules make of the first frame of the workload there."""
    compiler = Compiler()
    compiler.advance(built.world)
    first = build.arp_request(MOVED_MAC, MOVED_IP, PEER_IP)
    everything = (flow for part in compiler.switch_plan(host).values() for flow in part.flows)
    flows = (flow for flow in everything if flow.table == Table.ARMED_LOCAL)
    return [learned_flow(act, first) for flow in flows for act in flow.actions if isinstance(act, Learn)]
