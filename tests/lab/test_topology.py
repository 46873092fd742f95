"""Given a topology, when it is asked, then it knows its nodes, links and the room for packets."""

import pytest
from msgspec.structs import replace

from overlace.lab.description import load_topology
from overlace.lab.errors import LabError
from overlace.lab.topology import Topology


def test_a_transit_switch_belongs_to_its_site() -> None:
    assert load_topology("transit").site_of("t2").name == "site-b"


def test_an_unknown_node_is_told_with_the_known_ones() -> None:
    with pytest.raises(
        LabError, match="no host or transit switch is called 'h9'; this laboratory has h1, h2"
    ):
        load_topology().site_of("h9")


@pytest.mark.parametrize(
    ("underlay", "mtu", "expected"),
    [("dual", 1600, 1500), ("ipv4", 1500, 1450), ("ipv6", 1500, 1430), ("dual", 1500, 1430)],
)
def test_workloads_leave_room_for_the_tunnel(underlay: str, mtu: int, expected: int) -> None:
    default = load_topology()
    sites = tuple(replace(site, mtu=mtu) for site in default.sites)
    topology: Topology = replace(default, underlay=underlay, sites=sites)
    assert topology.workload_mtu() == expected


def test_links_of_a_switch_are_those_that_end_there() -> None:
    assert [link.name for link in load_topology("transit").links_of("t1")] == ["h1-t1", "h2-t1", "t1-t2"]


def test_hosts_become_machines_by_name() -> None:
    topology = load_topology().with_kernel(["h4"]).with_kernel(["h3"])
    assert topology.kernel_names() == ("h3", "h4")
    with pytest.raises(LabError, match="no host is called 'h9'"):
        topology.with_kernel(["h9"])
