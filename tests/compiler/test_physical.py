"""Networks bridged to physical ones, where hosts differ in what they know of gateways and of ports."""

from dataclasses import replace
from ipaddress import IPv4Address

from tests.compiler.differing_views import network
from tests.compiler.worlds import WorldBuilder

from overlace.compiler.pipeline import PHYSICAL_OFPORT
from overlace.datapath.interpreter import Packet, build, deliver
from overlace.kit.addresses import Mac
from overlace.model.network import Segment
from overlace.model.site import Host, PhysicalBridge

PATCH = PHYSICAL_OFPORT + 1
OLD, NEW = "old", "new"
NEW_MAC, STRANGER = Mac(0x02000000000D), Mac(0x0200000000DD)


def world(gateway: str, *ports: str) -> WorldBuilder:
    """A network over three hosts, bridged at one of them; ports `old` are at h1 and h2, `new` is at h3."""
    built = WorldBuilder()
    built.hosts("h1", "h2", "h3")
    built.network("n", 1)
    built.put(Segment(id="flat", network_id="n", network_type="flat", physical_network="rack"))
    host = built.snapshot.get(Host, gateway)
    assert host is not None
    built.put(replace(host, physical_networks=(PhysicalBridge("rack", "br-ex"),)))
    for key, (port, place) in enumerate(((OLD, "h1"), (OLD, "h2"), (NEW, "h3")), start=1):
        if port in ports:
            built.bind(built.port(f"{port}-{place}", key, "n", 10 + key), place, 2)
    return built


def announcement(mac: Mac, octet: int) -> Packet:
    """A broadcast in the name of this address."""
    return build.gratuitous_arp(mac, IPv4Address(f"192.168.0.{octet}"))


def test_what_comes_in_reaches_every_port_and_is_not_let_out_again() -> None:
    known = world("h1", OLD, NEW)
    came = deliver(network(h1=known, h2=known, h3=known), "h1", PATCH, announcement(STRANGER, 99))
    assert {(each.switch, each.port) for each in came} == {("h1", 2), ("h2", 2), ("h3", 2)}


def test_a_gateway_of_yesterday_that_knows_a_port_not_yet_begins_no_circle() -> None:
    # given h1, cut off from the controller: it still bridges the network, and has never heard of the port at h3
    past, now = world("h1", OLD), world("h2", OLD, NEW)
    hosts = network(h1=past, h2=now, h3=now)
    # when the port speaks to everybody
    first = deliver(hosts, "h3", 2, announcement(NEW_MAC, 13))
    # then the gateway of today lets it out
    assert ("h2", PATCH) in {(each.switch, each.port) for each in first}
    # and when it comes in again at yesterday's, then it may come to ports a second time, but never out
    again = deliver(hosts, "h1", PATCH, announcement(NEW_MAC, 13))
    assert {each.port for each in again} == {2}


def test_a_sender_that_is_a_port_no_longer_is_let_out_by_nobody() -> None:
    # given h2, which has not heard yet that the port is gone and that it is the gateway no longer
    past, now = world("h2", OLD, NEW), world("h1", OLD)
    hosts = network(h1=now, h2=past, h3=now)
    # when a machine of the physical network speaks with the port's address
    came = deliver(hosts, "h1", PATCH, announcement(NEW_MAC, 13))
    # then it is heard by ports alone
    assert {(each.switch, each.port) for each in came} == {("h1", 2), ("h2", 2)}
