"""BFD ports: the same sessions at both ends, one for each pair of endpoints, nothing but BFD through them."""

from ipaddress import ip_address

import hypothesis.strategies as st
import pytest
from hypothesis import given
from tests.compiler.worlds import WorldBuilder

from overlace.compiler.compiler import Compiler
from overlace.compiler.liveness import MOST_WAYS, Watch, WatchedHost, build, liveness_ofport, ways_between
from overlace.compiler.pipeline import LIVENESS_OFPORT_FIRST, LIVENESS_OFPORT_LAST, VNI_LIVENESS
from overlace.compiler.plan import TunnelPort
from overlace.datapath.text import format_flow
from overlace.model.controller import TUNNEL_PORT, Controller

ADDRESSES = [
    ip_address(text) for text in ("192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2")
]
FAR = [ip_address(text) for text in ("198.51.100.1", "198.51.100.2", "2001:db8:1::1", "2001:db8:1::2")]


def host(number: int, *addresses: str, site: str = "a") -> WatchedHost:
    return WatchedHost(site, f"h{number}", number, tuple(map(ip_address, addresses)))


def ports(*hosts: WatchedHost) -> dict[str, tuple[TunnelPort, ...]]:
    return {fragment.id[1]: fragment.tunnel_ports for fragment in build(Watch(hosts, TUNNEL_PORT)).fragments}


def test_two_hosts_watch_each_other() -> None:
    made = ports(host(1, "192.0.2.1"), host(2, "192.0.2.2"))
    (port,) = made["h1"]
    assert dict(port.options) == {"key": str(VNI_LIVENESS), "remote_ip": "192.0.2.2"}
    assert dict(port.bfd)["enable"] == "true"
    assert dict(made["h2"][0].options)["remote_ip"] == "192.0.2.1"


def test_of_several_addresses_of_a_family_each_session_has_its_own() -> None:
    made = ports(host(1, "192.0.2.1", "192.0.2.11", "2001:db8::1"), host(2, "192.0.2.2", "2001:db8::2"))
    ways = {(dict(port.options).get("local_ip"), dict(port.options)["remote_ip"]) for port in made["h1"]}
    assert ways == {("192.0.2.1", "192.0.2.2"), ("192.0.2.11", "192.0.2.2"), (None, "2001:db8::2")}


def test_a_frame_that_comes_in_there_is_dropped() -> None:
    (fragment, _) = build(Watch((host(1, "192.0.2.1"), host(2, "192.0.2.2")), TUNNEL_PORT)).fragments
    (port,) = fragment.tunnel_ports
    assert [format_flow(flow) for flow in fragment.flows] == [
        f"table=0,priority=300,cookie=0x801000000000002,in_port={port.ofport} actions=drop"
    ]


def test_hosts_without_a_family_in_common_do_not_watch_each_other() -> None:
    assert ports(host(1, "192.0.2.1"), host(2, "2001:db8::2")) == {}
    assert ports(host(1), host(2)) == {}


def test_a_port_has_one_number_whoever_watches() -> None:
    made = ports(host(1, "192.0.2.1"), host(2, "192.0.2.2"), host(3, "192.0.2.3"))
    numbers = {
        port.ofport
        for name in ("h1", "h2")
        for port in made[name]
        if "192.0.2.3" in dict(port.options).values()
    }
    assert len(numbers) == 1


@given(
    st.lists(st.sampled_from(ADDRESSES), unique=True, max_size=5),
    st.lists(st.sampled_from(FAR), unique=True, max_size=4),
)
def test_both_ends_choose_the_same_sessions(near: list[object], far: list[object]) -> None:
    one = WatchedHost("a", "one", 1, tuple(near))  # type: ignore[arg-type]
    other = WatchedHost("b", "other", 2, tuple(far))  # type: ignore[arg-type]
    ways = list(ways_between(one, other))
    out = {(way.source, way.target, way.rank) for way in ways if way.near is one}
    back = {(way.target, way.source, way.rank) for way in ways if way.near is other}
    assert out == back
    assert len(out) <= MOST_WAYS
    assert all(source.version == target.version for source, target, _ in out)


@given(st.integers(0, 1 << 31), st.integers(0, MOST_WAYS - 1))
def test_numbers_stay_in_their_range(key: int, rank: int) -> None:
    assert LIVENESS_OFPORT_FIRST <= liveness_ofport(key, rank) <= LIVENESS_OFPORT_LAST


@pytest.mark.parametrize("number", [2, 20, 60])
def test_names_fit_and_are_unique(number: int) -> None:
    hosts = [host(key, f"10.0.0.{key}", f"fd00::{key}", site=f"s{key % 3}") for key in range(1, number + 1)]
    for made in ports(*hosts).values():
        assert len({port.name for port in made}) == len({port.ofport for port in made}) == len(made)
        assert all(len(port.name) <= 15 for port in made)


def test_of_two_hosts_that_share_a_number_one_is_watched() -> None:
    far = 1 + (LIVENESS_OFPORT_LAST - LIVENESS_OFPORT_FIRST + 1) // MOST_WAYS
    made = ports(host(2, "192.0.2.2"), host(1, "192.0.2.1"), host(far, "192.0.2.9"))
    assert len(made["h2"]) == 1


def test_given_a_port_of_their_own_when_tunnels_are_made_then_all_use_it_and_the_usual_one_is_not_named() -> (
    None
):
    # given two hosts
    world = WorldBuilder()
    world.hosts("h1", "h2")
    compiler = Compiler()
    compiler.advance(world.world)

    def told() -> set[str | None]:
        plan = compiler.switch_plan("h1").values()
        return {dict(port.options).get("dst_port") for fragment in plan for port in fragment.tunnel_ports}

    assert told() == {None}
    # when another UDP port is chosen
    world.take_dirty()
    world.put(Controller(tunnel_port=14789))
    change = compiler.advance(world.world, world.take_dirty())
    # then the flow-based port and those of BFD have it, on every host, and no flow has changed
    assert told() == {"14789"}
    assert set(change.switches) == {"h1", "h2"}
    for each in change.switches.values():
        for name, fragment in each.added.items():
            assert fragment.flows == each.removed[name].flows
