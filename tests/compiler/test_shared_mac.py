"""A MAC address that several ports may use: frames to it reach each of them once, wherever they are."""

from dataclasses import replace
from ipaddress import IPv4Address, ip_network

import pytest
from tests.compiler.proof.cloud import HOSTS, Cloud
from tests.compiler.proof.operations import SHARED_MAC

from overlace.datapath.interpreter import build, deliver
from overlace.kit.addresses import Mac
from overlace.model.port import AddressPair, BindingState, Port

VIRTUAL = IPv4Address("192.168.0.40")


@pytest.fixture
def cloud() -> Cloud:
    """A client on h1; two routers of one group on h2 and one on h3; all without port security."""
    built = Cloud()
    for key, host in enumerate(HOSTS, start=1):
        built.join(host, key)
    built.world.network("n", 1)
    for key, host in enumerate(("h1", "h2", "h2", "h3"), start=1):
        port = built.world.port(f"p{key}", key, "n", 10 + key)
        built.world.bind(port, host, built.plug(port, host))
        if host != "h1":
            pair = AddressPair(ip_network(VIRTUAL), SHARED_MAC)
            built.world.put(replace(port, allowed_address_pairs=(pair,)))
    built.compile()
    return built


def who_hears(cloud: Cloud, sender: int) -> list[str]:
    place = next(place for place, each in cloud.plugged.items() if each.port_id == f"p{sender}")
    packet = build.udp((10, SHARED_MAC), (IPv4Address("192.168.0.11"), VIRTUAL), (7, 7))
    reached = deliver(cloud.switches.network, *place, packet)
    return sorted(cloud.plugged[each.switch, each.port].port_id for each in reached)


def test_each_that_may_use_it_hears_it_once(cloud: Cloud) -> None:
    assert who_hears(cloud, 1) == ["p2", "p3", "p4"]


def test_one_of_them_reaches_the_others(cloud: Cloud) -> None:
    assert who_hears(cloud, 2) == ["p3", "p4"]


def test_a_router_on_the_move_hears_it_at_both_hosts(cloud: Cloud) -> None:
    moving = cloud.world.snapshot.get(Port, "p2")
    assert moving is not None
    cloud.world.bind(moving, "h3", cloud.plug(moving, "h3"), BindingState.PREPARED, generation=2)
    cloud.compile()
    assert who_hears(cloud, 1) == ["p2", "p2", "p3", "p4"]


def test_a_port_that_has_the_address_as_its_own_is_alone(cloud: Cloud) -> None:
    owner = cloud.world.snapshot.get(Port, "p4")
    assert owner is not None
    cloud.world.put(replace(owner, mac_address=Mac(SHARED_MAC)))
    cloud.compile()
    assert who_hears(cloud, 1) == ["p4"]


def test_nobody_hears_it_once_nobody_may_use_it(cloud: Cloud) -> None:
    for name in ("p2", "p3", "p4"):
        port = cloud.world.snapshot.get(Port, name)
        assert port is not None
        cloud.world.put(replace(port, allowed_address_pairs=()))
    cloud.compile()
    assert who_hears(cloud, 1) == []
