"""Which hosts need each other, as ports come and go."""

from ipaddress import IPv4Address
from itertools import permutations

import hypothesis.strategies as st
from hypothesis import given

from overlace.engine.neighbourhood import Neighbourhood
from overlace.kit.revision import Revision
from overlace.model.network import Network
from overlace.model.port import Binding, BindingState
from overlace.model.site import Host, TunnelEndpoint
from overlace.model.snapshot import Change, Snapshot


def binding(network: str, host: str, number: int = 1) -> Binding:
    return Binding(
        port_id=f"{network}-{host}-{number}",
        network_id=network,
        host_id=host,
        state=BindingState.ACTIVE,
        generation=1,
        zone=number,
    )


class Cloud:
    """A store of bindings, and the neighbourhood that hears of its commits."""

    def __init__(self) -> None:
        self.snapshot = Snapshot.empty(Revision("test", 1, 0))
        self.hosts = Neighbourhood()

    def plug(self, value: Binding) -> set[tuple[str, str]]:
        self.snapshot = self.snapshot.put(value)
        change = Change(Binding, value.id, None, value)
        found = self.hosts.committed(self.snapshot, [change])
        assert not found.ended
        return set(found.begun)

    def unplug(self, value: Binding) -> set[tuple[str, str]]:
        self.snapshot = self.snapshot.without(Binding, value.id)
        found = self.hosts.committed(self.snapshot, [Change(Binding, value.id, value, None)])
        assert not found.begun
        return set(found.ended)


def test_two_hosts_need_each_other_while_they_share_a_network() -> None:
    cloud = Cloud()
    assert cloud.plug(binding("red", "h1")) == set()
    assert cloud.plug(binding("blue", "h2")) == set()
    assert cloud.plug(binding("red", "h2")) == {("h1", "h2"), ("h2", "h1")}
    # a second port, or a second network, changes nothing
    assert cloud.plug(binding("red", "h2", 2)) == cloud.plug(binding("blue", "h1")) == set()
    assert cloud.unplug(binding("red", "h2")) == cloud.unplug(binding("red", "h1")) == set()
    assert cloud.unplug(binding("blue", "h2")) == {("h1", "h2"), ("h2", "h1")}
    assert list(cloud.hosts) == []


def test_other_changes_are_none_of_its_business() -> None:
    host = Host(id="h1", site_id="a", endpoints=(TunnelEndpoint(IPv4Address("192.0.2.1")),), key=1)
    found = Neighbourhood().committed(
        Snapshot.empty(Revision("test", 1, 0)), [Change(Host, "h1", None, host)]
    )
    assert not found.begun and not found.ended


places = st.tuples(st.sampled_from(["red", "blue"]), st.sampled_from(["h1", "h2", "h3"]), st.integers(1, 2))


@given(st.lists(places, max_size=25))
def test_step_by_step_comes_to_the_same_as_all_at_once(steps: list[tuple[str, str, int]]) -> None:
    cloud = Cloud()
    plugged: set[tuple[str, str, int]] = set()
    for network in ("red", "blue"):
        cloud.snapshot = cloud.snapshot.put(Network(id=network, project_id="p", name=network))
    for step in steps:
        (cloud.unplug if step in plugged else cloud.plug)(binding(*step))
        plugged ^= {step}
    fresh = Neighbourhood()
    begun = fresh.everything(cloud.snapshot).begun
    assert set(cloud.hosts) == set(fresh) == set(begun)
    shared = {
        (one, other) for net, one, _ in plugged for same, other, _ in plugged if net == same and one != other
    }
    assert set(begun) == shared
    for one, other in permutations(("h1", "h2", "h3"), 2):
        between = {net for net, host, _ in plugged if host == one} & {
            net for net, host, _ in plugged if host == other
        }
        assert cloud.hosts.networks_between(one, other) == fresh.networks_between(one, other) == between
