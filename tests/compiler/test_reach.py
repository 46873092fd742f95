"""How hosts are reached: by a family that both speak, and around an address that has fallen silent."""

from dataclasses import replace
from ipaddress import ip_address

from tests.compiler.worlds import WorldBuilder

from overlace.compiler.compiler import Compiler
from overlace.compiler.pipeline import Table
from overlace.compiler.reader import silent_key
from overlace.datapath.actions import SetField
from overlace.datapath.fields import Field
from overlace.model.site import Host, TunnelEndpoint


def a_host(name: str, key: int, *addresses: str, site: str = "a") -> Host:
    endpoints = tuple(TunnelEndpoint(ip_address(text), rank) for rank, text in enumerate(addresses))
    return Host(id=name, site_id=site, endpoints=endpoints, key=key)


def ways(compiler: Compiler, switch: str, key: int) -> list[str]:
    """Where `switch` sends what is for the host with this key, the rule that counts first."""
    flows = [flow for fragment in compiler.switch_plan(switch).values() for flow in fragment.flows]
    to_it = [flow for flow in flows if flow.table == Table.REMOTE and flow.cookie & 0xFFFFFFFF == key]
    ordered = sorted(to_it, key=lambda flow: -flow.priority)
    fields = {Field.TUN_DST: 32, Field.TUN_IPV6_DST: 128}
    return [
        str(ip_address(action.value.to_bytes(fields[action.field] // 8, "big")))
        for flow in ordered
        for action in flow.actions
        if isinstance(action, SetField) and action.field in fields and action.value
    ]


def compiled(*hosts: Host) -> tuple[Compiler, WorldBuilder]:
    world = WorldBuilder()
    for host in hosts:
        world.put(host)
    compiler = Compiler()
    compiler.advance(world.world)
    world.take_dirty()
    return compiler, world


def test_each_host_goes_by_the_best_address_of_a_family_it_speaks() -> None:
    both = a_host("both", 1, "192.0.2.1", "2001:db8::1")
    old, new = a_host("old", 2, "192.0.2.2"), a_host("new", 3, "2001:db8::3")
    compiler, _ = compiled(both, old, new)
    assert ways(compiler, "old", 1) == ["192.0.2.1"]
    assert ways(compiler, "new", 1) == ["2001:db8::1"]
    assert ways(compiler, "both", 2) == ["192.0.2.2"]
    assert ways(compiler, "both", 3) == ["2001:db8::3"]
    # those without a family in common have no way
    assert ways(compiler, "old", 3) == ways(compiler, "new", 2) == []


def test_a_silent_address_is_gone_around_by_the_site_that_does_not_hear_it() -> None:
    # given a host with two addresses, and one host at its site and one at another
    target = a_host("target", 1, "192.0.2.1", "2001:db8::1")
    near, far = (
        a_host("near", 2, "192.0.2.2", "2001:db8::2"),
        a_host("far", 3, "192.0.2.3", "2001:db8::3", site="b"),
    )
    compiler, world = compiled(target, near, far)
    silence = ("b", ip_address("192.0.2.1"))
    # when the better one falls silent for the other site
    world.observations = world.observations.with_silent("target", frozenset({silence}))
    change = compiler.advance(world.world, {silent_key("target")})
    # then that site alone has a detour above the rule that it had, which stays
    assert set(change.switches) == {"far"}
    assert ways(compiler, "far", 1) == ["2001:db8::1", "192.0.2.1"]
    assert ways(compiler, "near", 1) == ["192.0.2.1"]
    # and when it speaks again, the detour is gone
    world.observations = world.observations.with_silent("target", frozenset())
    compiler.advance(world.world, {silent_key("target")})
    assert ways(compiler, "far", 1) == ["192.0.2.1"]


def test_without_another_address_there_is_no_detour() -> None:
    target, other = a_host("target", 1, "192.0.2.1"), a_host("other", 2, "192.0.2.2")
    compiler, world = compiled(target, other)
    world.observations = world.observations.with_silent("target", frozenset({("a", ip_address("192.0.2.1"))}))
    assert compiler.advance(world.world, {silent_key("target")}).switches == {}


def test_preference_decides_not_order() -> None:
    host = a_host("h", 1, "192.0.2.1", "192.0.2.2")
    turned = replace(host, endpoints=host.endpoints[::-1])
    assert turned.addresses == host.addresses
